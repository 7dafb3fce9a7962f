"""Scenario dynamic programming where a change of the grid power costs too: the state is energy and grid power.

    V_s,k(e, g) = min over actions b of  cost(n_s,k + b) + ramp |n_s,k + b - g| + V_s,k+1(e + change(b), n_s,k + b)

The actions are the changes between points of the energy grid, so nothing is rounded on the way and doing nothing is
exact. The grid power before a step is remembered as the action behind it: g = n_s,k-1 + b. The minimum over actions is
the lower envelope of cones of slope `ramp`, found in one sweep up and one down instead of for each pair.
Where b is set before the load is known, n_s,k has a noise x that b cannot answer to: the cost of a step is the mean
over x, its ramp counts beyond the mean of |x| only: no plan makes it smaller, and nothing need be stored for it.
Energies in Wh, powers in W; several buildings with the same storage are solved side by side, each for itself.
"""

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats
from gateway.study.benches.citylearn.grid_goal import EnergyPrices, GridGoal
from gateway.study.benches.citylearn.part_load import PartLoad

Table = NDArray[np.float32]  # actions x buildings and scenarios x energies: single precision halves the time
Places = NDArray[np.intp]
NEVER = np.float32(1e8)  # Wh: more than any plan can cost
NOISES = 7  # deviations that stand for all


