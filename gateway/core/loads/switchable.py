"""A load that is on or off, and needs some energy between two hours of each day."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from gateway.core.loads import memory
from gateway.core.loads.clock import clock_before, hours_between, last_clock, next_clock
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import EnergyStore
from gateway.core.loads.plain_rule import due_by, nothing, surplus_only
from gateway.core.loads.request import LoadRequest, Outlook, finite, switching_of
from gateway.core.loads.run_state import RUNS_W, switched_after
from gateway.core.loads.settings import (
    Clock,
    CommonSettings,
    EnergyOrZeroKwh,
    Misfit,
    PowerW,
    PriceEur,
    Seconds,
    no_charger,
)
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

POWER_FRESH_S = 5.0  # five polls of a device that is read each second; an older power is not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchableSettings(CommonSettings):
    """A load that is on or off: `wanted_kwh` between two hours of each day; more has the value `worth_eur_per_kwh`."""

    kind: ClassVar[str] = "switchable"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w",)
    own_reasons: ClassVar[tuple[str, ...]] = ()

    power_w: PowerW  # electrical, while it is on
    wanted_kwh: EnergyOrZeroKwh  # in its hours of each day
    earliest: Clock = "00:00"  # local clock at which its hours begin
    latest: Clock = "00:00"  # local clock at which its hours end; the same as `earliest`: the whole day
    run_s: Seconds = 0.0  # minimum up time
    rest_s: Seconds = 0.0  # minimum down time
    worth_eur_per_kwh: PriceEur = 0.0  # value of a kWh beyond `wanted_kwh`; 0 where more is of no use
    missing_eur_per_kwh: PriceEur = 2.0  # what a kWh that is missing at the end of its hours counts

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        hours = hours_between(self.earliest, self.latest)
        if self.wanted_kwh > self.power_w * hours / 1000.0:
            raise ValueError(f"at most {self.power_w * hours / 1000.0:g} kWh: {self.power_w:g} W for {hours:g} h")

    def load(self, id_: str) -> "Switchable":
        """The load that the settings describe."""
        return Switchable(
            id=id_,
            band=Band(low_w=self.power_w, high_w=self.power_w),
            minimum_up_s=self.run_s,
            minimum_down_s=self.rest_s,
            more_price=self.worth_eur_per_kwh,
            short_price=self.missing_eur_per_kwh,
        )

    def unseen(self, id_: str) -> "SwitchableObservation":
        """The load before anything has been seen of it."""
        return SwitchableObservation(id=id_, settings=self)

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        yield from no_charger(self.kind, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchableObservation:
    """What has been seen of a switched load in its present hours."""

    id: str  # the load's name in the site file
    settings: SwitchableSettings  # what the user wrote of it
    since_s: float | None = field(default=None, metadata=memory.moment())  # they began (UTC); None: never seen
    held_wh: float = field(default=0.0, metadata=memory.amount(step=memory.KEPT_WH))  # drawn in them
    event: ClassVar = None

    def observed(self, now: LoadMoment) -> "SwitchableObservation":
        """What it has drawn in its hours."""
        seen, state = memory.not_ahead(self, now.state.utc_s), now.state
        begin_s = last_clock(state.utc_s, self.settings.earliest, now.zone)
        power_w = state.value(str(self.settings.device), "p_w", max_age_s=POWER_FRESH_S)
        drawn_wh = power_w * now.dt_s / 3600.0 if power_w is not None and power_w > RUNS_W else 0.0
        if seen.since_s != begin_s:
            return replace(seen, since_s=begin_s, held_wh=drawn_wh)
        return replace(seen, held_wh=seen.held_wh + drawn_wh)

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[SwitchableState]":
        """The load in the hours that end next: nothing of the hours before counts in them."""
        latest_s = next_clock(grid.start_s, self.settings.latest, now.zone)
        state = SwitchableState(
            earliest_s=clock_before(latest_s, self.settings.earliest, now.zone),
            latest_s=latest_s,
            requested_wh=1000.0 * self.settings.wanted_kwh,
            served_wh=0.0 if self._is_over(now) else self.held_wh,
            switched=now.switched,
        )
        return LoadWithState(load=self.settings.load(self.id), state=state)

    def _is_over(self, now: LoadMoment) -> bool:
        """Whether the hours that were seen have ended."""
        return self.since_s is not None and (
            next_clock(self.since_s, self.settings.latest, now.zone) <= now.state.utc_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchableState:
    """The energy a switched load must draw between two moments, and what of it is done."""

    earliest_s: float  # UTC
    latest_s: float  # UTC
    requested_wh: float  # in all
    served_wh: float = 0.0  # of that, until now
    switched: Switched | None = None  # whether it is on, and since when; None where nobody knows

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.earliest_s, self.latest_s, self.requested_wh, self.served_wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchable:
    """A load that is on or off (an electrolyser, a pump)."""

    state_type: ClassVar = SwitchableState
    presence_point: ClassVar = None
    comfort: ClassVar = None

    id: str  # its name in the site file and in plans
    band: Band  # its one power
    minimum_up_s: float = 0.0  # what the maker asks for; control adds what relays need
    minimum_down_s: float = 0.0  # likewise
    start_eur: float = 0.005  # of a start: of equal plans the one with fewer
    short_price: float = 2.0  # of a kWh that is missing at the end of its hours (EUR/kWh)
    more_price: float = 0.0  # value of a kWh beyond the energy requested (EUR/kWh); 0 where more is of no use

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number or negative."""
        numbers = (self.minimum_up_s, self.minimum_down_s, self.start_eur, self.short_price, self.more_price)
        finite(self, *numbers)
        if min(numbers) < 0.0:
            raise ValueError(f"times and prices are not negative: {self}")

    @property
    def bands(self) -> tuple[Band, ...]:
        """The powers that can be set."""
        return (self.band,)

    def request(self, state: SwitchableState, outlook: Outlook) -> LoadRequest:
        """The load as a store of what it has served."""
        steps, grid = outlook.grid.steps, outlook.grid
        if state.latest_s <= max(state.earliest_s, outlook.now_s):
            return LoadRequest(id=self.id, code="load_window", has_no_window=True)
        starts = outlook.starts_s()
        inside = (np.maximum(starts, outlook.now_s) >= state.earliest_s) & (starts + grid.step_s <= state.latest_s)
        last = np.flatnonzero(inside)
        behind_wh = max(state.latest_s - grid.end_s, 0.0) / 3600.0 * self.band.high_w
        floor, price = np.zeros(steps), np.zeros(steps)
        if len(last):
            floor[last[-1]], price[last[-1]] = state.requested_wh - behind_wh, self.short_price
        end_price = self.more_price or (float(outlook.price.min()) if state.latest_s > grid.end_s else 0.0)
        return LoadRequest(
            id=self.id,
            due_s=state.latest_s,
            requested_wh=state.requested_wh,
            code=None if len(last) else "load_later" if state.earliest_s >= grid.end_s else "load_window",
            has_no_window=not len(last) and state.earliest_s < grid.end_s,
            need=EnergyStore(
                id=self.id,
                hours=outlook.hours,
                start_wh=state.served_wh,
                bands=self.bands,
                free=inside,
                gain=np.ones(steps),
                drain_wh=np.zeros(steps),
                floor_wh=floor,
                short_price=price,
                ceiling_wh=np.full(steps, max(self._most_wh(state, outlook), state.served_wh)),
                end_price=end_price,
                switching=switching_of(
                    state.switched,
                    outlook,
                    minimum_up_s=self.minimum_up_s,
                    minimum_down_s=self.minimum_down_s,
                    start_eur=self.start_eur,
                ),
            ),
        )

    def plain_slot(self, state: SwitchableState, now_s: float) -> LoadSlot:
        """Energy inside its hours; what has a value beyond it takes surplus."""
        if not state.earliest_s <= now_s < state.latest_s:
            return nothing("load_away")
        if self.more_price > 0.0 and state.served_wh >= state.requested_wh:
            return surplus_only()
        missing_wh = state.requested_wh - state.served_wh
        return due_by(missing_wh, self.band.high_w, state.latest_s, now_s, state.switched)

    def carried(self, state: SwitchableState, power_w: float, *, begin_s: float, end_s: float) -> SwitchableState:
        """What it has then served."""
        served_wh = state.served_wh + power_w * ((end_s - begin_s) / 3600.0)
        return replace(
            state, served_wh=served_wh, switched=switched_after(state.switched, begin_s, runs=power_w > RUNS_W)
        )

    def _most_wh(self, state: SwitchableState, outlook: Outlook) -> float:
        """What it may have served at most."""
        if self.more_price == 0.0:
            return state.requested_wh
        return state.served_wh + self.band.high_w * outlook.hours * outlook.grid.steps
