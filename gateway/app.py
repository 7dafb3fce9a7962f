"""The composition root: the only place where everything is known and put together."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from gateway import __version__
from gateway.adapters.archive.archive import Archive
from gateway.adapters.clock import SystemClock
from gateway.adapters.site_time import SiteTime, ToldTime
from gateway.adapters.sntp import TimeServer, is_settled, is_synchronised, serve_time
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.accounts.metering import metering
from gateway.core.model.state import Reason
from gateway.loop import Loop
from gateway.observers.accountant import Accountant
from gateway.observers.battery_observer import BatteryObserver
from gateway.observers.database_observer import DatabaseObserver
from gateway.observers.decision_observer import DecisionObserver
from gateway.observers.event_observer import EventObserver
from gateway.observers.load_observer import LoadObserver
from gateway.observers.recorder import Recorder
from gateway.planning.process import ask
from gateway.planning.service import Planning
from gateway.ports import AccountSink, Cycle
from gateway.site.assembly import parts
from gateway.site.assembly.building import core_site, meters, origin_of
from gateway.site.assembly.feeds import feeds
from gateway.site.assembly.prices import PricesInForce
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.view.archive import ArchiveView
from gateway.view.collector import GatewayView
from gateway.view.labels import DeviceLabel, Labels
from gateway.view.part_figures import PartFigures
from gateway.view.schema.cycle import SiteView
from gateway.view.status import GatewayStatus
from gateway.view.trend import RecentTrend
from gateway.web.app import create_app
from gateway.web.server import serve
from gateway.words import sentence, text

_log = logging.getLogger(__name__)

LEAVE_S = 5.0  # what the last words may take
AGAIN_S = 5.0  # between a mistake of ours in a part beside the cycle, and its next attempt


class Gateway:
    """All parts of one gateway, built and wired; `writes` off only looks."""

    def __init__(self, file: SiteFile, credentials: Credentials, *, clock: SystemClock, writes: bool = True) -> None:
        """A gateway that only looks keeps what it learns in memory."""
        self.file = file
        self.site = core_site(file)
        self.outbox = Outbox(parts.store_path(file) if writes else None, max_mb=file.store.max_mb)
        self.past = HistoryStore(self.outbox)
        self.archive = Archive(parts.archive_path(file) if writes else None, zone=ZoneInfo(file.site.time_zone))
        self.clock = self._site_time(clock)
        self.nodes = parts.node_side(
            file,
            credentials,
            self.outbox,
            self.clock,
            writes=writes,
            is_dated=lambda: self.clock.is_vouched,
            is_possible=self.clock.is_possible,
        )
        self.clock.told = self._told
        self.forwarder = parts.forwarder(file, credentials, self.outbox)
        self.time = TimeServer(clock=self.clock, is_trusted=lambda: self.clock.is_vouched)
        self.recorder = Recorder(site=self.site, past=self.past, counters=self._counters)
        kept = self.recorder.counters()
        for session in self.nodes.sessions.values():
            session.counters.restore(kept, self.clock.monotonic_s())
        self.feeds = feeds(file, clock=self.clock, folder=parts.store_path(file).parent)
        self.load_observer = LoadObserver(loads=file.loads, zone=ZoneInfo(file.site.time_zone), past=self.past)
        self.battery_observer = BatteryObserver(self.site)
        self.event_observer = EventObserver(self.site, self.archive, outbox=self.outbox)
        self.planning = self._planning()
        status = self._status()
        self.view = self._view(status)
        self.database_observer = self._database_observer(status)
        self.accountant = self._accountant((self.archive, self.database_observer))
        self.loop = Loop(
            site=self.site,
            origin=origin_of(file),
            clock=self.clock,
            measurements=self.nodes.measurements,
            actuation=self.nodes.actuation,
            persistence=self.nodes.persistence,
            link=self.nodes.link,
            plans=self.planning,
            observers=(
                self.load_observer,
                self.battery_observer,
                self.accountant,
                self.view,
                self.recorder,
                DecisionObserver(self.archive),
                self.event_observer,
                self.database_observer,
            ),
            lasting=self.recorder.lasting(),
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Control until `stop`; `ready` is given the page's address. Set-points are released before anything closes."""
        page = self.file.page
        history = ArchiveView(self.archive.path, time_zone=self.file.site.time_zone)
        app = create_app(self.view, history=history, names=(page.host, *page.names))
        async with (
            serve(app, host=page.host, port=page.port) as address,
            serve_time(self.time, host=self.file.time.host, port=self.file.time.port),
            _stopping(stop) as tasks,
        ):
            for name, run in self._beside_the_cycle():
                tasks.create_task(_kept_going(name, run), name=name)
            cycle = tasks.create_task(self.loop.run(), name="cycle")
            ready(address.url)
            tasks.create_task(self._leave_on(stop, cycle), name="leave")

    def _beside_the_cycle(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs beside it for ever, by name."""
        yield "broker", lambda: self.nodes.broker.run(self.nodes.link.receive)
        yield "recorder", self.recorder.run
        yield "archive", self.archive.run
        yield "events", self.event_observer.run
        yield "loads", self.load_observer.run
        yield "accounts", self.accountant.run
        yield "planning", self.planning.run
        for feed in self.feeds.all:
            yield "feed", feed.run
        if self.forwarder is not None:
            yield "database", self.forwarder.run

    def close(self) -> None:
        """Close files and connections."""
        if self.forwarder is not None:
            self.forwarder.close()
        self.archive.close()
        self.outbox.close()

    async def _leave_on(self, stop: asyncio.Event, cycle: asyncio.Task[None]) -> None:
        """The order of leaving: no more cycles, devices given back, our records safe, our absence announced."""
        await stop.wait()
        cycle.cancel()
        await asyncio.wait([cycle], timeout=LEAVE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.loop.release()
                await self.nodes.persistence.save([])
                await self.nodes.link.attend()
                await self.nodes.link.leave()
        raise _Left

    def _site_time(self, system: SystemClock) -> SiteTime:
        settle_s = self.file.time.settle_s
        return SiteTime(
            system=system,
            is_synchronised=is_synchronised,
            is_settled=lambda: is_settled(settle_s),
            settle_s=settle_s,
            known_s=self.past.last_s(),
            is_real=not (isinstance(system, SystemClock) and system.offset_s),
        )

    def _counters(self) -> dict[str, dict[str, float]]:
        """The last values of all counters, by device."""
        found: dict[str, dict[str, float]] = {}
        for session in self.nodes.sessions.values():
            found |= session.counters.known()
        return found

    def _told(self) -> Iterable[ToldTime]:
        """What the nodes' clocks show."""
        return [session.told for session in self.nodes.sessions.values() if session.told is not None]

    def _accountant(self, sinks: Sequence[AccountSink]) -> Accountant:
        return Accountant(
            metering=metering(self.site, meters(self.file)),
            prices=PricesInForce(self.file, self.feeds, meter=self.site.grid),
            past=self.past,
            sinks=sinks,
        )

    def _planning(self) -> Planning:
        loads = parts.loads(self.file, self.feeds, observer=self.load_observer)
        collector = parts.collector(
            self.file,
            self.feeds,
            clock=self.clock,
            state=self.nodes.measurements.state,
            past=self.past,
            flexible=loads,
            batteries=self.battery_observer.usable,
            clock_is_set=lambda: self.clock.is_vouched,
        )
        return Planning(
            clock=self.clock,
            prepare=collector.collect,
            ask=ask,
            plain=loads.plain_requests,
            events=self.load_observer.events,
        )

    def _status(self) -> GatewayStatus:
        return GatewayStatus(
            clock=self.clock,
            presence=self.nodes.presence,
            broker=self.nodes.broker,
            sessions=self.nodes.sessions,
            actuation=self.nodes.actuation,
            persistence=self.nodes.persistence,
            forwarder=self.forwarder,
            outbox=self.outbox,
            time=self.time,
            time_source=lambda: self.clock.source,
            archive_trouble=lambda: self.archive.trouble,
        )

    def _database_observer(self, status: GatewayStatus) -> DatabaseObserver:
        origin, language = origin_of(self.file), self.file.site.language
        figures = PartFigures(site=self.site, origin=origin, sessions=self.nodes.sessions, status=status)
        return DatabaseObserver(
            site=self.site,
            origin=origin,
            say=lambda kind, reason: _said(language, kind, reason),
            add=self.nodes.persistence.add,
            plan=lambda utc_s: self.planning.status(utc_s).plan,
            figures=figures.rows,
            alarms=figures.alarms,
        )

    def _view(self, status: GatewayStatus) -> GatewayView:
        file = self.file
        since = int(self.clock.utc_s()) - 86400
        return GatewayView(
            site=self.site,
            labels=labels_of(file),
            before=Cycle(number=0, state=self.nodes.measurements.state(), setpoints=(), load_w=None, late_ms=0.0),
            quality=lambda device, now_s: self.nodes.sessions[file.devices[device].node].quality(device, now_s),
            parts=status,
            plan_status=self.planning.status,
            trend=RecentTrend(self.past.trend(since)),
            keep_step=self.recorder.step,
        )


def _said(language: str, kind: str, reason: Reason) -> str:
    """A reason as it is stored; troubles of the database are told on the page beside its name."""
    said = sentence(language, kind, reason.code, reason.numbers)
    of_database = kind == "trouble" and reason.code.startswith("database")
    return text(language, "alarm.database", said=said) if of_database else said


def labels_of(file: SiteFile) -> Labels:
    """What the page calls the parts of a site."""
    site = file.site
    return Labels(
        site=SiteView(id=site.id, name=site.name, time_zone=site.time_zone),
        version=__version__,
        devices={id_: _device_label(file, id_) for id_ in file.devices},
        kinds={id_: section.kind for id_, section in file.loads.items()},
    )


def _device_label(file: SiteFile, device: str) -> DeviceLabel:
    section, profile = file.devices[device], file.profiles[device]
    points = tuple(point.name for point in profile.points if not point.identity)
    return DeviceLabel(role=section.role, title=profile.title, node=section.node, points=points)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM end the program in good order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


async def _kept_going(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Whatever trips up a part beside the cycle is logged, and the part begins again: it must not end control."""
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001 - whatever it is: control goes on, and the log has all of it
            _log.exception("%s was tripped up and begins again in %.0f s", name, AGAIN_S)
        await asyncio.sleep(AGAIN_S)


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
