"""The readings of all nodes as the loop sees them. Fits the port Measurements."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from gateway.adapters.node.session import NodeSession
from gateway.core.model.state import SHOWN_S, Reading, SiteState
from gateway.ports import Clock

POWERS = ("p_w", "p_l1_w", "p_l2_w", "p_l3_w")  # of a device that has a meter beside it, the meter's
SHINES_W = 30.0  # far above what the meter of a sleeping inverter makes of nothing
SHONE_S = 7 * 86400.0  # so long an inverter is remembered that gave power at night


class NodeMeasurements:
    """Freezes the newest readings into a state, and wakes the loop when the grid meter has a new sample.

    `grid`: the device whose power begins a cycle. `meters`: of each device that has a meter beside it, that meter.
    `pv`: the inverters, of which a silent one gives nothing while `is_night` says so of the moment (UTC). `is_dated`:
    whether the clock may be believed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        sessions: Mapping[str, NodeSession],
        grid: str,
        meters: Mapping[str, str],
        pv: Sequence[str] = (),
        is_night: Callable[[float], bool] = lambda _: False,
        is_dated: Callable[[], bool] = lambda: True,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._grid = grid
        self._meters = meters
        self._pv = pv
        self._is_night = is_night
        self._is_dated = is_dated
        self._shone_s: dict[str, float] = {}  # by inverter: when it last gave power at an hour that should be night
        self._newest: Reading | None = None  # of the grid's power
        self._sampled = asyncio.Event()
        self._sample_s: float | None = None

    def renewed(self, now_s: float) -> None:
        """Records were read at this moment (monotonic); a new sample of the grid meter may be among them."""
        newest = self._grid_power()
        if newest is not self._newest:
            self._newest, self._sample_s = newest, now_s
            self._sampled.set()

    async def sample(self, timeout_s: float) -> float | None:
        """Wait for the next sample of the grid meter (port Measurements)."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._sampled.wait()
        except TimeoutError:
            return None
        self._sampled.clear()
        return self._sample_s

    def state(self) -> SiteState:
        """All readings, frozen (port Measurements). The power of a device that has a meter beside it is the meter's.

        What is known without having been reported has a mark: inverters at night.
        """
        now_s, utc_s = self._clock.monotonic_s(), self._clock.utc_s()
        devices: dict[str, Mapping[str, Reading]] = {}
        for session in self._sessions.values():
            devices |= {device: dict(readings) for device, readings in session.readings.items()}
        devices |= {device: _metered(devices, device, meter, now_s) for device, meter in self._meters.items()}
        is_dated = self._is_dated()
        if self._pv and is_dated and self._is_night(utc_s):
            devices |= self._at_night(devices, now_s)
        return SiteState(now_s=now_s, utc_s=utc_s, devices=devices, is_dated=is_dated)

    def _at_night(self, devices: Mapping[str, Mapping[str, Reading]], now_s: float) -> dict[str, Mapping[str, Reading]]:
        """The silent inverters, which give nothing now; but none that was seen to give something at such an hour.

        Then it is no night: the place, the time zone or a clock is wrong.
        """
        found: dict[str, Mapping[str, Reading]] = {}
        for device in self._pv:
            power = devices.get(device, {}).get("p_w")
            if _is_known(power, now_s):
                if power.value is not None and power.value < -SHINES_W:
                    self._shone_s[device] = now_s
            elif now_s - self._shone_s.get(device, -math.inf) > SHONE_S:
                night = Reading(value=0.0, measured_s=now_s, mark="night")
                found[device] = {**devices.get(device, {}), "p_w": night}
        return found

    def _grid_power(self) -> Reading | None:
        for session in self._sessions.values():
            if self._grid in session.readings:
                return session.readings[self._grid].get("p_w")
        return None


def _metered(devices: Mapping[str, Mapping[str, Reading]], device: str, meter: str, now_s: float) -> dict[str, Reading]:
    """Readings of a device with the powers that its meter reports.

    While the meter reports none: what the device reports itself; else the meter's silence, or no power at all where it
    has never said anything.
    """
    metered = devices.get(meter, {})
    own = {name: reading for name, reading in devices.get(device, {}).items() if name not in POWERS}
    report, power = devices.get(device, {}).get("p_w"), metered.get("p_w")
    if _is_known(power, now_s):
        return own | {name: reading for name, reading in metered.items() if name in POWERS}
    if _is_known(report, now_s):
        return {**own, "p_w": replace(report, mark="own")}
    return own if power is None else {**own, "p_w": power}


def _is_known(reading: Reading | None, now_s: float) -> TypeGuard[Reading]:
    """Whether there is a value that may be shown as the present one."""
    return reading is not None and reading.value is not None and now_s - reading.measured_s <= SHOWN_S
