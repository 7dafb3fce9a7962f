"""The whole node, put together: what a poll table says is read, what is read is sent, what is ordered is done.

Any error that is not the weather of buses and networks is a mistake of ours: safe values, then a restart.
"""

import asyncio
import binascii
import gc
import json
import os
import sys

import slot
import wire
from micropython import const
from node import hal, store
from node.clock import Clock
from node.link import Link
from node.orders import Orders
from node.plant import Plant
from node.ring import Ring
from wire import topics
from wire.orders import SAFE
from wire.seal import unseal

_FIRMWARE = const("0.1.0")
_STEADY_MS = const(120000)  # a boot that lasts so long was not a short one
_TABLE = const("table.json")
_RING_BYTES = const(6600)  # 48 s without a broker for four blocks of ten registers a second
_GOODBYE_MS = const(3000)


class App:
    identity = 0  # of the table in use; 0: none
    coming = None  # (text, identity, plant) of a table that is to replace it
    refusal = ""  # why the last one was not taken
    failure = None
    linked = None  # the task of the link
    update = None  # one under way

    def __init__(self, conf, say, mode="run"):
        self.mode = mode
        self.memory = slot.memory()
        self.build, self.version = running(slot.here)
        if self.memory.get("trial"):
            self.mode = "trial"
        self.boot = int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF
        self.clock = Clock()
        self.ring = Ring(conf.get("ring_bytes", _RING_BYTES), self.boot, self.clock)  # the biggest piece first
        self.conf = conf
        self.say = say
        self.orders = Orders(binascii.unhexlify(conf["key"]), self.boot, self.clock)
        site, node = conf["site"], conf["node"]
        handlers = {
            topics.topic(site, node, topics.SET).encode(): self.orders.receive,
            topics.topic(site, node, topics.CFG).encode(): self._configure,
            topics.topic(site, topics.GATEWAY, topics.STATE).encode(): self._gateway,
            topics.topic(site, node, topics.OTA).encode(): self._ota,
            topics.topic(site, node, topics.CHUNK).encode(): self._chunk,
        }
        self.link = Link(conf, self.ring, handlers, self.health, say)
        self.orders.answer = self.link.answer
        self.plant = self._build(dict.fromkeys(("buses", "units", "blocks", "actuators"), ()))
        self.change = asyncio.Event()

    async def run(self):
        self._spawn(hal.network(self.conf))
        self._spawn(self.clock.run(hal.utc, self.conf))
        self._load()
        self.linked = self._spawn(self.link.run())
        self._spawn(self._steady())
        if self.mode == "trial":
            self._spawn(self._trial())
        while True:
            if self.mode != "safe":
                self.plant.start(self._spawn)
            self._announce()
            await self.change.wait()
            self.change.clear()
            if self.failure:
                raise self.failure
            await self._switch()

    async def stop(self):
        """Safe values, their acks, goodbye."""
        await self.plant.stop()
        self.link.stop()
        if self.linked:
            try:
                await asyncio.wait_for_ms(self.linked, _GOODBYE_MS)
            except asyncio.TimeoutError:
                pass  # the will speaks for us

    def _announce(self):
        state = {"up": True, "boot": self.boot, "table": self.identity, "fw": self.version, "build": self.build}
        state.update({"mode": self.mode, "why": self.memory.text("why")})
        self.link.announce(json.dumps(state))

    async def _steady(self):
        await asyncio.sleep_ms(_STEADY_MS)
        slot.steady()

    def _fit(self):
        if self.link.mqtt.granted is None or self.link.mqtt.why:
            return "broker"
        return all(any(u.counts) for u in self.plant.units) or "bus"

    async def _trial(self):
        from node.trial import Trial  # noqa: PLC0415

        why = await Trial(self.memory, slot.here).run(_nothing, self._fit)
        if why:
            raise Restart(why)
        self.mode = "run"
        self._announce()

    def _ota(self, payload, retained):
        if not self.update:
            from node.update import Update  # noqa: PLC0415

            self.update = Update(self.conf, self.memory, self.link.note, self._safe, self.say, self.boot)
            self.update.receive(payload, retained)
            self._spawn(self._update())
        else:
            self.update.receive(payload, retained)

    def _chunk(self, payload, retained):
        if self.update:
            self.update.chunk(payload, retained)

    async def _update(self):
        if await self.update.run(_nothing):
            raise Restart("update")
        self.update = None
        for name in ("update", "trial"):
            sys.modules.pop("node." + name, None)

    async def _safe(self):
        """Every lease ended and every safe value written."""
        self.orders.leave(SAFE)
        for _ in range(30):
            if not any(one.held or one.waiting or one.leaving for one in self.plant.actuators):
                return True
            await asyncio.sleep_ms(100)
        return False

    def health(self):
        gc.collect()
        self.clock.tick()
        return {
            "boot": self.boot,
            "uptime_s": self.clock.uptime_s,
            "heap_free": gc.mem_free(),
            "clock": self.clock.quality,
            "ring": {"next": self.ring.next, "oldest": self.ring.oldest, "lost": self.ring.lost},
            "units": [unit.health() for unit in self.plant.units],
            "orders": self.orders.counts,
            "cfg": self.refusal,
            "update": self.update.status() if self.update else None,
        }

    def _spawn(self, work):
        return asyncio.create_task(self._watch(work))

    async def _watch(self, work):
        try:
            await work
        except Exception as error:
            self.failure = error
            self.change.set()

    def _push(self, block, flag, data, count):
        self.ring.push(block, flag, data, count)
        self.link.bell.ring()

    def _build(self, table):
        return Plant(table, self.conf.get("serial", {}), self._push, self.orders.report)

    def _load(self):
        """The table kept in the file, if there is one."""
        try:
            with open(_TABLE) as file:
                text = file.read()
            self._use(*self._understand(text))
        except Exception as error:  # a node without a table can be given one
            self.say("table.json: %r" % error)

    def _understand(self, text):
        """(identity, plant) of a poll table; the plant is None when it is the table in use.

        The checks are loaded for this moment only: they would take 2.5 kB of heap for ever.
        """
        from wire import table  # noqa: PLC0415

        try:
            identity = table.identity(text)
            if text and identity == self.identity:
                return identity, None
            return identity, self._build(table.parse(text))
        finally:
            del wire.table, sys.modules["wire.table"]

    def _use(self, identity, plant):
        self.plant = plant
        self.orders.actuators = plant.actuators
        self.identity = identity
        self.ring.use(identity)

    def _configure(self, payload, _retained):
        """A message of the topic `cfg`."""
        try:
            text = unseal(self.orders.key, topics.CFG, payload)
            identity, plant = self._understand(text)
            if plant:
                self.coming = (text, identity, plant)
        except Exception as error:  # whatever is wrong with it, the old one stays
            self.refusal = repr(error)
        else:
            self.refusal = ""
            if self.coming:
                self.change.set()

    async def _switch(self):
        """From the old table to the new: safe values first, and the file is always one or the other."""
        (text, identity, plant), self.coming = self.coming, None
        await self.plant.stop()
        self._use(identity, plant)
        store.save(_TABLE, text)
        gc.collect()

    def _gateway(self, payload, _retained):
        """The gateway's own state: when the one that we obey is gone, no lease outlives it."""
        try:
            said = json.loads(bytes(payload))
            gone = not said["up"] and said["sid"] == self.orders.sid
        except Exception:  # not a message of ours
            return
        if gone:
            self.orders.leave(SAFE)


class Restart(Exception):
    """Wanted, with its reason."""


def _nothing():
    pass


def running(here):
    """(build, version) of the slot in use."""
    try:
        with open(here + "/manifest.json") as file:
            manifest = json.loads(file.readline())
        return manifest["build"], manifest["version"]
    except (OSError, ValueError):
        return 0, _FIRMWARE


def start(say, mode="run"):
    """Runs the node for ever; Ctrl-C ends it with safe values."""
    app = App(store.essentials(slot.memory(), json.loads), say, mode)
    try:
        asyncio.run(app.run())
    except BaseException as error:
        asyncio.get_event_loop().run_until_complete(app.stop())
        if isinstance(error, Restart):
            say("restart: %s" % error)
            hal.reset()
        elif not isinstance(error, KeyboardInterrupt):
            sys.print_exception(error)
            hal.reset()
