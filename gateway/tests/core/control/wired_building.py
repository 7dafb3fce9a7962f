"""A building with three phases and circuits in steps of a second, written apart from what controls it.

Its devices do what they are sent late, in part, or not at all; its meters are late, noisy and silent at times.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reading, SetPoint, SiteState

UTC_S = 1_718_985_600.0
Phases = tuple[float, float, float]
EVEN: Phases = (1 / 3, 1 / 3, 1 / 3)


def on(*phases: int) -> Phases:
    """Spread over these phases alike."""
    a, b, c = (1 / len(phases) if phase in phases else 0.0 for phase in (1, 2, 3))
    return a, b, c


@dataclass
class Wired:
    """A device: follows `dead_s` after an order, by `ramp_w` a second, no further than what it can; or ignores all.

    `low_w` to `high_w`: what it can be at now, whatever it is told. `own_w`: what it does when nobody commands it.
    `share`: of a power that is ordered, what it makes of it (a car that draws one phase of three).
    """

    phases: Phases = EVEN
    dead_s: int = 1
    ramp_w: float = 1e9
    low_w: float = 0.0
    high_w: float = 1e9
    own_w: float = 0.0
    share: float = 1.0
    obeys: bool = True
    every_s: int = 1
    shows_phases: bool = False
    points: dict[str, float] = field(default_factory=dict)
    power_w: float = 0.0
    is_ordered: bool = False
    silent_s: int = 0
    orders: deque[tuple[int, float | None]] = field(default_factory=deque)
    goal_w: float | None = None

    def order(self, power_w: float | None, t: int) -> None:
        self.orders.append((t + self.dead_s, power_w))

    def advance(self, t: int) -> None:
        while self.orders and self.orders[0][0] <= t:
            self.goal_w = self.orders.popleft()[1]
        goal_w = self.own_w if self.goal_w is None or not self.obeys else self.share * self.goal_w
        goal_w = min(max(goal_w, self.low_w), self.high_w)
        self.power_w += min(max(goal_w - self.power_w, -self.ramp_w), self.ramp_w)
        self.power_w = min(max(self.power_w, self.low_w), self.high_w)


@dataclass
class Trunk:
    """A circuit: what hangs on it without being known, and the devices behind it."""

    devices: frozenset[str]
    base_w: Callable[[int], Phases] = lambda _t: (0.0, 0.0, 0.0)
    meter: str | None = None


@dataclass
class WiredBuilding:
    """`base_w`: of each phase, all but devices and circuits. `trunks` by circuit id. A cycle each second."""

    site: Site
    devices: dict[str, Wired]
    base_w: Callable[[int], Phases] = lambda _t: (100.0, 100.0, 100.0)
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    requests: Mapping[str, LoadSlot] = field(default_factory=dict)
    slot: Slot | None = None
    late_s: int = 1
    noise_w: float = 3.0
    seed: int = 1
    t: int = 0
    memory: Memory = field(default_factory=Memory)
    truth: list[dict[str, Phases]] = field(default_factory=list)  # by circuit id; "" the connection
    sent: list[dict[str, SetPoint]] = field(default_factory=list)
    reports: dict[str, dict[str, Reading]] = field(default_factory=dict)
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.t += 1
            for device in self.devices.values():
                device.advance(self.t)
            self.truth.append(self._flows())
            self._report()
            self._decide()

    def grid_w(self, since_s: int = 0) -> list[float]:
        """All phases together, from a second on."""
        return [sum(flows[""]) for flows in self.truth[since_s:]]

    def phase_w(self, phase: int, since_s: int = 0) -> list[float]:
        """One phase of the connection, from a second on."""
        return [flows[""][phase - 1] for flows in self.truth[since_s:]]

    def last(self, device: str) -> SetPoint:
        return self.sent[-1][device]

    def _flows(self) -> dict[str, Phases]:
        total = list(self.base_w(self.t))
        found: dict[str, Phases] = {}
        for id_, trunk in self.trunks.items():
            flow = trunk.base_w(self.t)
            total = [a + b for a, b in zip(total, flow, strict=True)]
            found[id_] = _sum(flow, [self.devices[device] for device in trunk.devices])
        found[""] = _sum((total[0], total[1], total[2]), list(self.devices.values()))
        return found

    def _report(self) -> None:
        seen = self.truth[max(len(self.truth) - 1 - self.late_s, 0)]
        self._meter(self.site.grid, seen[""])
        for id_, trunk in self.trunks.items():
            if trunk.meter is not None:
                self._meter(trunk.meter, seen[id_])
        for id_, device in self.devices.items():
            if self.t % device.every_s or device.silent_s > 0:
                device.silent_s -= 1
                continue
            points = {"p_w": device.power_w, **device.points}
            if device.shows_phases:
                points |= {f"p_l{i}_w": device.power_w * share for i, share in enumerate(device.phases, start=1)}
            self.reports[id_] = {name: Reading(value=value, measured_s=float(self.t)) for name, value in points.items()}

    def _meter(self, id_: str, phases_w: Phases) -> None:
        shown = [w + self.draw.uniform(-self.noise_w, self.noise_w) for w in phases_w]
        points = {"p_w": sum(shown), **{f"p_l{i}_w": w for i, w in enumerate(shown, start=1)}}
        self.reports[id_] = {name: Reading(value=value, measured_s=float(self.t)) for name, value in points.items()}

    def _decide(self) -> None:
        state = SiteState(now_s=float(self.t), utc_s=UTC_S + self.t, devices=dict(self.reports))
        setpoints, self.memory = decide(state, self.site, self.slot, self.memory, self.requests)
        for setpoint in setpoints:
            if setpoint.mode is not Mode.WATCH:
                self.devices[setpoint.device].order(setpoint.power_w, self.t)
        self.sent.append({setpoint.device: setpoint for setpoint in setpoints})


def _sum(flow: Phases, devices: Sequence[Wired]) -> Phases:
    a, b, c = (flow[i] + sum(device.power_w * device.phases[i] for device in devices) for i in range(3))
    return a, b, c
