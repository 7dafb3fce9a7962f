"""Buildings at fixed moments, asked everything that the API answers: the texts as they go out on the wire.

`recorded.json` holds what was answered before the schema was there, key by key as in 0.1.0: clients of 0.1.0 go on.
It is never written anew.
"""

import asyncio
import json
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from gateway.adapters.broker import Message
from gateway.app import Gateway
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Plan, Slot
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.paths import config_folder
from gateway.ports import Cycle, Row
from gateway.site.credentials import Credentials
from gateway.site.file import site_file
from gateway.web.app import create_app
from gateway.web.live import LiveStreams

NOON = 1_718_971_200.0  # 2024-06-21 12:00 UTC
SLOT_S = 900.0
NODE_S = 772_286_422  # on the clock of the node, seconds since 2000: 22 s after NOON
BOOT = 7
LOADS = """
[devices.car]
role = "load"
profile = "keba_p30"
node = "cellar"
host = "127.0.0.1"
tcp_port = 15030
unit = 255

[devices.tank]
role = "load"
profile = "mypv_acthor"
node = "cellar"
host = "127.0.0.1"
tcp_port = 15031
unit = 1

[loads.car]
kind = "car"
device = "car"
capacity_kwh = 52.0
wanted_kwh = 20.0
departure = "07:00"
most_a = 16.0

[loads.water]
kind = "tank"
device = "tank"
litres = 200.0
power_w = 3000.0
least_w = 0.0
low_c = 42.0
draws = { "07:00" = 1.5, "19:00" = 2.5 }

[database]
url = "http://127.0.0.1:8086"
org = "lens"
bucket = "zen"
"""
ASKED = ("/api/state", "/api/plan", "/api/trend?hours=1", "/api/trend", "/api/status")
OF_THIS_MACHINE = re.compile(r'"(version|instance|rss_mb|rss_peak_mb)":("[^"]*"|[\d.]+)')


class StillClock:
    """Shows what it is put to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def utc_s(self) -> float:
        return NOON + self.now_s - 1000.0

    def monotonic_s(self) -> float:
        return self.now_s


@contextmanager
def building(folder: Path, *, with_loads: bool) -> Iterator[tuple[Gateway, StillClock]]:
    """The demo's gateway, with or without loads and database; it runs nothing by itself."""
    folder.mkdir()
    text = (config_folder() / "demo" / "site.toml").read_text(encoding="utf-8")
    path = folder / "site.toml"
    path.write_text(text + (LOADS if with_loads else ""), encoding="utf-8")
    token = "secret" if with_loads else None
    credentials = Credentials(broker_password=None, node_keys={"cellar": bytes(32)}, influx_token=token)
    clock = StillClock()
    gateway = Gateway(site_file.read(path), credentials, clock=clock)  # type: ignore[arg-type]
    try:
        yield gateway, clock
    finally:
        gateway.close()


def state(clock: StillClock, **devices: dict[str, float | str]) -> SiteState:
    """Values of points, or why there is none; each a quarter second older than the one before."""
    readings: dict[str, dict[str, Reading]] = {}
    for device, points in devices.items():
        readings[device] = {}
        for index, (name, found) in enumerate(points.items(), start=1):
            moment_s = clock.now_s - 0.25 * index
            readings[device][name] = (
                Reading.absent(found, moment_s) if isinstance(found, str) else Reading(value=found, measured_s=moment_s)
            )
    return SiteState(now_s=clock.now_s, utc_s=clock.utc_s(), devices=readings)


def hear(gateway: Gateway, leaf: str, **said: object) -> None:
    """A message of the node."""
    said_by_node = json.dumps(said).encode()
    gateway.nodes.link.receive(Message(topic=f"zev/1/lens-demo/cellar/{leaf}", payload=said_by_node, retained=False))


