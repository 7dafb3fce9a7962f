"""A plan is levels, not powers: four amounts of stored energy that say what a storage may do.

Below `charge` it charges from the grid; below `reserve` nothing goes to the building; surplus is taken up to `fill`;
only what lies above `export` is sold. The plain rule of self-consumption is the special case 0, 0, full, full.

One closed form follows the levels, in the recursion of the planner (arrays) and in the loop (single numbers).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Amount = TypeVar("Amount", float, Floats)
Numbers = Any  # one number or an array of them: numpy's types do not distinguish them


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A storage as planning sees it: its energy (Wh), powers (W), losses and wear."""

    # Energy between empty and full (Wh, > 0); "empty" is the reserve that control keeps.
    capacity_wh: float
    # The most that its terminals draw (W, >= 0).
    charge_max_w: float
    # The most that its terminals give (W, >= 0).
    discharge_max_w: float
    # Share (0…1) of what the terminals draw that is stored.
    charge_efficiency: float = 0.95
    # Share (0…1) of what is taken from the store that the terminals give.
    discharge_efficiency: float = 0.95
    # What a kWh through its terminals costs in ageing (EUR/kWh, each way); 0 where it is not given.
    wear_price: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError when nothing could be planned with it."""
        powers = (self.charge_max_w, self.discharge_max_w, self.wear_price)
        shares = (self.charge_efficiency, self.discharge_efficiency)
        if not (0.0 < self.capacity_wh < math.inf and all(0.0 <= power < math.inf for power in powers)):
            raise ValueError(f"a storage has a capacity and finite powers: {self}")
        if not all(0.0 < share <= 1.0 for share in shares):
            raise ValueError(f"efficiencies are above 0 and at most 1: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLimits:
    """What the grid connection allows (W); infinite where nothing limits it."""

    # The most that may be imported (W, >= 0).
    import_max_w: float = math.inf
    # The most that may be exported (W, >= 0).
    export_max_w: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Four amounts of stored energy (Wh above empty), charge <= reserve <= export and charge <= fill <= export.

    The letters are those of docs/planning.md.
    """

    # A: below it the storage charges from the grid.
    charge_wh: float
    # D: below it nothing goes to the building.
    reserve_wh: float
    # C: surplus is taken up to here.
    fill_wh: float
    # F: what lies above is sold.
    export_wh: float

    def __post_init__(self) -> None:
        """Raises ValueError when the levels are out of order: a plan like that must not be followed."""
        inner = (self.reserve_wh, self.fill_wh)
        if not (0.0 <= self.charge_wh <= min(inner) and max(inner) <= self.export_wh):
            raise ValueError(f"levels out of order: {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadNeed:
    """What loads draw in a step that a storage supplies only while it holds much."""

    # Drawn by them (W, >= 0); it is a part of the net load.
    power_w: Numbers
    # Stored energy (Wh above empty) above which they are supplied; infinite: never.
    above_wh: float = math.inf


@dataclass(frozen=True, slots=True)
class Reach:
    """Stored energy that one step can take in or give out: numbers or arrays, each >= 0 and all in one unit."""

    # What the building has to spare.
    surplus: Numbers
    # What the building needs, without loads that are supplied only above some energy.
    deficit: Numbers
    # What must be given so that the import limit holds.
    forced: Numbers
    # The most that power and grid limits let in.
    charge: Numbers
    # The most that power and grid limits let out.
    discharge: Numbers
    # What is needed with such loads, and the energy above which that is supplied.
    with_loads: tuple[tuple[Numbers, float], ...] = ()

    def divided(self, unit: float) -> "Reach":
        """The same in another unit of energy."""
        return Reach(
            self.surplus / unit,
            self.deficit / unit,
            self.forced / unit,
            self.charge / unit,
            self.discharge / unit,
            tuple((deficit / unit, above / unit) for deficit, above in self.with_loads),
        )

    def at(self, place: Any) -> "Reach":
        """One place of arrays, as numpy counts places."""
        return Reach(
            self.surplus[place],
            self.deficit[place],
            self.forced[place],
            self.charge[place],
            self.discharge[place],
            tuple((deficit[place], above) for deficit, above in self.with_loads),
        )


def plain(storage: Storage) -> Levels:
    """The levels of the plain rule: no grid charging, no reserve, all surplus taken, nothing sold."""
    return Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=storage.capacity_wh, export_wh=storage.capacity_wh)


