"""What the grid meter believes and shows: the truth with its error, at times frozen or late."""

import random
from collections import deque
from dataclasses import dataclass

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


class MeterDisplay:
    """Takes the building's state at each step and keeps what the registers show."""

    def __init__(self, settings: MeterSettings, *, seed: int, first: State) -> None:
        self._settings = settings
        self._random = random.Random(f"meter {seed}")
        self._history: deque[Shown] = deque()
        self.shown = self._measure(first)

    def take(self, state: State, faults: ActiveFaults) -> None:
        """Let the meter see a state."""
        measured = self._measure(state)
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

    def _measure(self, state: State) -> Shown:
        gain = 1.0 + self._settings.error
        noise_w = self._random.gauss(0.0, self._settings.noise_w) / 3.0
        first, second, third = (gain * (state.base_load_w * share + state.pv_w / 3.0) for share in LOAD_SHARES)
        loads_w = [gain * power_w for power_w in state.loads_phases_w]
        phases_w = (
            first + gain * state.battery_w + loads_w[0] + noise_w,
            second + loads_w[1] + noise_w,
            third + loads_w[2] + noise_w,
        )
        return Shown(
            taken_s=state.elapsed_s,
            total_w=sum(phases_w),
            phases_w=phases_w,
            import_wh=self._settings.import_wh + gain * state.import_wh,
            export_wh=self._settings.export_wh + gain * state.export_wh,
            frequency_hz=mains_hz(state.utc_s) + self._random.gauss(0.0, 0.002),
        )

    def _seen_at(self, moment_s: float) -> Shown:
        """The newest picture that is at least that old."""
        older = [shown for shown in self._history if shown.taken_s <= moment_s]
        return older[-1] if older else self._history[0]


def mains_hz(utc_s: float) -> float:
    """The grid's frequency: wanders by 20 mHz around 50 Hz over some minutes."""
    beat = (utc_s % 331.0) / 331.0
    return 50.0 + 0.04 * abs(2.0 * beat - 1.0) - 0.02