def hear_meter(gateway: Gateway, identity: int) -> None:
    """The grid meter's power and proof have come, the inverter has not answered, one record is lost."""
    watts, hertz = struct.unpack(">HH", struct.pack(">f", -1200.0)), (0x4248, 0x0000)
    rows = [
        (2, 1, 0, (*hertz, *watts, *watts)),
        (3, 0, 0, watts),
        *((4 + block, block, 1, ()) for block in range(4, 8)),
    ]
    parts = [struct.pack(">BBIIIIH", 2, len(rows), identity, BOOT, 2, NODE_S, 250)]
    for seq, block, flag, words in rows:
        parts.append(struct.pack(">IIHBBBB", seq, NODE_S, 0, 2, block, flag, len(words)))
        parts.append(struct.pack(f">{len(words)}H", *words))
    gateway.nodes.link.receive(Message(topic="zev/1/lens-demo/cellar/data", payload=b"".join(parts), retained=False))


def hear_node(gateway: Gateway) -> None:
    """The node is up, has answered orders, and says how it is."""
    identity = gateway.nodes.sessions["cellar"].table.identity
    hear(gateway, "state", up=True, boot=BOOT, table=identity, fw="0.1.0", build=848_000_000, mode="run", why="update")
    hear_meter(gateway, identity)
    orders = gateway.nodes.actuation.orders
    for _ in range(2):
        orders.order("cellar", BOOT, 0, [-1500], ttl_ms=10_000, at=NODE_S, now_s=gateway.clock.monotonic_s())
    ours = {"boot": BOOT, "sid": orders.session, "act": 0, "v": [-1500], "s": NODE_S, "ms": 0, "w": 1}
    hear(gateway, "ack", **ours, seq=1, done="applied", why="")
    hear(gateway, "ack", **ours, seq=2, done="refused", why="range")
    hear(gateway, "health", heard=False, cfg="", update={"state": "pull", "why": ""}, free=41_000, ring=[3, 0.5, None])
    hear(gateway, "test", boot=BOOT, rows=[{"step": "unit", "n": 2, "ok": False, "text": "1"}])


def plan() -> Plan:
    """Three slots from a quarter before NOON on: kept, bought, sold; a car, water and a roof."""
    levels = [
        Levels(charge_wh=0.0, reserve_wh=1000.0, fill_wh=9000.0, export_wh=9000.0),
        Levels(charge_wh=2500.0, reserve_wh=3333.0, fill_wh=8000.0, export_wh=9000.0),
        Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=4500.0, export_wh=4500.0),
    ]
    hours = {"begin_day": 1.0, "begin_clock": 360.0, "end_clock": 1320.0}
    reasons = [
        Reason(code="kept", numbers={"kept_wh": 1000.0, "worth_price": 0.19, **hours}),
        Reason(code="grid_charge", numbers={"energy_wh": 2500.0, "buy_price": 0.1635, "worth_price": 0.19, **hours}),
        Reason(code="sell", numbers={"energy_wh": 4500.0, "sell_price": 0.04, "worth_price": 0.035}),
    ]
    slots = tuple(
        Slot(
            start_s=NOON + SLOT_S * (index - 1),
            buy=(0.2081, 0.1635, 0.2081)[index],
            sell=0.04,
            levels=levels[index],
            value=0.18,
            reason=reasons[index],
            energy_wh=(None, 2750.0, 1234.5)[index],
            name=("HP", "HC", "HP")[index],
        )
        for index in range(3)
    )
    wait = LoadSlot(power_w=0.0, value=0.1, reason=Reason(code="load_turn", numbers=dict(list(hours.items())[:2])))
    due = LoadSlot(power_w=3680.04, value=0.3, reason=Reason(code="load_due", numbers={"power_w": 3680.04}))
    free = LoadSlot(power_w=-1000.0, value=0.04, reason=Reason(code="load_free"))
    return Plan(
        made_s=NOON - 890.0,
        step_s=SLOT_S,
        slots=slots,
        notes=(Reason(code="note_missed", numbers={"name": "water"}),),
        loads={"car": (wait, wait, due), "water": (due, due, wait), "pv": (free, free, free)},
    )


