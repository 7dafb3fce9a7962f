"""What the grid meter believes and shows: the truth with its error, at times frozen or late."""

import random
from collections import deque
from dataclasses import dataclass, replace

from gateway.simulator.device_faults import MeterPhasesSwapped, MeterSignFlipped, MeterSpike
from gateway.simulator.faults import ActiveFaults, MeterFrozen, MeterLate
from gateway.simulator.physics.building import State
from gateway.simulator.settings.config import MeterSettings

HISTORY_S = 60.0  # the oldest value that a late meter can show
# How the devices are on the three phases: the building unevenly, the inverter on all three, the battery on the first.
LOAD_SHARES = (0.5, 0.3, 0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The meter's picture: import positive, W for the three phases and their sum, counters in Wh, mains in Hz."""

    taken_s: float
    total_w: float
    phases_w: tuple[float, float, float]
    import_wh: float
    export_wh: float
    frequency_hz: float


Wiring = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""For each phase of the meter: the wire that its current transformer is on, and whether it sees it straight (1, -1)."""
STRAIGHT: Wiring = ((0, 1), (1, 1), (2, 1))


def phases_w(state: State) -> tuple[float, float, float]:
    """What flows from the grid on the three phases, W; their sum is the grid power."""
    first, second, third = (
        state.base_load_w * share + state.pv_w / 3.0 + load_w
        for share, load_w in zip(LOAD_SHARES, state.loads_phases_w, strict=True)
    )
    return first + state.battery_w, second, third


def wiring_of(faults: ActiveFaults) -> Wiring:
    """As the meter is wired now."""
    flipped, swapped = faults.find(MeterSignFlipped, "meter"), faults.find(MeterPhasesSwapped, "meter")
    if flipped is None and swapped is None:
        return STRAIGHT
    wires = [0, 1, 2]
    if swapped:
        one, other = swapped.first - 1, swapped.second - 1
        wires[one], wires[other] = wires[other], wires[one]
    signs = [-1 if flipped and flipped.phase in (None, phase) else 1 for phase in (1, 2, 3)]
    return (wires[0], signs[0]), (wires[1], signs[1]), (wires[2], signs[2])


class MeterDisplay:
    """Takes the building's state at each step and keeps what the registers show."""

    def __init__(self, settings: MeterSettings, *, seed: int, first: State) -> None:
        self._settings = settings
        self._random = random.Random(f"meter {seed}")
        self._history: deque[Shown] = deque()
        self._counted = (0.0, 0.0)  # Wh of the building that its counters have in them
        self._energy_wh = (settings.import_wh, settings.export_wh)
        self.shown = self._measure(first, wiring=STRAIGHT)

    def take(self, state: State, faults: ActiveFaults) -> None:
        """Let the meter see a state."""
        measured = self._measure(state, wiring=wiring_of(faults))
        spike = faults.find(MeterSpike, "meter")
        if spike:
            measured = replace(measured, total_w=spike.w, phases_w=(spike.w / 3.0, spike.w / 3.0, spike.w / 3.0))
        self._history.append(measured)
        while self._history[0].taken_s < state.elapsed_s - HISTORY_S:
            self._history.popleft()
        late = faults.find(MeterLate, "meter")
        if faults.find(MeterFrozen, "meter"):
            return
        if late is None:
            self.shown = measured
        elif state.elapsed_s - self.shown.taken_s >= late.max_s:
            self.shown = self._seen_at(state.elapsed_s - late.min_s)

    def _measure(self, state: State, *, wiring: Wiring) -> Shown:
        gain = 1.0 + self._settings.error
        noise_w = self._random.gauss(0.0, self._settings.noise_w) / 3.0
        wires_w = [gain * power_w + noise_w for power_w in phases_w(state)]
        first_w, second_w, third_w = (sign * wires_w[wire] for wire, sign in wiring)
        seen_w = (first_w, second_w, third_w)
        self._count(state, gain=gain, seen_w=sum(seen_w), is_straight=wiring is STRAIGHT)
        return Shown(
            taken_s=state.elapsed_s,
            total_w=sum(seen_w),
            phases_w=seen_w,
            import_wh=self._energy_wh[0],
            export_wh=self._energy_wh[1],
            frequency_hz=mains_hz(state.utc_s) + self._random.gauss(0.0, 0.002),
        )

    def _count(self, state: State, *, gain: float, seen_w: float, is_straight: bool) -> None:
        """Its counters go on by what it measures; the building keeps the true ones."""
        imported_wh, exported_wh = state.import_wh - self._counted[0], state.export_wh - self._counted[1]
        self._counted = (state.import_wh, state.export_wh)
        if not is_straight:
            grid_wh = abs(state.grid_w)
            share = abs(seen_w) / (gain * grid_wh) if grid_wh else 1.0
            moved_wh = (imported_wh + exported_wh) * share
            imported_wh, exported_wh = (moved_wh, 0.0) if seen_w > 0.0 else (0.0, moved_wh)
        before_wh = self._energy_wh
        self._energy_wh = (before_wh[0] + gain * imported_wh, before_wh[1] + gain * exported_wh)

    def _seen_at(self, moment_s: float) -> Shown:
        """The newest picture that is at least that old."""
        older = [shown for shown in self._history if shown.taken_s <= moment_s]
        return older[-1] if older else self._history[0]


def mains_hz(utc_s: float) -> float:
    """The grid's frequency: wanders by 20 mHz around 50 Hz over some minutes."""
    beat = (utc_s % 331.0) / 331.0
    return 50.0 + 0.04 * abs(2.0 * beat - 1.0) - 0.02
