"""The composition root: every part of the node is made here and handed what it needs. Forgotten once all runs."""

import binascii
import json
import os

from micropython import const
from node import hal, usb
from node.app import App, Log
from node.clock import Clock
from node.link import Link
from node.orders import Orders
from node.ring import Ring
from node.supervisor import Supervisor
from node.wait import call, forget

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Conf, Memory, Say
    from node.setup import Setup

# Those of wire.topics: a name costs memory for ever, also that of a module which is forgotten.
_TOPIC = const("zev/1/%s/%s/%s")
_SET = const("set")
_CFG = const("cfg")
_OTA = const("ota")
_CHUNK = const("chunk")
_GATEWAY = const("gateway")
_STATE = const("state")
_RING_BYTES = const(4000)  # 29 s without a broker for four blocks of ten registers a second
_WANTED = const(1)  # of slot: the self-test
_PATIENT_MS = const(90000)  # deadline of a check-in


def start(say: "Say", memory: "Memory", mode: str) -> "App | Setup":
    """The App, or the Setup of a node that has no usable configuration; `live()` runs it."""
    conf = essentials(memory)
    if memory.get("trial"):
        mode = "trial"
    if conf is None or mode == "setup":
        from node.setup import Setup

        setup = Setup(say, memory)
        setup.build, setup.version = running(memory)
        return setup
    app = assemble(conf, memory, mode, say)
    begin(app)
    forget("node.start")
    return app


def essentials(memory: "Memory") -> "Conf | None":
    """node.json, or the copy of it in the small memory, or None."""
    from node import store
    from wire import essentials as schema

    found = store.essentials(memory, schema.parse)
    forget("node.store")
    forget("wire.essentials")
    return found


def assemble(conf: "Conf", memory: "Memory", mode: str, say: "Say") -> "App":
    """The parts, knowing each other; nothing runs yet."""
    boot = int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF
    clock = Clock(conf)
    ring = a_ring(conf, boot, clock, memory, say)
    log = Log(clock, memory, say)
    topic = _TOPIC % (conf["site"], conf["node"], "")
    link = Link(conf, topic, ring, memory, log.say)
    orders = Orders(binascii.unhexlify(conf["key"]), boot, clock, memory, link.answer)
    if mode == "safe":
        orders.shut = "mode"
    elif mode == "run" and memory.get("short") > 2:
        orders.shut = "boots"  # the next one may be that of safe mode
    dog = hal.watchdog(conf.get("watchdog_ms", hal.WATCHDOG_MS))
    supervisor = Supervisor(dog.feed if dog else bool, log.keep, log.say)
    app = App(conf, memory, mode, boot, running(memory), reason(memory), log, ring, orders, link, supervisor)
    handlers = {
        (topic + _SET).encode(): (orders.receive,),
        (topic + _CFG).encode(): (call, "poll_table", "take", app),
        (topic + _OTA).encode(): (call, "update", "begin", app),
        (topic + _CHUNK).encode(): None,  # until an update begins
        (_TOPIC % (conf["site"], _GATEWAY, _STATE)).encode(): (app.gateway,),
    }
    link.serve(handlers, app.health)
    return app


def a_ring(conf: "Conf", boot: int, clock: "Clock", memory: "Memory", say: "Say") -> "Ring":
    """As large as the configuration says; on an interpreter without the memory for that, a small one."""
    size = conf.get("ring_bytes", _RING_BYTES)
    try:
        if conf.get("spill_kb"):
            from node.spill import Spill

            return Spill(size, boot, clock, conf, memory)
        return Ring(size, boot, clock)
    except MemoryError:
        say("ring_bytes: no memory for %d" % size)
        return Ring(_RING_BYTES, boot, clock)


def running(memory: "Memory") -> tuple[int, str]:
    """(build, version) of the slot in use; without slots those of a developer's tree."""
    try:
        with open(memory.here + "/manifest.json") as file:
            manifest = json.loads(file.readline())
        return manifest["build"], manifest["version"]
    except (OSError, ValueError):
        return 0, "0"


def reason(memory: "Memory") -> str:
    """Why the last run ended. A loop that blocks cannot note it: that is known from the chip."""
    why = memory.text("why")
    return why if why[:5] == "late:" or hal.reset_cause() != "watchdog" else "watchdog"


def begin(app: "App") -> None:
    """Every job under the supervisor; nothing runs before the first wait."""
    job = app.supervisor.start
    job("network", hal.network, _PATIENT_MS, what=(app.conf,))
    job("clock", app.clock.run, _PATIENT_MS)
    if app.mode != "safe":
        call("poll_table", "load", app)
    call("report", "tell", app)
    app.linked = job("link", app.link.run, _PATIENT_MS)
    job("console", usb.listen, 0, what=(app,))
    job("boots", call, _PATIENT_MS, what=("boot_count", "settle", app))
    if app.mode == "trial":
        job("trial", call, _PATIENT_MS, what=("trial", "prove", app))
    if app.mode == "run" and app.memory.get("test") == _WANTED:  # after the setup form, or a reverted update
        app.memory.put("test", 0)
        job("test", call, _PATIENT_MS, what=("selftest", "once", app))
    if "led" in app.conf or "button" in app.conf:
        job("led", call, _PATIENT_MS, what=("led_button", "watch", app))
