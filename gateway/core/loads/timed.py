"""What has a time: an appliance that runs once, a load that is switched on for some energy inside a window."""

import math
from dataclasses import dataclass

import numpy as np

from gateway.core.loads.needs import Band, Run, Store
from gateway.core.loads.request import Outlook, Wanted, finite, turns_of
from gateway.core.model.switched import Switched


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """One run of `course_w` (W, one value for each `course_step_s`), which is never interrupted."""

    id: str
    course_w: tuple[float, ...]
    course_step_s: float = 900.0
    missed_eur: float = 5.0

    def __post_init__(self) -> None:
        """Raises ValueError where there is nothing to run."""
        finite(self, *self.course_w, self.missed_eur)
        if not self.course_w or min(self.course_w) < 0.0 or max(self.course_w) <= 0.0:
            raise ValueError(f"an appliance draws power: {self}")
        if not (0.0 < self.course_step_s < math.inf and self.missed_eur >= 0.0):
            raise ValueError(f"a course has steps above 0 s, and missing it costs nothing or more: {self}")

    @property
    def length_s(self) -> float:
        """How long it runs."""
        return self.course_step_s * len(self.course_w)

    def power_w(self, begin_s: float, end_s: float) -> float:
        """Mean power between two moments counted from its start."""
        edges = np.clip(np.array([begin_s, end_s]), 0.0, self.length_s) / self.course_step_s
        sums = np.concatenate(([0.0], np.cumsum(self.course_w)))
        joules = np.diff(np.interp(edges, np.arange(len(sums)), sums))[0] * self.course_step_s
        return float(joules / (end_s - begin_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceState:
    """It may start from `earliest_s` and must have ended by `latest_s` (UTC). `started_s`: since when it runs."""

    earliest_s: float
    latest_s: float
    started_s: float | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.earliest_s, self.latest_s, self.started_s or 0.0)


def appliance_wanted(appliance: Appliance, state: ApplianceState, outlook: Outlook) -> Wanted:
    """The run, what is left of it, or why there is none."""
    grid, starts = outlook.grid, outlook.starts_s()
    if state.started_s is not None:
        since = (starts - state.started_s).tolist()
        left = np.array([appliance.power_w(begin, begin + grid.step_s) for begin in since])
        done = state.started_s + appliance.length_s <= outlook.now_s
        end_s = state.started_s + appliance.length_s
        return Wanted(id=appliance.id, fixed_w=left, due_s=end_s, code="load_done" if done else None)
    fits = starts + appliance.length_s <= state.latest_s
    open_ = fits & (np.maximum(starts, outlook.now_s) >= state.earliest_s) & (starts + grid.step_s > outlook.now_s)
    if not open_.any():
        later = state.earliest_s >= grid.end_s and state.latest_s - state.earliest_s >= appliance.length_s
        return Wanted(id=appliance.id, code="load_later" if later else "load_window")
    length = math.ceil(appliance.length_s / grid.step_s)
    course = [appliance.power_w(k * grid.step_s, (k + 1) * grid.step_s) for k in range(length)]
    run = Run(
        id=appliance.id,
        hours=outlook.hours,
        steps=grid.steps,
        course_w=np.array(course),
        starts=tuple(np.flatnonzero(open_).tolist()),
        missed_eur=appliance.missed_eur,
    )
    return Wanted(id=appliance.id, need=run, due_s=state.latest_s, wanted_wh=float(sum(course)) * outlook.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchable:
    """A load that is on or off (pool pump, electrolyser): `band` of power, least times, what an hour more is worth.

    `worth_price`: EUR/kWh of what it makes beyond the energy wanted; 0 where more is of no use.
    """

    id: str
    band: Band
    run_s: float = 0.0
    rest_s: float = 0.0
    start_eur: float = 0.005
    short_price: float = 2.0
    worth_price: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number or negative."""
        finite(self, self.run_s, self.rest_s, self.start_eur, self.short_price, self.worth_price)
        if min(self.run_s, self.rest_s, self.start_eur, self.short_price, self.worth_price) < 0.0:
            raise ValueError(f"times and prices are not negative: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchableState:
    """`wanted_wh` in all between two moments (UTC), of which `served_wh` is done; at most `most_wh`."""

    earliest_s: float
    latest_s: float
    wanted_wh: float
    served_wh: float = 0.0
    most_wh: float | None = None
    switched: Switched | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what is no number."""
        finite(self, self.earliest_s, self.latest_s, self.wanted_wh, self.served_wh, self.most_wh or 0.0)


def switchable_wanted(load: Switchable, state: SwitchableState, outlook: Outlook) -> Wanted:
    """The load as a store of what it has served."""
    steps, grid = outlook.grid.steps, outlook.grid
    if state.latest_s <= max(state.earliest_s, outlook.now_s):
        return Wanted(id=load.id, code="load_window")
    starts = outlook.starts_s()
    inside = (np.maximum(starts, outlook.now_s) >= state.earliest_s) & (starts + grid.step_s <= state.latest_s)
    last = np.flatnonzero(inside)
    behind_wh = max(state.latest_s - grid.end_s, 0.0) / 3600.0 * load.band.high_w
    floor, price = np.zeros(steps), np.zeros(steps)
    if len(last):
        floor[last[-1]], price[last[-1]] = state.wanted_wh - behind_wh, load.short_price
    more = load.worth_price > 0.0
    top = state.most_wh if state.most_wh is not None else math.inf
    ceiling = min(top, state.served_wh + load.band.high_w * outlook.hours * steps) if more else state.wanted_wh
    return Wanted(
        id=load.id,
        due_s=state.latest_s,
        wanted_wh=state.wanted_wh,
        code=None if len(last) else "load_later" if state.earliest_s >= grid.end_s else "load_window",
        need=Store(
            id=load.id,
            hours=outlook.hours,
            start_wh=state.served_wh,
            bands=(load.band,),
            free=inside,
            gain=np.ones(steps),
            drain_wh=np.zeros(steps),
            floor_wh=floor,
            short_price=price,
            ceiling_wh=np.full(steps, max(ceiling, state.served_wh)),
            end_price=load.worth_price or (float(outlook.price.min()) if state.latest_s > grid.end_s else 0.0),
            turns=turns_of(state.switched, outlook, run_s=load.run_s, rest_s=load.rest_s, start_eur=load.start_eur),
        ),
    )