class GridRecursion:
    """The recursion for one kind of storage and one length of step."""

    def __init__(self, storage: PartLoad, goal: GridGoal, *, hours: float, points: int) -> None:
        self.storage, self.goal, self.hours = storage, goal, hours
        self.energies_wh = np.linspace(0.0, storage.capacity_wh, points)
        self._spacing_wh = storage.capacity_wh / (points - 1)
        ends_wh = storage.change_wh(np.array([-storage.power_w, storage.power_w]), hours) / self._spacing_wh
        down, up = max(int(np.ceil(ends_wh[0])), 1 - points), min(int(np.floor(ends_wh[1])), points - 1)
        self._changes = np.arange(down, up + 1)
        self.actions_w = storage.terminal_w(np.asarray(self._changes * self._spacing_wh, dtype=np.float64), hours)
        self._barred = self._bars()
        self._slopes = (goal.ramp_h * np.diff(self.actions_w)).astype(np.float32)

    def _bars(self) -> Table:
        """NEVER where an action leaves the storage or its limit of power; shape (actions, 1, energies)."""
        after = np.arange(len(self.energies_wh)) + self._changes[:, None]
        outside = (after < 0) | (after >= len(self.energies_wh))
        weak = np.abs(self.actions_w)[:, None] > self.storage.limit_w(self.energies_wh) + 1e-6
        return np.where(outside | weak, NEVER, np.float32(0.0))[:, None, :]

    def solve(
        self, net_w: Floats, prices: EnergyPrices, mean_w: Floats, *, end_value: Floats, noise_w: Floats | None = None
    ) -> "GridOutlook":
        """What comes behind the first step.

        `net_w` (buildings, scenarios, steps); `prices` of energy (buildings, steps); `mean_w` of the grid, `end_value`
        of stored energy at the end (buildings,); `noise_w` (buildings, noises, steps), equally likely.
        """
        _, scenarios, steps = net_w.shape
        net, means = net_w.reshape(-1, steps), np.repeat(mean_w, scenarios)
        each = EnergyPrices(
            buy=np.repeat(prices.buy, scenarios, axis=0), sell=np.repeat(prices.sell, scenarios, axis=0)
        )
        end_wh = -np.repeat(end_value, scenarios)[:, None] * self.energies_wh
        value: Table = np.repeat(end_wh[None].astype(np.float32), len(self.actions_w), axis=0)
        quiet = np.zeros((len(net_w), 1, steps)) if noise_w is None else noise_w
        for k in range(steps - 1, 0, -1):
            noise = np.repeat(quiet[:, :, k], scenarios, axis=0)
            best = self._after(value)
            best += self._step_wh(net[:, k], each.at(k), means, noise)[:, :, None]
            best += self._barred
            self._spread(best)
            before_w = self.actions_w[:, None] + (net[:, k - 1] - net[:, k])
            value = self._within(best, before_w, np.abs(noise).mean(axis=1))
        table = value.reshape(len(self.actions_w), *net_w.shape[:2], -1)
        return GridOutlook(self, table, net_w[:, :, 0], prices.at(0), mean_w)

    def _step_wh(self, net_w: Floats, prices: EnergyPrices, mean_w: Floats, noise_w: Floats) -> Table:
        """Mean cost of a step over its noise (columns, noises); shape (actions, columns)."""
        grid_w = net_w[:, None] + self.actions_w[:, None, None] + noise_w
        each = EnergyPrices(buy=prices.buy[:, None], sell=prices.sell[:, None])
        costs = self.goal.cost_wh(grid_w, each, mean_w[:, None], self.hours)
        return np.asarray(costs.mean(axis=2), dtype=np.float32)

    def _within(self, table: Table, powers_w: Floats, free_w: Floats) -> Table:
        """The least of `table` where the grid power may differ from `powers_w` by `free_w` (columns,) at no cost.

        Three places stand for all between, as `free_w` is about as wide as the actions are apart.
        """
        least = self.at(table, powers_w)
        if np.any(free_w > 0.0):
            np.minimum(least, self.at(table, powers_w - free_w), out=least)
            np.minimum(least, self.at(table, powers_w + free_w), out=least)
        return least

    def _after(self, value: Table) -> Table:
        """The value where each action leads, at the energy it starts from; anything where it leads outside."""
        points = value.shape[2]
        moved = np.zeros_like(value)
        for row, change in enumerate(self._changes.tolist()):
            low, high = max(0, -change), min(points, points - change)
            moved[row, :, low:high] = value[row, :, low + change : high + change]
        return moved

    def _spread(self, table: Table) -> None:
        """In place: the least of each action's cost and every other's plus the ramp between them."""
        for row in range(1, len(table)):
            np.minimum(table[row], table[row - 1] + self._slopes[row - 1], out=table[row])
        for row in range(len(table) - 2, -1, -1):
            np.minimum(table[row], table[row + 1] + self._slopes[row], out=table[row])

    def at(self, table: Table, powers_w: Floats) -> Table:
        """Rows of `table` at powers between its actions, shape (powers, columns); beyond the ends the ramp goes on."""
        below, share, beyond = self.places(powers_w)
        columns = np.arange(table.shape[1])
        lower, upper = table[below, columns], table[below + 1, columns]
        upper -= lower
        upper *= share.astype(np.float32)[:, :, None]
        lower += upper
        lower += beyond.astype(np.float32)[:, :, None]
        return lower

    def places(self, powers_w: Floats) -> tuple[Places, Floats, Floats]:
        """For each power: the action below it, the share of the way to the next, and the ramp (Wh) beyond the last."""
        actions_w = self.actions_w
        found = np.searchsorted(actions_w, powers_w.ravel()).reshape(powers_w.shape) - 1
        below = np.clip(found, 0, len(actions_w) - 2)
        share = (powers_w - actions_w[below]) / (actions_w[below + 1] - actions_w[below])
        beyond_w = np.maximum(np.maximum(powers_w - actions_w[-1], actions_w[0] - powers_w), 0.0)
        return below, np.clip(share, 0.0, 1.0), self.goal.ramp_h * beyond_w


def blurred(net_w: Floats, *, steps: float) -> Floats:
    """Scenarios without the short ups and downs of their own that nobody can foresee; the first step stays as it is.

    What differs from the mean of the scenarios (axis -2) is averaged with a bell of standard deviation `steps`, so that
    long errors, which decide how much energy is needed, remain. The rest is `noise_of`.
    """
    leads = np.arange(1, net_w.shape[-1])
    bell = np.exp(-0.5 * ((leads[:, None] - leads) / max(steps, 1e-3)) ** 2)
    mean_w = net_w.mean(axis=-2, keepdims=True)
    own_w = net_w - mean_w
    later_w = own_w[..., 1:] @ (bell / bell.sum(axis=1, keepdims=True)).T
    return np.asarray(mean_w + np.concatenate([own_w[..., :1], later_w], axis=-1))


