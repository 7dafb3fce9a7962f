"""The whole node while it runs: what the parts need of each other, and what is only needed now and then."""

import asyncio
import gc
import json
import sys

from micropython import const
from node import hal, usb
from node.plant import Plant
from node.wait import Bell, after, left, lend

_GOODBYE_MS = const(3000)
_STEADY_S = const(120)  # a boot that lasted so long was not a short one
_SAFE_S = const(1800)  # after so long in safe mode the node tries again
_PATIENT_MS = const(90000)  # deadline of a check-in


class App:
    """`mode` is run, or safe: link and update only, no bus and no write. The parts are set by node/start.py."""

    clock = ring = orders = link = supervisor = linked = dog = update = None
    boot = build = 0  # of this run, of the running slot
    version = why = ""  # why the last run ended
    identity = refused = 0  # of the table in use and of the one that failed its trial; 0: none
    coming = None  # (text, identity, plant) of a table that is to replace it
    refusal = ""  # why the last one was not taken
    settled = False  # this boot is not a short one

    def __init__(self, conf, memory, mode, out):
        self.conf = conf
        self.memory = memory
        self.mode = mode
        self.out = out
        self.log = []  # (uptime in s, text) of what was said last
        self.aside = {}  # files that wait for the console's commit
        self.plant = Plant()
        self.bell = Bell()  # something has changed

    def live(self):
        """Until the node fails for good or is told to restart; Ctrl-C ends it with safe values."""
        again = True
        try:
            asyncio.run(self.supervisor.watch())
        except KeyboardInterrupt:
            again = False
        except BaseException as error:
            self.keep(repr(error))
            sys.print_exception(error)
        try:
            asyncio.get_event_loop().run_until_complete(self.stop())
        finally:
            if again:
                hal.reset()

    def network(self, beat):
        return hal.network(self.conf, beat)

    def console(self, _beat):
        return usb.listen(self)

    def keep(self, why):
        """The reason of the restart that comes."""
        try:
            self.memory.write("why", why)
        except OSError:
            pass  # full; what matters more goes on

    def say(self, text):
        """A change worth a line."""
        self.log = self.log[-4:] + [(self.clock.uptime_s, text)]
        self.out(text)

    def restart(self, why):
        """Safe values, goodbye, and from the beginning. It was wanted: not one of the short boots."""
        self.memory.put("short", 0)
        self.supervisor.end(why)

    async def stop(self):
        """Safe values, their acks, goodbye."""
        await self.plant.stop()
        self.link.stop()
        end = after(_GOODBYE_MS)  # then the will speaks for us
        while left(end) > 0 and not self.linked.task.done():
            await asyncio.sleep_ms(20)

    def push(self, block, flag, data, count):
        """One record; the link sends it."""
        self.ring.push(block, flag, data, count)
        self.link.bell.ring()

    def use(self, identity, plant):
        """Records and orders belong to this plant from now on."""
        self.plant = plant
        self.orders.actuators = plant.actuators
        self.identity = identity
        self.ring.use(identity)

    def tell(self):
        """The retained state of the node."""
        state = {
            "up": True, "boot": self.boot, "table": self.identity, "fw": self.version, "build": self.build,
            "mode": self.mode, "why": self.why,
        }  # fmt: skip
        self.link.announce(json.dumps(state))

    def health(self):
        """For the topic `health`; wire/topics.py says what is what."""
        gc.collect()
        self.clock.tick()
        plant = self.plant
        return {
            "boot": self.boot,
            "uptime_s": self.clock.uptime_s,
            "heap_free": gc.mem_free(),
            "clock": self.clock.quality,
            "ring": self.ring.health(),
            "units": [unit.health() for unit in plant.units],
            "actuators": [actuator.state() for actuator in plant.actuators],
            "orders": self.orders.counts,
            "restarts": self.supervisor.restarts,
            "heard": self.link.heard(),
            "cfg": self.refusal,
            "update": self.update and self.update.status(),
        }

    def feed(self):
        """All jobs are on time."""
        if self.dog:
            self.dog.feed()

    def configure(self, payload, _retained):
        """A message of the topic `cfg`."""
        if self.mode != "safe":
            lend("config", "take", self, payload)
            self.bell.ring()

    def gateway(self, payload, _retained):
        """The gateway's own state: when the one that we obey is gone, no lease outlives it."""
        try:
            said = json.loads(bytes(payload))
            self.link.gateway_up = said["up"] is True
            gone = not said["up"] and said["sid"] == self.orders.sid
        except Exception:  # not a message of ours
            return
        if gone:
            self.orders.leave()

    def ota(self, payload, retained):
        """A message of the topic `ota`."""
        if self.update:
            self.update.receive(payload, retained)
        else:
            lend("update", "begin", self, payload, retained)

    def chunk(self, payload, retained):
        """A message of the topic `chunk`."""
        if self.update:
            self.update.chunk(payload, retained)

    def trial(self, beat):
        """A new release proves itself."""
        return lend("trial", "prove", self, beat)

    async def changes(self, beat):
        """A new table when it comes; and remembers that this boot is a long one."""
        while True:
            beat()
            await self.bell.wait_ms(10000)
            if self.coming:
                try:
                    await lend("config", "switch", self)
                except Exception as error:  # half switched, nobody looks after the leases: safe values at the next boot
                    self.supervisor.end("switch: %r" % error)
            self.clock.tick()
            if not self.settled and self.clock.uptime_s > _STEADY_S:
                self.settled = True
                self.memory.put("short", 0)
                self.orders.wary = False
            if self.mode == "safe" and self.clock.uptime_s > _SAFE_S:
                self.supervisor.end("safe mode is over")

    def lamp(self, beat):
        """The LED and the button."""
        return lend("lamp", "watch", self, beat)