def in_order(charge: Amount, reserve: Amount, fill: Amount, export: Amount) -> tuple[Amount, Amount, Amount, Amount]:
    """Charge <= reserve <= export and charge <= fill <= export, also where a negative price would reverse them."""
    ordered_reserve, ordered_fill = np.maximum(reserve, charge), np.maximum(fill, charge)
    return charge, ordered_reserve, ordered_fill, np.maximum(np.maximum(export, ordered_reserve), ordered_fill)


NO_LIMITS = GridLimits()


def follow(
    levels: Levels,
    storage: Storage,
    *,
    energy_wh: Amount,
    net_w: Amount,
    hours: float,
    limits: GridLimits = NO_LIMITS,
    loads: Sequence[LoadNeed] = (),
) -> Amount:
    """Power of the storage (W, charging positive) that follows the levels for a step of `hours`.

    `net_w` is load and PV together without the storage; `loads`: those of it that it supplies only above some energy.
    The grid is held at `net_w` plus the result. With 1 s as step this is the loop's decision; the import limit goes
    before every level, the limits of the storage before all.
    """
    reach = reach_of(storage, net_w=net_w, hours=hours, limits=limits, loads=loads)
    change_wh = change(reach, energy_wh, levels.charge_wh, levels.reserve_wh, levels.fill_wh, levels.export_wh)
    stored_w: Amount = power_w(storage, change_wh, hours)
    return stored_w


def reach_of(
    storage: Storage,
    *,
    net_w: Numbers,
    hours: float,
    limits: GridLimits,
    peak_target_w: Numbers = math.inf,
    loads: Sequence[LoadNeed] = (),
) -> Reach:
    """What a step of `hours` can do about the net load; import is kept below the limit and the peak target alike.

    `loads`: those of the net load that are supplied only above some energy.
    """
    into = hours * storage.charge_efficiency
    out_of = hours / storage.discharge_efficiency
    import_max_w = np.minimum(limits.import_max_w, peak_target_w)
    import_room_w = np.maximum(import_max_w - net_w, 0.0)
    export_room_w = np.maximum(limits.export_max_w + net_w, 0.0)
    own_w = net_w
    for one in loads:
        own_w = own_w - one.power_w
    return Reach(
        surplus=np.maximum(-net_w, 0.0) * into,
        deficit=np.maximum(own_w, 0.0) * out_of,
        forced=np.maximum(net_w - import_max_w, 0.0) * out_of,
        charge=np.minimum(storage.charge_max_w, import_room_w) * into,
        discharge=np.minimum(storage.discharge_max_w, export_room_w) * out_of,
        with_loads=tuple(_with_loads(own_w, loads, out_of)),
    )


def _with_loads(own_w: Numbers, loads: Sequence[LoadNeed], out_of: float) -> Iterator[tuple[Numbers, float]]:
    """What is needed with the loads that are supplied above each of their energies, the lowest first."""
    for above_wh in sorted({one.above_wh for one in loads if one.above_wh < math.inf}):
        need_w = own_w
        for one in loads:
            need_w = need_w + one.power_w if one.above_wh <= above_wh else need_w
        yield np.maximum(need_w, 0.0) * out_of, above_wh


def change(reach: Reach, energy: Numbers, charge: Numbers, reserve: Numbers, fill: Numbers, export: Numbers) -> Numbers:
    """By how much the stored energy changes in the step; levels, energy and reach in one unit.

    Not above the highest level and, as no level is below 0, not below empty: the size of the storage needs no word.
    """
    requested_in = np.maximum(np.minimum(reach.surplus, fill - energy), charge - energy)
    requested_out = np.maximum(np.minimum(reach.deficit, energy - reserve), energy - export)
    for deficit, above in reach.with_loads:
        requested_out = np.maximum(requested_out, np.minimum(deficit, energy - np.maximum(reserve, above)))
    taken = np.minimum(np.maximum(requested_in, 0.0), reach.charge)
    given = np.minimum(np.maximum(requested_out, np.minimum(reach.forced, energy)), reach.discharge)
    return taken - given


def power_w(storage: Storage, change_wh: Numbers, hours: float) -> Numbers:
    """Power at the terminals for a change of the stored energy in a step of `hours`."""
    into = 1.0 / (storage.charge_efficiency * hours)
    return np.maximum(change_wh * into, change_wh * (storage.discharge_efficiency / hours))  # by sign: into is greater
