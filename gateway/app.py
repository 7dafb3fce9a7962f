"""The composition root: the only place where everything is known and put together."""

import asyncio
import contextlib
import logging
import resource
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import __version__
from gateway.adapters.broker import Address, Broker, Will
from gateway.adapters.building import Actuator, Building
from gateway.adapters.clock import SystemClock
from gateway.adapters.influx import Forwarder
from gateway.adapters.ledger import Ledger
from gateway.adapters.nodes import FormerTable, NodeDesk, OrderBook
from gateway.adapters.outbox import Outbox, OutboxError
from gateway.adapters.sntp import TimeServer, is_settled, serve_time
from gateway.adapters.tables import recalled, remembered
from gateway.credentials import Credentials
from gateway.display import Display, Trend, percentiles
from gateway.loop import Loop
from gateway.ports import Cycle
from gateway.settings import SiteFile
from gateway.web.app import create_app
from gateway.web.server import serve
from gateway.wire.records import EPOCH_2000
from gateway.wiring import core_site, tables

_log = logging.getLogger(__name__)

LEAVE_S = 5.0  # what the last words may take


class Gateway:
    """All parts of one gateway, built and wired; `writes` off only looks."""

    def __init__(self, file: SiteFile, credentials: Credentials, *, clock: SystemClock, writes: bool = True) -> None:
        """Raises OutboxError when the store cannot be opened."""
        self.file = file
        self.clock = clock
        self.outbox = Outbox(_store_path(file), max_mb=file.store.max_mb)
        self.building = _building(file, credentials, self.outbox, clock, writes=writes)
        self.broker = _broker(file, credentials, self.building, writes=writes)
        self.building.attach(self.broker)
        self.forwarder = _forwarder(file, credentials, self.outbox)
        self._finished_steps: asyncio.Queue[tuple[int, Mapping[str, float | None]]] = asyncio.Queue(maxsize=1000)
        self.time = TimeServer(clock=clock, is_trusted=lambda: is_settled(file.time.settle_s))
        self.display = self._display()
        self.loop = Loop(
            site=core_site(file),
            site_id=file.site.id,
            clock=clock,
            senses=self.building,
            hands=self.building,
            store=self.building,
            display=self.display,
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
            tasks.create_task(self._keep_trend(), name="trend")
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

    async def _keep_trend(self) -> None:
        while True:
            t, values = await self._finished_steps.get()
            with contextlib.suppress(OutboxError):  # told by the cycle; the chart goes on from memory
                await self.outbox.keep_trend(t, values)

    def _display(self) -> Display:
        file, site = self.file, core_site(self.file)
        since = int(self.clock.utc_s()) - 86400
        return Display(
            site=site,
            before=Cycle(number=0, state=self.building.state(), setpoint=None, load_w=None, late_ms=0.0),
            reserve=file.control.reserve,
            heading={"site": file.site.model_dump(), "version": __version__},
            devices={
                id_: {"role": d.role, "title": file.profiles[id_].title, "node": d.node}
                for id_, d in file.devices.items()
            },
            points={id_: [point.name for point in profile.points] for id_, profile in file.profiles.items()},
            quality=lambda device, now_s: self.building.desks[file.devices[device].node].quality(device, now_s),
            links=self._links,
            status=self._status,
            trend=Trend(self.outbox.trend(since)),
            keep_trend=self._finish_step,
        )

    def _finish_step(self, t: int, values: Mapping[str, float | None]) -> None:
        """A step that finds the queue full is not drawn: the chart is a convenience."""
        with contextlib.suppress(asyncio.QueueFull):
            self._finished_steps.put_nowait((t, values))

    def _links(self) -> Mapping[str, object]:
        now_s = self.clock.monotonic_s()
        forwarder = self.forwarder
        return {
            "links": {
                "broker": self.broker.is_up,
                "nodes": [
                    {
                        "id": node,
                        **desk.standing.as_json(),
                        "has_table": desk.runs_our_table,
                        "age_s": round(min(now_s - desk.seen_s, 86400.0), 1),
                        "lost": desk.ledger.lost,
                    }
                    for node, desk in self.building.desks.items()
                ],
            },
            "orders": {
                device: holding.as_json()
                for desk in self.building.desks.values()
                for device, holding in desk.holdings.items()
            },
            "database": {
                "configured": forwarder is not None,
                "waiting": self.outbox.waiting,
                "error": self.building.store_error or (forwarder.error if forwarder else None),
            },
        }

    def _status(self) -> Mapping[str, object]:
        orders = self.building.orders
        dropped = self.outbox.dropped + self.building.rows_cut
        written = self.forwarder.written if self.forwarder else 0
        return {
            "instance": self.building.presence.instance,
            "orders": {
                "sent": orders.sent,
                "applied": orders.applied,
                "refused": orders.refused,
                "failed": orders.failed,
            },
            "latency_ms": percentiles(orders.latency_ms),
            "nodes": {
                node: {
                    **desk.ledger.counts(),
                    "malformed": desk.malformed,
                    "unreadable": desk.unreadable,
                    "undatable": desk.undatable,
                    "health": desk.health,
                }
                for node, desk in self.building.desks.items()
            },
            "time": {"answered": self.time.answered, "ignored": self.time.ignored},
            "database": {"written": written, "dropped": dropped},
            "rss_mb": _rss_mb(),
            "rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


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


def _building(
    file: SiteFile, credentials: Credentials, outbox: Outbox, clock: SystemClock, *, writes: bool
) -> Building:
    by_node = tables(file)
    now = int(clock.utc_s()) - EPOCH_2000
    roles = {id_: device.role for id_, device in file.devices.items()}
    desks = {
        node: NodeDesk(
            site_id=file.site.id,
            table=table,
            roles=roles,
            ledger=Ledger.opened(outbox.ledger(node)),
            table_number=outbox.table_number(node, table.identity, now) if writes else 0,
            proven=outbox.proven(table.identity),
            former={
                identity: FormerTable(blocks=recalled(text), proven=outbox.proven(identity))
                for identity, text in outbox.remember_table(node, table.identity, remembered(table)).items()
            },
        )
        for node, table in by_node.items()
    }
    actuators = {
        device: Actuator(
            node=node,
            number=number,
            key=credentials.node_keys[node],
            profile=file.profiles[device],
            ttl_ms=1000 * file.control.lease_s,
        )
        for node, table in by_node.items()
        for device, number in table.actuators.items()
    }
    session = outbox.next_session(now) if writes else 0
    return Building(
        site_id=file.site.id,
        grid=core_site(file).grid,
        clock=clock,
        desks=desks,
        keys=credentials.node_keys,
        actuators=actuators,
        outbox=outbox,
        orders=OrderBook(session=session),
        writes=writes,
    )


def _broker(file: SiteFile, credentials: Credentials, building: Building, *, writes: bool) -> Broker:
    section = file.broker
    address = Address(
        host=section.host,
        port=section.port,
        identity=f"zev-{file.site.id}-{building.presence.instance}",
        keeps_session=writes,
        user=section.user,
        password=credentials.broker_password,
        ca=str(file.path.parent / section.ca) if section.ca else None,
    )
    will = Will(topic=building.presence_topic, payload=building.presence.payload(up=False)) if writes else None
    return Broker(address, will=will, subscriptions=building.subscriptions)


def _forwarder(file: SiteFile, credentials: Credentials, outbox: Outbox) -> Forwarder | None:
    section = file.database
    if section is None or credentials.influx_token is None:
        return None
    return Forwarder(
        url=section.url, org=section.org, bucket=section.bucket, token=credentials.influx_token, lines=outbox
    )


def _store_path(file: SiteFile) -> Path:
    return file.path.parent / file.store.path


def _rss_mb() -> float:
    """Resident memory now (Linux: second field of statm, in pages)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)
