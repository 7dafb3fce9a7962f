"""The whole node, put together: what a poll table says is read, what is read is sent, what is ordered is done.

Any error that is not the weather of buses and networks is a mistake of ours: safe values, then a restart.
"""

import asyncio
import binascii
import gc
import json
import os
import sys

import wire
from micropython import const
from node import hal
from node.clock import Clock
from node.link import DEAF_S, Link
from node.orders import Orders
from node.plant import Plant
from node.ring import Ring
from wire import topics
from wire.orders import SAFE
from wire.seal import unseal

_FIRMWARE = const("0.1.0")
_TABLE = const("table.json")
_RING_BYTES = const(6600)  # 48 s without a broker for four blocks of ten registers a second
_GOODBYE_MS = const(3000)


class App:
    identity = 0  # of the table in use; 0: none
    coming = None  # (text, identity, plant) of a table that is to replace it
    refusal = ""  # why the last one was not taken
    failure = None
    linked = None  # the task of the link

    def __init__(self, conf, say):
        self.boot = int.from_bytes(os.urandom(4), "big") & 0x7FFFFFFF
        self.clock = Clock()
        size = conf.get("ring_bytes", _RING_BYTES)  # the biggest piece first
        if conf.get("spill_kb"):
            from node.spill import Spill  # noqa: PLC0415  most nodes have no room for it

            self.ring = Spill(size, self.boot, self.clock, conf, Forgetful())
        else:
            self.ring = Ring(size, self.boot, self.clock)
        self.conf = conf
        self.say = say
        self.orders = Orders(binascii.unhexlify(conf["key"]), self.boot, self.clock)
        site, node = conf["site"], conf["node"]
        handlers = {
            topics.topic(site, node, topics.SET).encode(): self.orders.receive,
            topics.topic(site, node, topics.CFG).encode(): self._configure,
            topics.topic(site, topics.GATEWAY, topics.STATE).encode(): self._gateway,
        }
        self.link = Link(conf, self.ring, handlers, self.health, say)
        self.orders.answer = self.link.answer
        self.plant = self._build(dict.fromkeys(("buses", "units", "blocks", "actuators"), ()))
        self.change = asyncio.Event()

    async def run(self):
        self._spawn(hal.network(self.conf))
        self._spawn(self.clock.run(self.conf, nothing))
        self._load()
        self.linked = self._spawn(self.link.run(nothing))
        while True:
            self.plant.start(self._spawn)
            state = {"up": True, "boot": self.boot, "table": self.identity, "fw": _FIRMWARE}
            self.link.announce(json.dumps(state))
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

    def health(self):
        gc.collect()
        self.clock.tick()
        return {
            "boot": self.boot,
            "uptime_s": self.clock.uptime_s,
            "heap_free": gc.mem_free(),
            "clock": self.clock.quality,
            "ring": self.ring.health(),
            "heard": self.clock.uptime_s - self.link.heard_s <= DEAF_S,
            "unheard_s": self.clock.uptime_s - self.link.heard_s,
            "units": [unit.health() for unit in self.plant.units],
            "orders": self.orders.counts,
            "cfg": self.refusal,
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
        with open(_TABLE + ".new", "w") as file:
            file.write(text)
        os.rename(_TABLE + ".new", _TABLE)
        gc.collect()

    def _gateway(self, payload, _retained):
        """The gateway's own state: when the one that we obey is gone, no lease outlives it."""
        try:
            said = json.loads(bytes(payload))
            self.link.gateway_up = said["up"] is True
            gone = not said["up"] and said["sid"] == self.orders.sid
        except Exception:  # not a message of ours
            return
        if gone:
            self.orders.leave(SAFE)


class Forgetful:
    """In the place of the memory that outlives a restart, until there is one."""

    def get(self, _key):
        return 0

    def put(self, _key, _value):
        pass


def nothing():
    """The check-in of a task that nobody watches yet."""


def start(say):
    """Runs the node for ever; Ctrl-C ends it with safe values."""
    with open("node.json") as file:
        app = App(json.load(file), say)
    try:
        asyncio.run(app.run())
    except BaseException as error:
        asyncio.get_event_loop().run_until_complete(app.stop())
        if not isinstance(error, KeyboardInterrupt):
            sys.print_exception(error)
            hal.reset()
