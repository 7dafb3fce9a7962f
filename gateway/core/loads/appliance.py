"""An appliance that runs once when it was asked for, and is never interrupted."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from gateway.core.loads import memory
from gateway.core.loads.clock import clock_before, hours_between, next_clock
from gateway.core.loads.kind import LoadMoment, LoadWithState
from gateway.core.loads.needs import Run
from gateway.core.loads.plain_rule import SPARE_S, must_run, nothing, surplus_only
from gateway.core.loads.request import LoadRequest, Outlook, finite
from gateway.core.loads.run_state import RUNS_W
from gateway.core.loads.settings import Clock, CommonSettings, FieldBounds, Misfit, PowerOrZeroW, PriceEur, no_charger
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.time_grid import TimeGrid

ASKED_FRESH_S = 120.0  # a request changes seldom
POWER_FRESH_S = 5.0  # five polls of a device that is read each second; an older power proves no run
RUN_SHARE = 0.1  # of its highest power: an appliance that draws more runs

QuartersW = Annotated[tuple[PowerOrZeroW, ...], FieldBounds(fewest=1, longest=96)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceSettings(CommonSettings):
    """An appliance that runs once on request: the mean power of each quarter hour, and the hours for it."""

    kind: ClassVar[str] = "appliance"
    needed_points: ClassVar[tuple[str, ...]] = ("p_w", "asked")
    own_reasons: ClassVar[tuple[str, ...]] = ("load_run", "load_going", "load_missed")

    quarters_w: QuartersW  # mean power of each quarter hour of a run, from its start on
    earliest: Clock = "00:00"  # local clock from which a run may start
    latest: Clock  # local clock by which a run has ended; may lie on the next day
    missed_eur: PriceEur = 5.0  # what a run that is missed counts against the price of running dearly (EUR)

    def __post_init__(self) -> None:
        """Raises ValueError for what does not fit together."""
        if max(self.quarters_w) <= 0.0:
            raise ValueError("quarters_w with some power")
        hours = hours_between(self.earliest, self.latest)
        if hours * 4 < len(self.quarters_w):
            raise ValueError(f"a window of at least its run: {len(self.quarters_w) / 4:g} h, not {hours:g} h")

    def load(self, id_: str) -> "Appliance":
        """The load that the settings describe."""
        return Appliance(id=id_, profile_w=self.quarters_w, missed_eur=self.missed_eur)

    def unseen(self, id_: str) -> "ApplianceObservation":
        """The load before anything has been seen of it."""
        return ApplianceObservation(id=id_, settings=self)

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
        yield from no_charger(self.kind, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceObservation:
    """What has been seen of an appliance."""

    id: str  # the load's name in the site file
    settings: ApplianceSettings  # what the user wrote of it
    since_s: float | None = field(default=None, metadata=memory.moment())  # asked for since (UTC); None: not asked for
    started_s: float | None = field(default=None, metadata=memory.moment())  # runs since (UTC); None: does not run

    @property
    def event(self) -> object:
        """Changes when a run is asked for, begins or is over."""
        return self.since_s, self.started_s is None

    def observed(self, now: LoadMoment) -> "ApplianceObservation":
        """Requested and running since; forgotten when it is no longer requested and the run is over."""
        seen, state, device = memory.not_ahead(self, now.state.utc_s), now.state, str(self.settings.device)
        asked = state.value(device, "asked", max_age_s=ASKED_FRESH_S)
        power_w = state.value(device, "p_w", max_age_s=POWER_FRESH_S)
        length_s = self.settings.load(self.id).length_s
        is_over = seen.started_s is None or state.utc_s >= seen.started_s + length_s
        if asked is not None and asked < 0.5 and is_over:
            return self.settings.unseen(self.id)
        if asked is not None and asked >= 0.5 and seen.since_s is None:
            seen = replace(seen, since_s=state.utc_s)
        runs = power_w is not None and power_w >= RUN_SHARE * max(self.settings.quarters_w)
        if runs and seen.started_s is None:
            seen = replace(seen, started_s=state.utc_s, since_s=seen.since_s or state.utc_s)
        return seen

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> "LoadWithState[ApplianceState] | None":
        """The run that is asked for, inside its hours."""
        del grid  # its hours count from when it was asked for
        if self.since_s is None:
            return None
        latest_s = next_clock(self.since_s, self.settings.latest, now.zone)
        earliest_s = max(clock_before(latest_s, self.settings.earliest, now.zone), self.since_s)
        state = ApplianceState(earliest_s=earliest_s, latest_s=latest_s, started_s=self.started_s)
        return LoadWithState(load=self.settings.load(self.id), state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceState:
    """The hours in which an appliance may run, and since when it runs."""

    earliest_s: float  # it may start from here on (UTC)
    latest_s: float  # it must have ended by then (UTC)
    started_s: float | None = None  # it runs since (UTC)

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.earliest_s, self.latest_s, self.started_s or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """One run of a power profile, which is never interrupted."""

    state_type: ClassVar = ApplianceState
    presence_point: ClassVar = None
    comfort: ClassVar = None
    minimum_down_s: ClassVar = 0.0

    id: str  # its name in the site file and in plans
    profile_w: tuple[float, ...]  # mean powers, one for each `profile_step_s`
    profile_step_s: float = 900.0  # length of a step of `profile_w`: a quarter hour
    missed_eur: float = 5.0  # what it costs not to run

    def __post_init__(self) -> None:
        """Raises ValueError where there is nothing to run."""
        finite(self, *self.profile_w, self.missed_eur)
        if not self.profile_w or min(self.profile_w) < 0.0 or max(self.profile_w) <= 0.0:
            raise ValueError(f"an appliance draws power: {self}")
        if not (0.0 < self.profile_step_s < math.inf and self.missed_eur >= 0.0):
            raise ValueError(f"a power profile has steps above 0 s, and missing it costs nothing or more: {self}")

    @property
    def bands(self) -> tuple[Band, ...]:
        """Its highest power: it is on or off."""
        return (Band(low_w=max(self.profile_w), high_w=max(self.profile_w)),)

    @property
    def length_s(self) -> float:
        """How long it runs."""
        return self.profile_step_s * len(self.profile_w)

    @property
    def minimum_up_s(self) -> float:
        """It runs to its end."""
        return self.length_s

    def power_w(self, begin_s: float, end_s: float) -> float:
        """Mean power between two moments counted from its start."""
        edges = np.clip(np.array([begin_s, end_s]), 0.0, self.length_s) / self.profile_step_s
        sums = np.concatenate(([0.0], np.cumsum(self.profile_w)))
        joules = np.diff(np.interp(edges, np.arange(len(sums)), sums))[0] * self.profile_step_s
        return float(joules / (end_s - begin_s))

    def request(self, state: ApplianceState, outlook: Outlook) -> LoadRequest:
        """The run, what is left of it, or why there is none."""
        if state.started_s is not None:
            return self._going_on(state.started_s, outlook)
        grid, starts = outlook.grid, outlook.starts_s()
        fits = starts + self.length_s <= state.latest_s
        open_ = fits & (np.maximum(starts, outlook.now_s) >= state.earliest_s) & (starts + grid.step_s > outlook.now_s)
        if not open_.any():
            later = state.earliest_s >= grid.end_s and state.latest_s - state.earliest_s >= self.length_s
            return LoadRequest(id=self.id, code="load_later" if later else "load_window", has_no_window=not later)
        length = math.ceil(self.length_s / grid.step_s)
        profile = [self.power_w(k * grid.step_s, (k + 1) * grid.step_s) for k in range(length)]
        run = Run(
            id=self.id,
            hours=outlook.hours,
            steps=grid.steps,
            profile_w=np.array(profile),
            starts=tuple(np.flatnonzero(open_).tolist()),
            missed_eur=self.missed_eur,
        )
        requested_wh = float(sum(profile)) * outlook.hours
        return LoadRequest(id=self.id, need=run, due_s=state.latest_s, requested_wh=requested_wh)

    def plain_slot(self, state: ApplianceState, now_s: float) -> LoadSlot:
        """A run is begun with surplus, or as late as it can be, and never interrupted."""
        most_w = max(self.profile_w)
        if state.started_s is not None:
            left_s = state.started_s + self.length_s - now_s
            return must_run(most_w, left_s) if left_s > 0.0 else nothing("load_done")
        if now_s < state.earliest_s:
            return nothing("load_away")
        left_s = state.latest_s - now_s
        return must_run(most_w, left_s) if left_s <= self.length_s + SPARE_S else surplus_only()

    def carried(self, state: ApplianceState, power_w: float, *, begin_s: float, end_s: float) -> ApplianceState:
        """Since when it runs."""
        del end_s  # a run that has begun goes on
        begins = power_w > RUNS_W and state.started_s is None
        return replace(state, started_s=begin_s) if begins else state

    def _going_on(self, started_s: float, outlook: Outlook) -> LoadRequest:
        """What is left of a run that has begun."""
        since = (outlook.starts_s() - started_s).tolist()
        left = np.array([self.power_w(begin, begin + outlook.grid.step_s) for begin in since])
        end_s = started_s + self.length_s
        return LoadRequest(id=self.id, fixed_w=left, due_s=end_s, code="load_done" if end_s <= outlook.now_s else None)
