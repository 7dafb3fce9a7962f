"""A car at its charger."""

from dataclasses import dataclass

import numpy as np

from gateway.core.loads.needs import Band, Store
from gateway.core.loads.request import Outlook, Wanted, finite, turns_of
from gateway.core.model.switched import Switched

LEAST_A = 6.0  # IEC 61851-1: no charging below


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """`bands` in the order of its phases; energies in the battery of the car, powers at the charger.

    `give_w`: what it can give back (V2G), with `give_efficiency`; `wear_price` (EUR/kWh at the terminals, each way) is
    asked for ageing where it gives back. `switch_eur`: a change of phases. `short_price`: EUR for each kWh missing.
    """

    id: str
    bands: tuple[Band, ...]
    capacity_wh: float
    efficiency: float = 0.9
    give_w: float = 0.0
    give_efficiency: float = 0.9
    wear_price: float = 0.0
    switch_eur: float = 0.02
    start_eur: float = 0.01
    run_s: float = 0.0
    rest_s: float = 0.0
    short_price: float = 3.0

    def __post_init__(self) -> None:
        """Raises ValueError where it could not be charged."""
        finite(self, self.capacity_wh, self.give_w, self.wear_price, self.switch_eur, self.short_price)
        shares = (self.efficiency, self.give_efficiency)
        if not self.bands or self.capacity_wh <= 0.0 or not all(0.0 < share <= 1.0 for share in shares):
            raise ValueError(f"a car has bands of power, a capacity and efficiencies above 0: {self}")
        if min(self.give_w, self.wear_price, self.switch_eur, self.start_eur, self.short_price) < 0.0:
            raise ValueError(f"powers and prices of a car are not negative: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarState:
    """From `arrival_s` to `departure_s` (UTC) it is there. `stored_wh` now, `wanted_wh` at the departure.

    Where the car does not tell what it holds: what was charged since it came, and what was asked for.
    """

    arrival_s: float
    departure_s: float
    stored_wh: float
    wanted_wh: float
    switched: Switched | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number; a window that contradicts itself is told in the plan."""
        finite(self, self.arrival_s, self.departure_s, self.stored_wh, self.wanted_wh)


def phase_bands(*, least_a: float, most_a: float, phases: tuple[int, ...], volt: float = 230.0) -> tuple[Band, ...]:
    """The bands of power of a charger that can use these numbers of phases; ValueError below 6 A."""
    if not LEAST_A <= least_a <= most_a:
        raise ValueError(f"a charger works from {LEAST_A:g} A, least before most")
    return tuple(Band(low_w=n * least_a * volt, high_w=n * most_a * volt) for n in phases)


def car_wanted(car: Car, state: CarState, outlook: Outlook) -> Wanted:
    """The car as a store that is only there between arrival and departure."""
    steps, grid = outlook.grid.steps, outlook.grid
    if state.departure_s <= max(state.arrival_s, outlook.now_s):
        return Wanted(id=car.id, code="load_window")
    starts = outlook.starts_s()
    ends = np.minimum(starts + grid.step_s, state.departure_s)
    partly = np.clip((ends - np.maximum(starts, max(state.arrival_s, outlook.now_s))) / grid.step_s, 0.0, 1.0)
    free = partly > 0.0
    there = np.flatnonzero(free)
    wanted = min(max(state.wanted_wh, 0.0), car.capacity_wh)
    floor, price = np.zeros(steps), np.zeros(steps)
    if len(there):
        floor[there[-1]] = wanted - _later_wh(car, state, outlook)
        price[there[-1]] = car.short_price
    return Wanted(
        id=car.id,
        due_s=state.departure_s,
        wanted_wh=wanted,
        code=None if len(there) else "load_away",
        need=Store(
            id=car.id,
            hours=outlook.hours,
            start_wh=max(state.stored_wh, 0.0),
            bands=car.bands,
            free=free,
            gain=car.efficiency * partly,
            there=partly,
            drain_wh=np.zeros(steps),
            floor_wh=floor,
            short_price=price,
            ceiling_wh=np.full(steps, wanted if car.give_w == 0.0 else car.capacity_wh),
            end_price=_end_price(outlook, state) * car.efficiency,
            turns=turns_of(state.switched, outlook, run_s=car.run_s, rest_s=car.rest_s, start_eur=car.start_eur),
            switch_eur=car.switch_eur if len(car.bands) > 1 else 0.0,
            give_w=car.give_w,
            give=car.give_efficiency,
            wear_price=car.wear_price if car.give_w > 0.0 else 0.0,
        ),
    )


def _later_wh(car: Car, state: CarState, outlook: Outlook) -> float:
    """What can still be charged between the end of the plan and the departure."""
    later_h = max(state.departure_s - outlook.grid.end_s, 0.0) / 3600.0
    return later_h * max(band.high_w for band in car.bands) * car.efficiency


def _end_price(outlook: Outlook, state: CarState) -> float:
    """What charging before the plan's end spares behind it; nothing when the car has left by then."""
    return float(outlook.price.min()) if state.departure_s > outlook.grid.end_s else 0.0