def noise_of(net_w: Floats, soft_w: Floats) -> Floats:
    """What a blur took from scenarios (buildings, scenarios, steps), as at most NOISES equally likely deviations."""
    ordered_w = np.sort(net_w - soft_w, axis=1)
    groups = np.array_split(ordered_w, min(NOISES, net_w.shape[1]), axis=1)
    noise_w = np.stack([group.mean(axis=1) for group in groups], axis=1)
    return np.asarray(noise_w - noise_w.mean(axis=1, keepdims=True))


CANDIDATES = np.arange(-40, 41) / 40.0  # of the first step, as shares of the power; 0 is exact


class GridOutlook:
    """What the steps after the first will cost, and the best first step."""

    def __init__(
        self, recursion: GridRecursion, table: Table, net_w: Floats, prices: EnergyPrices, mean_w: Floats
    ) -> None:
        """`table`: actions x buildings x scenarios x energies after the first step, whose net loads are `net_w`."""
        self._recursion, self._table, self._net_w = recursion, table, net_w
        self._prices = EnergyPrices(buy=prices.buy[:, None, None], sell=prices.sell[:, None, None])
        self._mean_w = mean_w[:, None, None]

    def power_w(self, energy_wh: Floats, before_w: Floats) -> Floats:
        """The battery power of each building that is best on the mean, set before the step's net load is known."""
        storage, hours = self._recursion.storage, self._recursion.hours
        tried_w = np.broadcast_to(CANDIDATES * storage.power_w, (len(energy_wh), len(CANDIDATES)))
        after_wh, moved_w = storage.moved(energy_wh[:, None], tried_w, hours)
        grid_w = self._net_w[:, :, None] + moved_w[:, None, :]
        return _least(self._cost_wh(grid_w, after_wh[:, None, :], before_w), moved_w)

    def grid_w(self, energy_wh: Floats, before_w: Floats, net_w: Floats) -> Floats:
        """The grid power of each building that is best while its net load is `net_w`, as a loop of seconds sees it.

        Tried: steps around the grid power before, no exchange at all, and the battery at rest.
        """
        storage, hours = self._recursion.storage, self._recursion.hours
        around_w = before_w[:, None] + CANDIDATES * storage.power_w
        tried_w = np.concatenate([net_w[:, None], np.zeros((len(net_w), 1)), around_w], axis=1)
        after_wh, moved_w = storage.moved(energy_wh[:, None], tried_w - net_w[:, None], hours)
        grid_w = np.repeat((net_w[:, None] + moved_w)[:, None, :], self._net_w.shape[1], axis=1)
        return _least(self._cost_wh(grid_w, after_wh[:, None, :], before_w), tried_w)

    def _cost_wh(self, grid_w: Floats, after_wh: Floats, before_w: Floats) -> Floats:
        """Mean over scenarios of a first step, shape (buildings, scenarios, tries), and all that follow."""
        goal = self._recursion.goal
        step = goal.cost_wh(grid_w, self._prices, self._mean_w, self._recursion.hours)
        ramp = goal.ramp_h * np.abs(grid_w - before_w[:, None, None])
        return np.asarray((step + ramp + self._later_wh(grid_w, after_wh)).mean(axis=1))

    def _later_wh(self, grid_w: Floats, after_wh: Floats) -> Floats:
        """The table between its actions and between its energies."""
        below, share, beyond = self._recursion.places(grid_w - self._net_w[:, :, None])
        place = after_wh / self._recursion.storage.capacity_wh * (self._table.shape[3] - 1)
        left = np.minimum(place.astype(np.intp), self._table.shape[3] - 2)
        part = place - left
        building = np.arange(grid_w.shape[0])[:, None, None]
        scenario = np.arange(grid_w.shape[1])[None, :, None]
        rows = [
            (1.0 - part) * self._table[row, building, scenario, left]
            + part * self._table[row, building, scenario, left + 1]
            for row in (below, below + 1)
        ]
        return np.asarray((1.0 - share) * rows[0] + share * rows[1] + beyond)


def _least(cost: Floats, choices: Floats) -> Floats:
    """For each building the choice of least cost; of equal ones the first."""
    return np.asarray(np.take_along_axis(choices, np.argmin(cost, axis=1)[:, None], axis=1)[:, 0])
