"""A building of 20 devices at 1 Hz with its real loop, outbox, forwarder and database; its seconds may be skipped.

Only the plant is made up: what the nodes would have sent is added as rows. A second that is skipped costs no more than
its cycle takes; every cycle, skipped or not, is timed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.presence import Presence
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.core.control.memory import StoredMemory
from gateway.core.model.site import Site
from gateway.core.model.state import Reading, SiteState
from gateway.database.tags import RowOrigin
from gateway.loop import Loop
from gateway.ports import Cycle, Row
from gateway.rig.database import Database

BEGIN_S = 1_784_066_400  # UTC
ROLES = ("meter", "pv", "battery", "meter")
FIELDS = ("p_w", "e_wh", "u_v")
MAX_MB = 1024  # a day of 20 devices: 1.8 million lines, some 350 MB
ORIGIN = RowOrigin(site="s", building="s", roles={"d0": "grid"})
SITE = Site(grid="d0", pv=(), batteries=(), grid_setpoint_w=0.0, import_limit_w=1e4, export_limit_w=1e4)


class SkippingClock:
    """The real one, and the seconds that were skipped."""

    def __init__(self) -> None:
        self._begin_s = time.monotonic()
        self.skipped_s = 0.0

    def monotonic_s(self) -> float:
        return time.monotonic() + self.skipped_s

    def utc_s(self) -> float:
        return BEGIN_S + self.monotonic_s() - self._begin_s


@dataclass(kw_only=True)
class Phase:
    """What the loop was like for a while."""

    name: str
    late_ms: list[float] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)
    ended_s: float = 0.0

    def row(self) -> str:
        """Cycles, and how late they were: median, 99 of 100, worst."""
        late = sorted(self.late_ms)
        at = (late[len(late) // 2], late[len(late) * 99 // 100], late[-1])
        figures = " | ".join(f"{one:.1f}" for one in at)
        return f"| {self.name} | {self.ended_s - self.began_s:.0f} | {len(late)} | {figures} |"


class Building:
    """Measurements, plans, orders and observers of one loop, and the phases that it went through."""

    def __init__(self, folder: Path, database: Database, *, devices: int = 20) -> None:
        self.clock = SkippingClock()
        self.outbox = Outbox(folder / "store.sqlite", max_mb=MAX_MB)
        self.devices = [(f"d{i}", ROLES[i % len(ROLES)]) for i in range(devices)]
        self.persistence = NodePersistence(
            site_id="s", clock=self.clock, broker=_NO_BROKER, presence=_presence(), sessions={}, outbox=self.outbox
        )
        self.forwarder = Forwarder(
            url=database.url, org=database.org, bucket=database.bucket, token=database.token, lines=self.outbox
        )
        self.phases: list[Phase] = []
        self.seconds = 0  # that were stored
        self._due_s = self.clock.monotonic_s() + 1.0
        self._last: Cycle | None = None
        self.loop = Loop(
            site=SITE, origin=ORIGIN, clock=self.clock, measurements=self, actuation=self, persistence=self.persistence,
            link=self, plans=self, observers=(self,), lasting=StoredMemory(),
        )  # fmt: skip
        self.is_skipping = False
        self._is_over, self._at_rest = asyncio.Event(), asyncio.Event()

    async def sample(self, _timeout_s: float) -> float | None:
        """The next second's, when it is due; at once where seconds are skipped."""
        if self._is_over.is_set():
            self._at_rest.set()
            await asyncio.Event().wait()
        wait_s = self._due_s - self.clock.monotonic_s()
        if self.is_skipping:
            self.clock.skipped_s += max(0.0, wait_s)
            await asyncio.sleep(0)
        elif wait_s > 0:
            await asyncio.sleep(wait_s)
        arrived_s, self._due_s = self._due_s, self._due_s + 1.0
        self.persistence.add(self.rows(self.seconds))
        self.seconds += 1
        return arrived_s

    def rows(self, second: int) -> list[Row]:
        """What the nodes sent of a second."""
        time_ms = 1000 * (BEGIN_S + second)
        return [
            Row(
                measurement=role,
                tags={"site": "s", "device": device},
                fields={"p_w": 100.0 + second % 977, "e_wh": 1e6 + second / 3.6, "u_v": 230.0 + second % 7},
                time_ms=time_ms,
            )
            for device, role in self.devices
        ]

    def state(self) -> SiteState:
        now_s = self.clock.monotonic_s()
        readings = {"d0": {"p_w": Reading(value=100.0, measured_s=now_s)}}
        return SiteState(now_s=now_s, utc_s=self.clock.utc_s(), devices=readings)

    def slot(self, _utc_s: float) -> None:
        return None

    def requests(self, _state: SiteState) -> Mapping[str, Any]:
        return {}

    def yields_to(self) -> None:
        return None

    async def attend(self) -> None:
        pass

    async def send(self, _setpoint: object) -> None:
        raise AssertionError("there is nothing to command")

    async def answered(self) -> None:
        pass

    def show(self, cycle: Cycle) -> None:
        self.phases[-1].late_ms.append(cycle.late_ms)

    async def stop(self) -> None:
        """No more cycles; all rows are stored."""
        self._is_over.set()
        await self._at_rest.wait()
        self._cycles.cancel()
        await asyncio.wait([self._cycles])
        await self.persistence.save([])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Loop and forwarder side by side, as in the gateway."""
        self.begin("start")
        self._cycles = asyncio.create_task(self.loop.run())
        tasks = [self._cycles, asyncio.create_task(self.forwarder.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled() and task.exception():
                    raise task.exception()  # type: ignore[misc]
            self.forwarder.close()
            self.outbox.close()

    @property
    def cycles(self) -> int:
        """Those that were lived: a second that comes while one is late gets none (`NEAREST_S`)."""
        return sum(len(phase.late_ms) for phase in self.phases)

    def begin(self, name: str) -> None:
        """A new phase."""
        now_s = time.monotonic()
        if self.phases:
            self.phases[-1].ended_s = now_s
        self.phases.append(Phase(name=name, began_s=now_s))

    async def live(self, name: str, seconds: float) -> None:
        """So many real seconds."""
        self.begin(name)
        end = self.seconds + seconds
        while self.seconds < end:  # noqa: ASYNC110 - the loop has no event for it
            await asyncio.sleep(0.05)

    async def skip(self, name: str, seconds: int) -> None:
        """So many seconds as fast as they can be lived."""
        self.begin(name)
        end, self.is_skipping = self.seconds + seconds, True
        while self.seconds < end:  # noqa: ASYNC110 - the loop has no event for it
            await asyncio.sleep(0.05)
        self.is_skipping = False

    async def drain(self, name: str) -> float:
        """Until no more waits than what has just come; the real seconds that it took."""
        self.begin(name)
        began_s = time.monotonic()
        while self.outbox.waiting > 3 * len(self.devices):  # noqa: ASYNC110 - nor has the outbox
            await asyncio.sleep(0.1)
        return time.monotonic() - began_s

    def table(self) -> Sequence[str]:
        """The phases, but for the first moments."""
        self.phases[-1].ended_s = time.monotonic()
        head = ["| phase | real s | cycles | late: median ms | 99 of 100 | worst |", "|---|---|---|---|---|---|"]
        return [*head, *(phase.row() for phase in self.phases[1:] if phase.late_ms)]


class _NoBroker:
    """There is no node to be answered."""

    async def publish(self, *_: object) -> None:
        raise AssertionError("nobody is there")


_NO_BROKER: Any = _NoBroker()


def _presence() -> Presence:
    return Presence(instance="outage", session=1)
