"""The composition root: the only place where everything is known and put together."""

import asyncio
import contextlib
import logging
import resource
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway import __version__
from gateway.adapters.broker import Address, Broker, Will
from gateway.adapters.building import Actuator, Building
from gateway.adapters.clock import SystemClock
from gateway.adapters.influx import Forwarder
from gateway.adapters.ledger import Ledger
from gateway.adapters.nodes import NodeDesk, OrderBook
from gateway.adapters.outbox import Outbox
from gateway.adapters.tables import NodeTable, Wiring, compile_table
from gateway.core.site import Battery, Site
from gateway.display import Display, Trend, percentiles
from gateway.loop import Loop
from gateway.ports import Cycle
from gateway.settings import DeviceSection, Mistake, SiteFile, SiteFileError
from gateway.web.app import create_app
from gateway.web.server import serve
from gateway.wire.records import EPOCH_2000

_log = logging.getLogger(__name__)

LEAVE_S = 5.0  # what the last words may take
KEY_HEX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must not stand in a file: from the environment."""

    broker_password: str | None
    node_keys: Mapping[str, bytes]
    influx_token: str | None

    @classmethod
    def read(cls, file: SiteFile, environment: Mapping[str, str]) -> "Secrets":
        """Secrets of a site. Raises SiteFileError naming every variable that is missing or malformed."""
        keys = {node: environment.get(_key_name(node), "") for node in file.nodes}
        mistakes = [
            Mistake(
                path=_key_name(node), found=f"{len(key)} characters", allowed="64 hexadecimal digits in the environment"
            )
            for node, key in keys.items()
            if len(key) != KEY_HEX or not all(c in "0123456789abcdefABCDEF" for c in key)
        ]
        token = environment.get("ZEN_INFLUX_TOKEN")
        if file.database is not None and not token:
            mistakes.append(Mistake(path="ZEN_INFLUX_TOKEN", found="nothing", allowed="a token of the database"))
        if mistakes:
            raise SiteFileError(file.path, mistakes)
        return cls(
            broker_password=environment.get("ZEN_BROKER_PASSWORD"),
            node_keys={node: bytes.fromhex(key) for node, key in keys.items()},
            influx_token=token,
        )


def tables(file: SiteFile) -> dict[str, NodeTable]:
    """The poll table of each node."""
    lease_ms = 1000 * file.control.lease_s
    wirings = {id_: _wiring(file, id_, device) for id_, device in file.devices.items()}
    return {
        node: compile_table(node, [w for id_, w in wirings.items() if file.devices[id_].node == node], lease_ms)
        for node in file.nodes
    }


def core_site(file: SiteFile) -> Site:
    """The building as the core knows it."""
    by_role = {role: [id_ for id_, d in file.devices.items() if d.role == role] for role in ("grid", "pv", "battery")}
    control = file.control
    return Site(
        grid=by_role["grid"][0],
        pv=tuple(by_role["pv"]),
        battery=_battery(file, by_role["battery"][0]) if by_role["battery"] else None,
        grid_setpoint_w=control.grid_setpoint_w,
        import_limit_w=control.import_limit_w,
        export_limit_w=control.export_limit_w,
        meter_delay_s=(control.meter_delay_min_s, control.meter_delay_max_s),
    )


class Gateway:
    """All parts of one gateway, built and wired; `writes` off only looks."""

    def __init__(self, file: SiteFile, secrets: Secrets, *, clock: SystemClock, writes: bool = True) -> None:
        """Raises OutboxError when the store cannot be opened."""
        self.file = file
        self.clock = clock
        self.outbox = Outbox(_store_path(file), max_mb=file.store.max_mb)
        self.building = _building(file, secrets, self.outbox, clock, writes=writes)
        self.broker = _broker(file, secrets, self.building, writes=writes)
        self.building.attach(self.broker)
        self.forwarder = _forwarder(file, secrets, self.outbox)
        self._waiting = 0
        self._finished_steps: asyncio.Queue[tuple[int, Mapping[str, float | None]]] = asyncio.Queue(maxsize=1000)
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
        async with serve(app, host=self.file.page.host, port=self.file.page.port) as address, _stopping(stop) as tasks:
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
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.loop.release()
                await self.building.keep([])
                await self.building.leave()
        raise _Left

    async def _keep_trend(self) -> None:
        while True:
            t, values = await self._finished_steps.get()
            await self.outbox.keep_trend(t, values)
            self._waiting = await self.outbox.waiting()

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
                        "up": desk.up,
                        "age_s": round(min(now_s - desk.seen_s, 86400.0), 1),
                        "lost": desk.ledger.lost,
                    }
                    for node, desk in self.building.desks.items()
                ],
            },
            "database": {
                "configured": forwarder is not None,
                "waiting": self._waiting,
                "error": forwarder.error if forwarder else None,
            },
        }

    def _status(self) -> Mapping[str, object]:
        orders = self.building.orders
        return {
            "instance": self.outbox.instance(),
            "orders": {
                "sent": orders.sent,
                "applied": orders.applied,
                "refused": orders.refused,
                "failed": orders.failed,
            },
            "latency_ms": percentiles(orders.latency_ms),
            "nodes": {
                node: {**desk.ledger.counts(), "malformed": desk.malformed, "health": desk.health}
                for node, desk in self.building.desks.items()
            },
            "database": {"written": self.forwarder.written if self.forwarder else 0, "dropped": self.outbox.dropped},
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


def _building(file: SiteFile, secrets: Secrets, outbox: Outbox, clock: SystemClock, *, writes: bool) -> Building:
    by_node = tables(file)
    roles = {id_: device.role for id_, device in file.devices.items()}
    desks = {
        node: NodeDesk(
            site_id=file.site.id,
            table=table,
            roles=roles,
            ledger=Ledger.opened(outbox.ledger(node)),
            proven=outbox.proven(table.identity),
        )
        for node, table in by_node.items()
    }
    actuators = {
        device: Actuator(
            node=node,
            number=number,
            key=secrets.node_keys[node],
            profile=file.profiles[device],
            ttl_ms=1000 * file.control.lease_s,
        )
        for node, table in by_node.items()
        for device, number in table.actuators.items()
    }
    session = outbox.next_session(int(clock.utc_s()) - EPOCH_2000) if writes else 0
    return Building(
        site_id=file.site.id,
        grid=core_site(file).grid,
        clock=clock,
        desks=desks,
        keys=secrets.node_keys,
        actuators=actuators,
        outbox=outbox,
        orders=OrderBook(session=session),
        writes=writes,
    )


def _broker(file: SiteFile, secrets: Secrets, building: Building, *, writes: bool) -> Broker:
    section = file.broker
    address = Address(
        host=section.host,
        port=section.port,
        identity=f"zev-{file.site.id}-{building.instance}",
        keeps_session=writes,
        user=section.user,
        password=secrets.broker_password,
        ca=section.ca,
    )
    will = Will(topic=building.presence, payload=building.presence_payload(up=False)) if writes else None
    return Broker(address, will=will, subscriptions=building.subscriptions)


def _forwarder(file: SiteFile, secrets: Secrets, outbox: Outbox) -> Forwarder | None:
    section = file.database
    if section is None or secrets.influx_token is None:
        return None
    return Forwarder(url=section.url, org=section.org, bucket=section.bucket, token=secrets.influx_token, lines=outbox)


def _wiring(file: SiteFile, id_: str, device: DeviceSection) -> Wiring:
    profile = file.profiles[id_]
    bus: dict[str, object] = {"timeout_ms": profile.reply_timeout_ms, "gap_ms": profile.gap_ms}
    if device.bus is not None:
        line = file.nodes[device.node].buses[device.bus]
        serial = {"port": device.bus, "baud": line.baud, "parity": line.parity, "stop": line.stop_bits}
        bus = {"kind": "rtu", **serial, **bus}
    else:
        default = profile.links.tcp.port if profile.links.tcp else 502
        bus = {"kind": "tcp", "host": device.host, "port": device.tcp_port or default, **bus}
    battery = device.battery
    range_w = (-battery.discharge_max_w, battery.charge_max_w) if battery else None
    return Wiring(device=id_, profile=profile, bus=bus, unit=device.unit, range_w=range_w)


def _battery(file: SiteFile, id_: str) -> Battery:
    section = file.devices[id_].battery
    assert section is not None  # noqa: S101 - the site file was checked
    return Battery(id=id_, reserve=file.control.reserve, **section.model_dump())


def _store_path(file: SiteFile) -> Path:
    return file.path.parent / file.store.path


def _key_name(node: str) -> str:
    return f"ZEN_KEY_{node.upper().replace('-', '_')}"


def _rss_mb() -> float:
    """Resident memory now (Linux: second field of statm, in pages)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)
