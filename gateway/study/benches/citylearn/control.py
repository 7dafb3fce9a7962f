"""Our planner in the CityLearn world: every home alone, hour by hour, knowing only what has been."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats
from gateway.study.benches.citylearn.district import EFFICIENCY, POWER_LIMIT, POWER_SHARE, SOC, Batteries, District
from gateway.study.benches.citylearn.grid_goal import EnergyPrices, GridMethod
from gateway.study.benches.citylearn.grid_recursion import GridOutlook, GridRecursion, blurred, noise_of
from gateway.study.benches.citylearn.part_load import PartLoad
from gateway.study.benches.citylearn.regression import Regression, added, scaled

STEP_S = 3600.0
PROGRESS_H = 730
LEAST_KWH = 0.01  # imported before a mean price means anything
NEIGHBOURS = 0.8  # chance that other homes import in an hour in which this one would

Progress = Callable[[int, int], None]


def controlled(district: District, method: GridMethod, *, inside_hour: bool, progress: Progress) -> Floats:
    """Grid energies (kWh, homes x hours) under our planner.

    `inside_hour`: the battery holds a grid set-point during the hour instead of a power set before it. `progress` gets
    the hours done and their number.
    """
    batteries, net, hours = Batteries(district), district.net_kwh, district.load_kwh.shape[1]
    grid = net.copy()
    planner = _Planner(district, method, quick=inside_hour)
    for hour in range(1, hours):
        planner.bill(hour - 1)
        planner.measure(hour)
        outlooks = planner.outlooks(hour)
        wanted = np.zeros(len(net))
        for homes, outlook in outlooks:
            stored_wh, before_w = 1000.0 * batteries.stored_kwh[homes], 1000.0 * grid[homes, hour - 1]
            if inside_hour:
                seen_w = 1000.0 * net[homes, hour]
                wanted[homes] = (outlook.grid_w(stored_wh, before_w, seen_w) - seen_w) / 1000.0
            else:
                wanted[homes] = outlook.power_w(stored_wh, before_w) / 1000.0
        grid[:, hour] += batteries.move(wanted)
        if hour % PROGRESS_H == 0 or hour == hours - 1:
            progress(hour + 1, hours)
    return grid


class _Planner:
    """What is learnt from hour to hour, and what is expected from it."""

    def __init__(self, district: District, method: GridMethod, *, quick: bool) -> None:
        self._district, self._method, self._quick = district, method, quick
        homes = len(district.load_kwh)
        self._load = _regression(homes, method, pv=False)
        self._pv = _regression(homes, method, pv=True)
        self._carbon = _regression(1, method, pv=False)
        self._groups = _same_storages(district, method)
        self._paid, self._emitted, self._imported = (np.zeros(homes) for _ in range(3))

    def bill(self, hour: int) -> None:
        """Take price and CO2 of an hour that is over."""
        world = self._district
        carbon = world.carbon_kg_per_kwh[hour]
        self._carbon.learn(np.array([carbon]))
        imported = np.maximum(world.net_kwh[:, hour], 0.0)
        self._imported += imported
        self._paid += imported * world.price_usd_per_kwh[hour]
        self._emitted += imported * carbon

    def measure(self, hour: int) -> None:
        """Take load and PV as far as they are known when it is decided about this hour."""
        known = hour + 1 if self._quick else hour
        while self._load.count < known:
            step = self._load.count
            self._load.learn(self._district.load_kwh[:, step])
            self._pv.learn(self._district.pv_kwh[:, step])

    def outlooks(self, hour: int) -> list[tuple[NDArray[np.intp], GridOutlook]]:
        """For each group of like batteries: which homes, and what the coming hours are worth to them."""
        ahead_w = self._net_w(hour)
        net_w = ahead_w if self._quick else blurred(ahead_w, steps=self._method.blur_h)
        noise_w = noise_of(ahead_w, net_w)
        prices = self._prices(hour, self._carbon.forecast()[0], (net_w > 0.0).mean(axis=1))
        mean_w = net_w.mean(axis=(1, 2))
        end = self._method.end_value_share * prices.buy.mean(axis=1)
        return [
            (
                homes,
                recursion.solve(
                    net_w[homes],
                    _of(prices, homes),
                    mean_w[homes],
                    end_value=end[homes],
                    noise_w=None if self._quick else noise_w[homes],
                ),
            )
            for homes, recursion in self._groups
        ]

    def _net_w(self, hour: int) -> Floats:
        """Scenarios from this hour on, shape (homes, scenarios, steps); a loop of seconds has the hour itself."""
        load, pv = self._load.paths(self._method.scenarios), self._pv.paths(self._method.scenarios)
        ahead_w = 1000.0 * (load - pv)
        if not self._quick:
            return ahead_w
        now_w = np.broadcast_to(1000.0 * self._district.net_kwh[:, hour, None, None], (*ahead_w.shape[:2], 1))
        return np.concatenate([now_w, ahead_w[:, :, :-1]], axis=2)

    def _prices(self, hour: int, carbon: Floats, importing: Floats) -> EnergyPrices:
        """Half tariff, half CO2, each relative to the mean of this home's imports without a battery so far.

        `importing`: how likely this home imports in each coming hour. The homes have one bill and each its own CO2, so
        export saves the tariff when others import, which is likely when this home would, and never CO2.
        """
        last = len(self._district.price_usd_per_kwh) - 1
        tariff = self._district.price_usd_per_kwh[np.minimum(hour + np.arange(self._method.horizon_h), last)]
        known = self._imported > LEAST_KWH
        imported = np.where(known, self._imported, 1.0)
        price = np.where(known, self._paid / imported, tariff.mean())
        intensity = np.where(known, self._emitted / imported, max(carbon.mean(), 1e-3))
        bill = 0.5 * tariff / price[:, None]
        return EnergyPrices(buy=bill + 0.5 * carbon / intensity[:, None], sell=NEIGHBOURS * importing * bill)


def _of(prices: EnergyPrices, homes: NDArray[np.intp]) -> EnergyPrices:
    return EnergyPrices(buy=prices.buy[homes], sell=prices.sell[homes])


def _regression(series: int, method: GridMethod, *, pv: bool) -> Regression:
    return Regression(
        series,
        step_s=STEP_S,
        leads=method.horizon_h,
        days=method.scenarios,
        regressors=scaled if pv else added,
    )


def _same_storages(district: District, method: GridMethod) -> list[tuple[NDArray[np.intp], GridRecursion]]:
    kinds = np.stack([district.capacity_kwh, district.power_kw], axis=1)
    groups = []
    for capacity_kwh, power_kw in np.unique(kinds, axis=0):
        homes = np.flatnonzero((kinds == (capacity_kwh, power_kw)).all(axis=1))
        storage = PartLoad(
            capacity_wh=1000.0 * float(capacity_kwh),
            power_w=1000.0 * float(power_kw),
            power_shares=POWER_SHARE,
            efficiencies=tuple(np.sqrt(EFFICIENCY).tolist()),
            fills=SOC,
            limits=POWER_LIMIT,
        )
        recursion = GridRecursion(storage, method.goal, hours=1.0, points=method.energy_points)
        groups.append((homes, recursion))
    return groups
