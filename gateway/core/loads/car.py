"""A car at its charger: energy by a departure, V2G where it gives back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from gateway.core.loads import memory
from gateway.core.loads.clock import next_clock
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import EnergyStore
from gateway.core.loads.plain_rule import due_by
from gateway.core.loads.request import LoadRequest, Outlook, finite, switching_of
from gateway.core.loads.run_state import RUNS_W, switched_after
from gateway.core.loads.settings import (
    Clock,
    CommonSettings,
    EnergyKwh,
    FieldBounds,
    Misfit,
    PowerOrZeroW,
    PriceEur,
    Share,
)
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

LEAST_A = 6.0  # IEC 61851-1: no charging below
FRESH_S = 120.0  # whether a car is there changes seldom
SESSION_S = 1.0  # after the arrival: an older number is that of the car before
ANEW_WH = 50.0  # a session's energy falls by more only when another one has begun

Amperes = Annotated[float, FieldBounds(least=LEAST_A, most=80, unit="A")]
Phases = Annotated[tuple[Literal[1, 3], ...], FieldBounds(fewest=1, longest=2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarSettings(CommonSettings):
    """A charger: the car is charged with `wanted_kwh` by `departure` (local clock) after each arrival.

    Currents are per phase; `phases` are those that it can use (`[1, 3]`: it can switch). V2G: `give_w`, and
    `wear_eur_per_kwh` for ageing. `missing_eur_per_kwh`: the price of a missing kWh, weighed against dear charging.
    """

    kind: ClassVar[str] = "car"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w", "plugged", "e_session_wh")
    own_reasons: ClassVar[tuple[str, ...]] = ("load_gives",)

    capacity_kwh: EnergyKwh  # of its battery
    wanted_kwh: EnergyKwh  # in its battery at the departure
    departure: Clock = "07:00"  # local clock; the next one after it came
    least_a: Amperes = LEAST_A  # below it the charger rests; per phase
    most_a: Amperes = 32.0  # of charger, cable and car, the least of them; per phase
    phases: Phases = (1,)  # numbers of phases it can charge on
    efficiency: Share = 0.9  # from the charger into the battery
    give_w: PowerOrZeroW = 0.0  # the most it gives back (V2G), at the charger; 0: it cannot
    wear_eur_per_kwh: PriceEur = 0.0  # ageing by a kWh at the terminals, each way, where it gives back
    switch_eur: PriceEur = 0.02  # of a change of phases: keeps the contactor from being worn for a cent
    missing_eur_per_kwh: PriceEur = 3.0  # what a kWh that is missing at the departure counts

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        if self.least_a > self.most_a:
            raise ValueError("least_a at most most_a")
        if self.wanted_kwh > self.capacity_kwh:
            raise ValueError("wanted_kwh at most capacity_kwh")
        if tuple(sorted(set(self.phases))) != self.phases:
            raise ValueError("phases = [1], [3] or [1, 3]")

    @property
    def phases_used(self) -> int:
        """Over how many phases a set-point in amperes is spread."""
        return self.phases[0]

    def load(self, id_: str) -> "Car":
        """The load that the settings describe."""
        return Car(
            id=id_,
            bands=phase_bands(least_a=self.least_a, most_a=self.most_a, phases=self.phases),
            capacity_wh=1000.0 * self.capacity_kwh,
            efficiency=self.efficiency,
            give_w=self.give_w,
            wear_price=self.wear_eur_per_kwh,
            switch_eur=self.switch_eur,
            short_price=self.missing_eur_per_kwh,
        )

    def unseen(self, id_: str) -> "CarObservation":
        """The load before anything has been seen of it."""
        return CarObservation(id=id_, settings=self)

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        if unit == "switch":
            yield Misfit(key="kind", found=f'"{self.kind}"', allowed="another kind for a switch")
        if len(self.phases) > 1:
            allowed = "[1] or [3]: the phases of this charger are not switched"
            yield Misfit(key="phases", found=str(list(self.phases)), allowed=allowed)
        if self.give_w > 0.0:
            allowed = "0: giving back is planned, and commanded of no product yet"
            yield Misfit(key="give_w", found=f"{self.give_w:g}", allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarObservation:
    """What has been seen of a car."""

    id: str  # the load's name in the site file
    settings: CarSettings  # what the user wrote of it
    since_s: float | None = field(default=None, metadata=memory.moment())  # plugged in since (UTC); None: not there
    held_wh: float = field(default=0.0, metadata=memory.amount(step=memory.KEPT_WH))  # charged since it came
    arrived_s: float = -math.inf  # the same moment by the monotonic clock; before all others where it was not seen

    @property
    def event(self) -> object:
        """Changes when a car comes or leaves."""
        return self.since_s

    def observed(self, now: LoadMoment) -> "CarObservation":
        """Plugged since, and what this session has brought into its battery (Wh)."""
        before, state, device = memory.not_ahead(self, now.state.utc_s), now.state, str(self.settings.device)
        plugged = state.value(device, "plugged", max_age_s=FRESH_S)
        if plugged is None:
            return before
        if plugged < 0.5:
            return self.settings.unseen(self.id)
        if before.since_s is None:
            before = replace(before, since_s=state.utc_s, held_wh=0.0, arrived_s=state.now_s)
        session = state.reading(device, "e_session_wh")
        if session.value is None or session.measured_s <= before.arrived_s + SESSION_S:
            return before
        held_wh = session.value * self.settings.efficiency
        since_s = state.utc_s if held_wh < before.held_wh - ANEW_WH else before.since_s
        return replace(before, held_wh=held_wh, since_s=since_s)

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[CarState] | None":
        """The car that is there, until the next departure."""
        if self.since_s is None:
            return None
        state = CarState(
            arrival_s=self.since_s,
            departure_s=next_clock(max(self.since_s, grid.start_s), self.settings.departure, now.zone),
            stored_wh=self.held_wh,
            requested_wh=1000.0 * self.settings.wanted_kwh,
            switched=now.switched,
        )
        return LoadWithState(load=self.settings.load(self.id), state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarState:
    """When the car is there, and what it holds.

    Where the car does not report its charge: what was charged since it came, and what was requested.
    """

    arrival_s: float  # UTC
    departure_s: float  # UTC
    stored_wh: float  # in its battery now
    requested_wh: float  # in its battery at the departure
    switched: Switched | None = None  # whether it charges, and since when; None where nobody knows

    def __post_init__(self) -> None:
        """Raises ValueError for what is not a number; the plan reports a window that contradicts itself."""
        finite(self, self.arrival_s, self.departure_s, self.stored_wh, self.requested_wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A car at its charger: energies in its battery, powers at the charger."""

    state_type: ClassVar = CarState
    presence_point: ClassVar = "plugged"
    comfort: ClassVar = None

    id: str  # its name in the site file and in plans
    bands: tuple[Band, ...]  # in the order of its phases
    capacity_wh: float  # of its battery, above 0
    efficiency: float = 0.9  # from the charger into the battery
    give_w: float = 0.0  # the most it gives back (V2G)
    give_efficiency: float = 0.9  # from the battery to the charger
    wear_price: float = 0.0  # ageing by a kWh at the terminals, each way, where it gives back (EUR/kWh)
    switch_eur: float = 0.02  # of a change of phases
    start_eur: float = 0.01  # of a start: of equal plans the one with fewer
    minimum_up_s: float = 0.0  # what the maker asks for; control adds what relays need
    minimum_down_s: float = 0.0  # likewise
    short_price: float = 3.0  # of a kWh that is missing at the departure (EUR/kWh)

    def __post_init__(self) -> None:
        """Raises ValueError where it could not be charged."""
        finite(self, self.capacity_wh, self.give_w, self.wear_price, self.switch_eur, self.short_price)
        shares = (self.efficiency, self.give_efficiency)
        if not self.bands or self.capacity_wh <= 0.0 or not all(0.0 < share <= 1.0 for share in shares):
            raise ValueError(f"a car has bands of power, a capacity and efficiencies above 0: {self}")
        if min(self.give_w, self.wear_price, self.switch_eur, self.start_eur, self.short_price) < 0.0:
            raise ValueError(f"powers and prices of a car are not negative: {self}")

    def request(self, state: CarState, outlook: Outlook) -> LoadRequest:
        """The car as a store that is only there between arrival and departure."""
        steps, grid = outlook.grid.steps, outlook.grid
        if state.departure_s <= max(state.arrival_s, outlook.now_s):
            return LoadRequest(id=self.id, code="load_window", has_no_window=True)
        starts = outlook.starts_s()
        ends = np.minimum(starts + grid.step_s, state.departure_s)
        partly = np.clip((ends - np.maximum(starts, max(state.arrival_s, outlook.now_s))) / grid.step_s, 0.0, 1.0)
        free = partly > 0.0
        there = np.flatnonzero(free)
        requested_wh = min(max(state.requested_wh, 0.0), self.capacity_wh)
        floor, price = np.zeros(steps), np.zeros(steps)
        if len(there):
            floor[there[-1]] = requested_wh - _later_wh(self, state, outlook)
            price[there[-1]] = self.short_price
        return LoadRequest(
            id=self.id,
            due_s=state.departure_s,
            requested_wh=requested_wh,
            code=None if len(there) else "load_away",
            need=EnergyStore(
                id=self.id,
                hours=outlook.hours,
                start_wh=max(state.stored_wh, 0.0),
                bands=self.bands,
                free=free,
                gain=self.efficiency * partly,
                there=partly,
                drain_wh=np.zeros(steps),
                floor_wh=floor,
                short_price=price,
                ceiling_wh=np.full(steps, requested_wh if self.give_w == 0.0 else self.capacity_wh),
                end_price=_end_price(outlook, state) * self.efficiency,
                switching=switching_of(
                    state.switched,
                    outlook,
                    minimum_up_s=self.minimum_up_s,
                    minimum_down_s=self.minimum_down_s,
                    start_eur=self.start_eur,
                ),
                switch_eur=self.switch_eur if len(self.bands) > 1 else 0.0,
                give_w=self.give_w,
                give=self.give_efficiency,
                wear_price=self.wear_price if self.give_w > 0.0 else 0.0,
            ),
        )

    def plain_slot(self, state: CarState, now_s: float) -> LoadSlot:
        """Surplus, and what is missing as late as it can be."""
        missing_wh = min(state.requested_wh, self.capacity_wh) - state.stored_wh
        most_w = max(band.high_w for band in self.bands)
        return due_by(missing_wh / self.efficiency, most_w, state.departure_s, now_s, state.switched)

    def carried(self, state: CarState, power_w: float, *, begin_s: float, end_s: float) -> CarState:
        """What it then holds."""
        share = self.efficiency if power_w > 0.0 else 1.0 / self.give_efficiency
        stored_wh = state.stored_wh + power_w * share * ((end_s - begin_s) / 3600.0)
        return replace(
            state, stored_wh=stored_wh, switched=switched_after(state.switched, begin_s, runs=power_w > RUNS_W)
        )


def phase_bands(*, least_a: float, most_a: float, phases: tuple[int, ...], volt: float = 230.0) -> tuple[Band, ...]:
    """The bands of power of a charger that can use these numbers of phases; ValueError below 6 A."""
    if not LEAST_A <= least_a <= most_a:
        raise ValueError(f"a charger works from {LEAST_A:g} A, least before most")
    return tuple(Band(low_w=n * least_a * volt, high_w=n * most_a * volt) for n in phases)


def _later_wh(car: Car, state: CarState, outlook: Outlook) -> float:
    """What can still be charged between the end of the plan and the departure."""
    later_h = max(state.departure_s - outlook.grid.end_s, 0.0) / 3600.0
    return later_h * max(band.high_w for band in car.bands) * car.efficiency


def _end_price(outlook: Outlook, state: CarState) -> float:
    """What charging before the plan's end spares behind it; nothing when the car has left by then."""
    return float(outlook.price.min()) if state.departure_s > outlook.grid.end_s else 0.0
