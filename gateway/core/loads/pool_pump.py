"""The pump of a pool: it runs for some hours each day, and rests in quiet hours."""

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from gateway.core.loads import memory
from gateway.core.loads.clock import clock_before, hours_between, last_clock, next_clock
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import EnergyStore, Steps
from gateway.core.loads.plain_rule import due_by, nothing, surplus_only
from gateway.core.loads.request import LoadRequest, Outlook, finite, switching_of
from gateway.core.loads.run_state import switched_after
from gateway.core.loads.settings import Clock, CommonSettings, FieldBounds, PowerW, PriceEur, Seconds
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

POWER_FRESH_S = 5.0  # five polls of a device that is read each second; an older power proves no run
RUN_SHARE = 0.5  # of its power: a pump that draws less is held by its own protection, and filters nothing
KEPT_S = 60.0  # so finely a run outlives a restart

Hours = Annotated[float, FieldBounds(above=0, most=24, unit="h")]
UpSeconds = Annotated[float, FieldBounds(least=60, most=86_400, unit="s")]  # relays wear out


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPumpSettings(CommonSettings):
    """A pool pump that runs for `daily_run_h` each day, and never from `quiet_from` to `quiet_until` (local clock).

    `surplus_eur_per_kwh`: the value of filtering beyond that; 0 where it is of no use. A pump that may run at any hour
    has the same clock for both. It is not started within `run_s` of the quiet hours, so that it can end before them.
    """

    kind: ClassVar[str] = "pool_pump"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w",)
    own_reasons: ClassVar[tuple[str, ...]] = ("load_quiet",)

    power_w: PowerW  # electrical, while it runs
    daily_run_h: Hours  # least time a day, for the water to be filtered once or twice
    quiet_from: Clock = "22:00"  # local clock from which it must rest
    quiet_until: Clock = "07:00"  # local clock until which it must rest
    run_s: UpSeconds = 600.0  # minimum up time
    rest_s: Seconds = 300.0  # minimum down time
    surplus_eur_per_kwh: PriceEur = 0.0  # value of a kWh beyond the daily run
    missing_eur_per_kwh: PriceEur = 2.0  # what a kWh of the daily run that is missing counts

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        most_h = hours_between(self.quiet_until, self.quiet_from) - self.run_s / 3600.0
        if self.daily_run_h > most_h:
            raise ValueError(f"daily_run_h at most {most_h:g}: what the quiet hours and run_s leave of a day")

    def load(self, id_: str) -> "PoolPump":
        """The load that the settings describe."""
        return PoolPump(
            id=id_,
            band=Band(low_w=self.power_w, high_w=self.power_w),
            daily_run_s=3600.0 * self.daily_run_h,
            minimum_up_s=self.run_s,
            minimum_down_s=self.rest_s,
            more_price=self.surplus_eur_per_kwh,
            short_price=self.missing_eur_per_kwh,
        )

    def unseen(self, id_: str) -> "PoolPumpObservation":
        """The load before anything has been seen of it."""
        return PoolPumpObservation(id=id_, settings=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPumpObservation:
    """What has been seen of a pool pump on its present day, which begins when the quiet hours end."""

    id: str  # the load's name in the site file
    settings: PoolPumpSettings  # what the user wrote of it
    since_s: float | None = field(default=None, metadata=memory.moment())  # the day began (UTC); None: never seen
    ran_s: float = field(default=0.0, metadata=memory.amount(step=KEPT_S))  # it has run on this day
    event: ClassVar[None] = None

    def observed(self, now: LoadMoment) -> "PoolPumpObservation":
        """How long it has run."""
        seen, state = memory.not_ahead(self, now.state.utc_s), now.state
        begin_s = last_clock(state.utc_s, self.settings.quiet_until, now.zone)
        power_w = state.value(str(self.settings.device), "p_w", max_age_s=POWER_FRESH_S)
        runs = power_w is not None and power_w >= RUN_SHARE * self.settings.power_w
        before_s = seen.ran_s if seen.since_s == begin_s else 0.0
        return replace(seen, since_s=begin_s, ran_s=before_s + (now.dt_s if runs else 0.0))

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[PoolPumpState]":
        """The pump on the day on which it can be started next."""
        quiet_s = next_clock(grid.start_s + self.settings.run_s, self.settings.quiet_from, now.zone)
        day_s = clock_before(quiet_s, self.settings.quiet_until, now.zone)
        state = PoolPumpState(
            day_s=day_s,
            quiet_s=quiet_s,
            ran_s=self.ran_s if self.since_s == day_s else 0.0,
            switched=now.switched,
        )
        return LoadWithState(load=self.settings.load(self.id), state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPumpState:
    """One day of a pool pump, and how long it has run on that day."""

    day_s: float  # the quiet hours before it end (UTC)
    quiet_s: float  # the quiet hours after it begin (UTC)
    ran_s: float = 0.0  # it has run on this day
    switched: Switched | None = None  # whether it runs, and since when; None where nobody knows

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.day_s, self.quiet_s, self.ran_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPump:
    """A pump that is on or off."""

    state_type: ClassVar = PoolPumpState
    presence_point: ClassVar = None
    comfort: ClassVar = None

    id: str  # its name in the site file and in plans
    band: Band  # its one power
    daily_run_s: float  # least time for which it runs on a day
    minimum_up_s: float = 600.0  # relay and motor wear at each start
    minimum_down_s: float = 300.0  # a motor that starts again and again gets hot
    start_eur: float = 0.005  # of a start: of equal plans the one with fewer
    short_price: float = 2.0  # of a kWh that is missing at the end of the day (EUR/kWh)
    more_price: float = 0.0  # value of a kWh beyond the least run (EUR/kWh); 0 where more is of no use

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number or negative."""
        numbers = (self.minimum_up_s, self.minimum_down_s, self.start_eur, self.short_price, self.more_price)
        finite(self, self.daily_run_s, *numbers)
        if min(numbers) < 0.0 or self.daily_run_s <= 0.0:
            raise ValueError(f"a pump runs, and its times and prices are not negative: {self}")

    @property
    def bands(self) -> tuple[Band, ...]:
        """The powers that can be set."""
        return (self.band,)

    def request(self, state: PoolPumpState, outlook: Outlook) -> LoadRequest:
        """The pump as a store of the energy that it runs with on its day."""
        steps, grid = outlook.grid.steps, outlook.grid
        free = self._free(state, outlook)
        last, end_s = np.flatnonzero(free), self._last_start_s(state)
        daily_wh, ran_wh = self._wh(self.daily_run_s), self._wh(state.ran_s)
        floor, price = np.zeros(steps), np.zeros(steps)
        if len(last):
            behind_wh = self._wh(max(end_s - grid.end_s, 0.0))
            floor[last[-1]], price[last[-1]] = daily_wh - behind_wh, self.short_price
        most_wh = ran_wh + self._wh(grid.step_s * steps) if self.more_price > 0.0 else daily_wh
        return LoadRequest(
            id=self.id,
            due_s=end_s,
            requested_wh=daily_wh,
            code=None if len(last) else "load_later" if state.day_s >= grid.end_s else "load_quiet",
            need=EnergyStore(
                id=self.id,
                hours=outlook.hours,
                start_wh=ran_wh,
                bands=self.bands,
                free=free,
                gain=np.ones(steps),
                drain_wh=np.zeros(steps),
                floor_wh=floor,
                short_price=price,
                ceiling_wh=np.full(steps, max(most_wh, ran_wh)),
                end_price=self.more_price or (float(outlook.price.min()) if end_s > grid.end_s else 0.0),
                switching=switching_of(
                    state.switched,
                    outlook,
                    minimum_up_s=self.minimum_up_s,
                    minimum_down_s=self.minimum_down_s,
                    start_eur=self.start_eur,
                ),
            ),
        )

    def plain_slot(self, state: PoolPumpState, now_s: float) -> LoadSlot:
        """Its hours as late as they can be, surplus before; nothing in the quiet hours."""
        end_s = self._last_start_s(state)
        if not state.day_s <= now_s < end_s:
            return nothing("load_quiet")
        if self.more_price > 0.0 and state.ran_s >= self.daily_run_s:
            return surplus_only()
        missing_wh = self._wh(self.daily_run_s - state.ran_s)
        return due_by(missing_wh, self.band.high_w, end_s, now_s, state.switched)

    def carried(self, state: PoolPumpState, power_w: float, *, begin_s: float, end_s: float) -> PoolPumpState:
        """How long it has then run: a mean power counts as a part of the time."""
        ran_s = state.ran_s + power_w / self.band.high_w * (end_s - begin_s)
        runs = power_w >= RUN_SHARE * self.band.high_w
        return replace(state, ran_s=ran_s, switched=switched_after(state.switched, begin_s, runs=runs))

    def _last_start_s(self, state: PoolPumpState) -> float:
        """Whatever starts before, ends before the quiet hours."""
        return state.quiet_s - self.minimum_up_s

    def _free(self, state: PoolPumpState, outlook: Outlook) -> Steps:
        """Steps that lie in its day."""
        starts = outlook.starts_s()
        begun = np.maximum(starts, outlook.now_s) >= state.day_s
        return np.asarray(begun & (starts + outlook.grid.step_s <= self._last_start_s(state)))

    def _wh(self, seconds: float) -> float:
        """The energy of so much running."""
        return seconds / 3600.0 * self.band.high_w
