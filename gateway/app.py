"""The composition root: the only place where everything is known and put together."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from gateway import __version__
from gateway.adapters.clock import SystemClock
from gateway.adapters.sntp import TimeServer, is_settled, serve_time
from gateway.adapters.store.history import Past
from gateway.adapters.store.outbox import Outbox
from gateway.loop import Loop
from gateway.observers.load_observer import LoadObserver
from gateway.observers.recorder import Recorder
from gateway.planning.process import ask
from gateway.planning.service import Planning
from gateway.ports import Cycle
from gateway.site.build import parts
from gateway.site.build.building import core_site
from gateway.site.build.feeds import outside
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.view.display import Cast, Display, Trend
from gateway.view.measures import Measures
from gateway.web.app import create_app
from gateway.web.server import serve

LEAVE_S = 5.0  # what the last words may take


class Gateway:
    """All parts of one gateway, built and wired; `writes` off only looks."""

    def __init__(self, file: SiteFile, credentials: Credentials, *, clock: SystemClock, writes: bool = True) -> None:
        """Raises OutboxError when the store cannot be opened."""
        self.file = file
        self.clock = clock
        self.site = core_site(file)
        self.outbox = Outbox(parts.store_path(file), max_mb=file.store.max_mb)
        self.past = Past(self.outbox)
        self.building = parts.building(file, credentials, self.outbox, clock, writes=writes)
        self.broker = parts.broker(file, credentials, self.building, writes=writes)
        self.building.attach(self.broker)
        self.forwarder = parts.forwarder(file, credentials, self.outbox)
        self.time = TimeServer(clock=clock, is_trusted=lambda: is_settled(file.time.settle_s))
        self.diary = Recorder(site=self.site, past=self.past)
        self.outside = outside(file, clock=clock, folder=parts.store_path(file).parent)
        self.load_observer = LoadObserver(loads=file.loads, zone=ZoneInfo(file.site.time_zone), past=self.past)
        loads = parts.loads(file, self.outside, observer=self.load_observer)
        ground = parts.ground(file, self.outside, clock=clock, building=self.building, past=self.past, loads=loads)
        self.planning = Planning(
            clock=clock, prepare=ground.collect, ask=ask, plain=loads.plain_requests, events=self.load_observer.events
        )
        self.display = self._display()
        self.loop = Loop(
            site=self.site,
            site_id=file.site.id,
            clock=clock,
            measurements=self.building,
            actuation=self.building,
            store=self.building,
            plans=self.planning,
            displays=(self.load_observer, self.display, self.diary),
            lasting=self.diary.lasting(),
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Control until `stop`; `ready` is told the page's address. Set-points are released before anything closes."""
        app = create_app(self.display)
        async with (
            serve(app, host=self.file.page.host, port=self.file.page.port) as address,
            serve_time(self.time, host=self.file.time.host, port=self.file.time.port),
            _stopping(stop) as tasks,
        ):
            tasks.create_task(self.broker.run(self.building.receive), name="broker")
            tasks.create_task(self.diary.run(), name="diary")
            tasks.create_task(self.load_observer.run(), name="loads")
            tasks.create_task(self.planning.run(), name="planning")
            for feed in self.outside.all:
                tasks.create_task(feed.run(), name="feed")
            if self.forwarder is not None:
                tasks.create_task(self.forwarder.run(), name="database")
            cycle = tasks.create_task(self.loop.run(), name="cycle")
            ready(address.url)
            tasks.create_task(self._leave_on(stop, cycle), name="leave")

    def close(self) -> None:
        """Close files and connections."""
        if self.forwarder is not None:
            self.forwarder.close()
        self.outbox.close()

    async def _leave_on(self, stop: asyncio.Event, cycle: asyncio.Task[None]) -> None:
        """The order of leaving: no more cycles, devices given back, our records safe, our absence told."""
        await stop.wait()
        cycle.cancel()
        await asyncio.wait([cycle], timeout=LEAVE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.loop.release()
                await self.building.keep([])
                await self.building.leave()
        raise _Left

    def _display(self) -> Display:
        file = self.file
        since = int(self.clock.utc_s()) - 86400
        measures = Measures(
            clock=self.clock,
            building=self.building,
            broker=self.broker,
            forwarder=self.forwarder,
            outbox=self.outbox,
            time=self.time,
        )
        return Display(
            site=self.site,
            before=Cycle(number=0, state=self.building.state(), setpoints=(), load_w=None, late_ms=0.0),
            heading={"site": file.site.model_dump(), "version": __version__},
            cast=_cast(file),
            quality=lambda device, now_s: self.building.desks[file.devices[device].node].quality(device, now_s),
            links=measures.links,
            status=measures.status,
            planning=self.planning.status,
            trend=Trend(self.past.trend(since)),
            keep_trend=self.diary.step,
        )


def _cast(file: SiteFile) -> Cast:
    return Cast(
        devices={
            id_: {"role": d.role, "title": file.profiles[id_].title, "node": d.node} for id_, d in file.devices.items()
        },
        points={id_: [point.name for point in profile.points] for id_, profile in file.profiles.items()},
        kinds={id_: section.kind for id_, section in file.loads.items()},
    )


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM end the program in good order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


class _Left(Exception):  # noqa: N818 - not an error: the way out of the task group
    """Everything is in order: the other tasks may end."""


@asynccontextmanager
async def _stopping(stop: asyncio.Event) -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that ends when `_Left` is raised in it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* _Left:
        stop.set()
