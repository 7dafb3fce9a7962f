"""The readings of all nodes as the loop sees them. Fits the port Measurements."""

import asyncio
from collections.abc import Mapping

from gateway.adapters.node.session import NodeSession
from gateway.core.model.state import Reading, SiteState
from gateway.ports import Clock

POWERS = ("p_w", "p_l1_w", "p_l2_w", "p_l3_w")  # of a device that has a meter beside it, the meter's


class NodeMeasurements:
    """Freezes the newest readings into a state, and wakes the loop when the grid meter has a new sample.

    `grid`: the device whose power begins a cycle. `meters`: of each device that has a meter beside it, that meter.
    """

    def __init__(
        self, *, clock: Clock, sessions: Mapping[str, NodeSession], grid: str, meters: Mapping[str, str]
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._grid = grid
        self._meters = meters
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
        """All readings, frozen (port Measurements). The power of a device that has a meter beside it is the meter's."""
        devices: dict[str, Mapping[str, Reading]] = {}
        for session in self._sessions.values():
            devices |= {device: dict(readings) for device, readings in session.readings.items()}
        devices |= {device: _metered(devices, device, meter) for device, meter in self._meters.items()}
        return SiteState(now_s=self._clock.monotonic_s(), utc_s=self._clock.utc_s(), devices=devices)

    def _grid_power(self) -> Reading | None:
        for session in self._sessions.values():
            if self._grid in session.readings:
                return session.readings[self._grid].get("p_w")
        return None


def _metered(devices: Mapping[str, Mapping[str, Reading]], device: str, meter: str) -> dict[str, Reading]:
    """Readings of a device with the powers that its meter reports, or without power while that has reported none."""
    own = {name: reading for name, reading in devices.get(device, {}).items() if name not in POWERS}
    return own | {name: reading for name, reading in devices.get(meter, {}).items() if name in POWERS}