POINTS: dict[str, dict[str, float | str]] = {
    "grid": {"p_w": -1200.0, "e_import_wh": 1_234_560.0, "e_export_wh": 987_600.5, "f_hz": 49.98},
    "pv": {"p_w": -3400.25, "e_wh": 12_345_678.0},
    "battery": {"p_w": 1500.0, "soc": 0.53, "temp_c": "nan"},
    "car": {"p_w": 700.25, "plugged": 1.0},
    "tank": {"p_w": 0.0, "temp_c": 60.25},
}
SETPOINTS = (
    SetPoint(
        device="battery",
        power_w=1500.0,
        mode=Mode.CONTROL,
        reason=Reason(code="hold_grid_charge", numbers={"net_w": -2700.0, "target_w": 0.0, "power_w": 1500.0}),
        measured_s=999.5,
    ),
    SetPoint(
        device="car",
        power_w=0.0,
        mode=Mode.HOLD,
        reason=Reason(code="wait_load", numbers={"age_s": 6.5}),
    ),
    SetPoint(device="tank", power_w=None, mode=Mode.RELEASE, reason=Reason(code="load_blind")),
)


async def at_the_start(folder: Path) -> dict[str, str]:
    """Before the first cycle: nothing is known, nothing was ever heard."""
    with building(folder / "start", with_loads=False) as (gateway, _):
        return await answers(gateway)


async def with_everything(folder: Path) -> dict[str, str]:
    """A car, water, a plan, a node with troubles, and a database that is away."""
    with building(folder / "everything", with_loads=True) as (gateway, clock):
        gateway.planning._plan, gateway.planning._why = plan(), Reason(code="plan_late")
        for number in range(1, 24):
            clock.now_s += 1.0
            if number == 22:
                hear_node(gateway)
            powers = {**POINTS, "battery": {**POINTS["battery"], "soc": 0.5 + number / 1000}}
            cycle = Cycle(
                number=number, state=state(clock, **powers), setpoints=SETPOINTS, load_w=0.1, late_ms=number / 8
            )
            gateway.view.show(cycle)
        rows = [Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=i) for i in range(2)]
        await gateway.nodes.persistence.save(rows)
        assert gateway.forwarder is not None
        gateway.forwarder.error = "the database does not answer"
        gateway.time.answer(b"", NOON)
        return await answers(gateway)


async def without_meter(folder: Path) -> dict[str, str]:
    """The grid meter is silent, the battery does not say its charge, the plan is old: hours have passed."""
    with building(folder / "silent", with_loads=False) as (gateway, clock):
        gateway.planning._plan, gateway.planning._why = plan(), None
        reason = Reason(code="lost_meter", numbers={"age_s": 95.0})
        released = replace(SETPOINTS[0], power_w=None, mode=Mode.RELEASE, reason=reason)
        silent = {"grid": {"p_w": "timeout"}, "pv": {}, "battery": {"p_w": -20.0, "soc": "nan"}}
        for number, step_s in enumerate((1.0, 12.0, 7000.0), start=1):
            clock.now_s += step_s
            found = state(clock, **silent)  # type: ignore[arg-type]
            gateway.view.show(Cycle(number=number, state=found, setpoints=(released,), load_w=None, late_ms=0.0))
        return await answers(gateway)


async def answers(gateway: Gateway) -> dict[str, str]:
    """Everything the API says now, by its address; what belongs to the machine it runs on is left out."""
    transport = httpx.ASGITransport(app=create_app(gateway.view))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        found = {path: (await client.get(path)).text for path in ASKED}
    found["/api/live"] = await first_event(LiveStreams(gateway.view))
    return {path: OF_THIS_MACHINE.sub(r'"\1":"…"', text) for path, text in found.items()}


async def first_event(live: LiveStreams) -> str:
    """What a live stream sends up to its first state."""
    seen, sent = asyncio.Event(), b""

    async def send(message: dict[str, object]) -> None:
        nonlocal sent
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        sent += body
        if b"data: " in sent:
            seen.set()

    async def receive() -> dict[str, object]:
        await seen.wait()
        return {"type": "http.disconnect"}

    await live({"type": "http", "method": "GET"}, receive, send)  # type: ignore[arg-type]
    return sent.decode()


SCENES = {each.__name__: each for each in (at_the_start, with_everything, without_meter)}
