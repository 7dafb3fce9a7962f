"""What people are shown: the newest cycle and the last day, from memory. Fits the port Display and the page's View."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.adapters.store.history import TREND, TREND_S
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, Reading, SetPoint, SiteState
from gateway.planning.service import PlanStatus
from gateway.ports import Cycle
from gateway.view.plan import told

DAY_S = 86400
MOST_POINTS = 1500

Step = tuple[float | None, ...]  # (t, *TREND)
Describe = Callable[[], Mapping[str, object]]


class Trend:
    """Means over steps of ten seconds, a day of them."""

    def __init__(self, past: Sequence[Step]) -> None:
        self._steps: deque[Step] = deque(past, maxlen=DAY_S // TREND_S + 1)
        self._open: list[Mapping[str, float | None]] = []
        self._open_t = 0

    def add(self, utc_s: float, values: Mapping[str, float | None]) -> tuple[int, Mapping[str, float | None]] | None:
        """Take one cycle in; the step that this completes, if it does."""
        t = int(utc_s) // TREND_S * TREND_S
        done = None
        if self._open and t != self._open_t:
            done = self._open_t, {name: _mean([row.get(name) for row in self._open]) for name in TREND}
            self._steps.append((done[0], *done[1].values()))
            self._open = []
        self._open_t = t
        self._open.append(values)
        return done

    def since(self, utc_s: float) -> dict[str, list[float | None]]:
        """Columns of the page's chart, gaps as None, thinned to what a screen shows."""
        steps = [step for step in self._steps if step[0] is not None and step[0] >= utc_s]
        width = math.ceil(len(steps) / MOST_POINTS) or 1
        groups = [steps[i : i + width] for i in range(0, len(steps), width)]
        columns: dict[str, list[float | None]] = {"t": [group[0][0] for group in groups]}
        for i, name in enumerate(TREND, start=1):
            columns[name] = [_mean([step[i] for step in group]) for group in groups]
        return columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is shown: devices with role, title and node; their points; kinds of loads by their names in plans."""

    devices: Mapping[str, Mapping[str, object]]
    points: Mapping[str, Sequence[str]]
    kinds: Mapping[str, str]


class Display:
    """Holds the newest cycle for whoever asks."""

    def __init__(
        self,
        *,
        site: Site,
        before: Cycle,
        heading: Mapping[str, object],
        cast: Cast,
        quality: Callable[[str, float], str],
        links: Describe,
        status: Describe,
        planning: Callable[[float], PlanStatus],
        trend: Trend,
        keep_trend: Callable[[int, Mapping[str, float | None]], None],
    ) -> None:
        self._site = site
        self._reserve = _reserve(site)
        self._heading = heading
        self._devices = cast.devices
        self._kinds = cast.kinds
        self._names = {load.device: load.id for load in site.loads}
        self._points = cast.points
        self._quality = quality
        self._links = links
        self._status = status
        self._planning = planning
        self._trend = trend
        self._keep_trend = keep_trend
        self._cycle = before  # what is shown until the first cycle
        self._turned = asyncio.Event()
        self._late_ms: deque[float] = deque(maxlen=100_000)

    def show(self, cycle: Cycle) -> None:
        """Take the newest cycle."""
        self._cycle = cycle
        self._late_ms.append(cycle.late_ms)
        flow = self._flow(cycle)
        values = {**flow, "soc": self._soc(cycle)}
        done = self._trend.add(cycle.state.utc_s, values)
        if done is not None:
            self._keep_trend(*done)
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    def state(self) -> dict[str, object]:
        """The newest cycle as JSON values."""
        cycle = self._cycle
        return {
            "cycle": cycle.number,
            "time": datetime.fromtimestamp(cycle.state.utc_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            **self._heading,
            "flow": self._flow(cycle),
            "soc": self._soc(cycle),
            "reserve": self._reserve,
            "devices": [self._device(cycle, device) for device in self._devices],
            "setpoint": _setpoint(cycle.setpoint) if cycle.setpoint else None,
            "setpoints": [self._told(setpoint) for setpoint in cycle.setpoints],
            "plan": self._plan_in_short(),
            **self._links(),
        }

    def trend(self, hours: float) -> dict[str, list[float | None]]:
        """Columns of the last hours."""
        return self._trend.since(self._cycle.state.utc_s - 3600 * hours)

    def plan(self) -> dict[str, object]:
        """The plan from its present slot on, in fractions of all batteries together."""
        utc_s = self._cycle.state.utc_s
        return told(self._planning(utc_s), self._site.batteries, utc_s, self._kinds)

    def status(self) -> dict[str, object]:
        """Measures of the gateway itself."""
        return {"cycles": self._cycle.number, "cycle_late_ms": percentiles(self._late_ms), **self._status()}

    async def changed(self, after: int) -> int:
        """Wait for a cycle above `after`."""
        while self._cycle.number <= after:
            await self._turned.wait()
        return self._cycle.number

    def _plan_in_short(self) -> dict[str, object]:
        """Enough to see that there is a new one."""
        status = self._planning(self._cycle.state.utc_s)
        return {"made_s": status.plan.made_s if status.plan else None}

    def _told(self, setpoint: SetPoint) -> dict[str, object]:
        """A set-point with what people call its device: the id of a load's section stands above that of its device."""
        name = self._names.get(setpoint.device, setpoint.device)
        role = self._devices[setpoint.device]["role"]
        return {**_setpoint(setpoint), "name": name, "kind": self._kinds.get(name), "role": role}

    def _flow(self, cycle: Cycle) -> dict[str, float | None]:
        state, site = cycle.state, self._site
        pv = [state.value(device, "p_w", max_age_s=SHOWN_S) for device in site.pv]
        batteries = [state.value(battery.id, "p_w", max_age_s=SHOWN_S) for battery in site.batteries]
        return {
            "grid_w": state.value(site.grid, "p_w", max_age_s=SHOWN_S),
            "pv_w": _sum(pv),
            "battery_w": _sum(batteries),
            "load_w": cycle.load_w,
            **self._loads_flow(state),
        }

    def _loads_flow(self, state: SiteState) -> dict[str, float | None]:
        """What planned loads draw, which is no part of the building's own load; nothing in a building without them."""
        if not self._site.loads:
            return {}
        return {"loads_w": _sum([state.value(load.device, "p_w", max_age_s=SHOWN_S) for load in self._site.loads])}

    def _soc(self, cycle: Cycle) -> float | None:
        batteries = self._site.batteries
        charges = [cycle.state.value(battery.id, "soc", max_age_s=60.0) for battery in batteries]
        stored = [None if soc is None else soc * b.capacity_wh for soc, b in zip(charges, batteries, strict=True)]
        if len(charges) == 1:
            return charges[0]
        stored_wh = _sum(stored)
        return None if stored_wh is None else stored_wh / sum(battery.capacity_wh for battery in batteries)

    def _device(self, cycle: Cycle, device: str) -> dict[str, object]:
        now_s = cycle.state.now_s
        power = cycle.state.reading(device, "p_w")
        quality = self._quality(device, now_s)
        why = power.why or ("stale" if quality == "stale" else None)
        readings = [(name, cycle.state.reading(device, name)) for name in self._points[device]]
        return {
            "id": device,
            **self._devices[device],
            "quality": quality,
            "age_s": _age(power, now_s),
            "why": why,
            "points": [
                {"name": name, "value": reading.value, "age_s": _age(reading, now_s), "why": reading.why}
                for name, reading in readings
            ],
        }


def percentiles(values: Sequence[float] | deque[float]) -> dict[str, float | None]:
    """Median and 99th percentile; None without values."""
    ordered = sorted(values)
    if not ordered:
        return {"median": None, "p99": None}
    return {"median": ordered[len(ordered) // 2], "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]}


def _setpoint(setpoint: SetPoint) -> dict[str, object]:
    reason = {"code": setpoint.reason.code, "numbers": dict(setpoint.reason.numbers)}
    return {
        "device": setpoint.device,
        "power_w": setpoint.power_w,
        "mode": setpoint.mode.value,
        "reason": reason,
    }


def _age(reading: Reading, now_s: float) -> float | None:
    return None if math.isinf(reading.measured_s) else round(now_s - reading.measured_s, 2)


def _reserve(site: Site) -> float:
    """Share that all batteries together keep back."""
    whole_wh = sum(battery.capacity_wh for battery in site.batteries)
    kept_wh = sum(battery.reserve * battery.capacity_wh for battery in site.batteries)
    return kept_wh / whole_wh if whole_wh else 0.0


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum; None without values and where one is missing."""
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
