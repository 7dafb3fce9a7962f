"""The whole node while it runs: what the parts need of each other, and what is only needed now and then."""

import asyncio
import json
import sys

from micropython import const
from node import hal
from node.bus import Plant
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Buffer, Conf, Memory, Say
    from node.clock import Clock
    from node.link import Link
    from node.orders import Orders
    from node.ring import Ring
    from node.supervisor import Job, Supervisor
    from node.update import Update


class Log:
    """What was said last, and why the run will have ended."""

    def __init__(self, clock: "Clock", memory: "Memory", out: "Say") -> None:
        self.clock = clock
        self.memory = memory
        self.out = out
        self.lines: list[tuple[int, str]] = []  # (uptime in s, text)

    def say(self, text: str) -> None:
        """A change that deserves a line."""
        self.lines = self.lines[-4:] + [(self.clock.uptime_s, text)]
        self.out(text)

    def keep(self, why: str) -> None:
        """The reason of the restart that comes."""
        try:
            self.memory.write("why", why)
        except OSError:
            pass  # full; what matters more goes on


class App:
    """`mode` is run, trial, or safe: link and update only, no bus and no write. `why` is why the last run ended."""

    linked: "Job" = None  # the job of the link
    update: "Update" = None  # the Update that is under way
    identity = refused = 0  # of the table in use and of the one that failed its trial; 0: none
    number = 0  # of the newest table that was taken
    coming: tuple = None  # (text, identity, plant) of a table that is to replace the one in use
    switch: "Job" = None  # the job that replaces it
    refusal = ""  # why the last one was not taken
    refusals = 0  # how many were not

    def __init__(
        self,
        conf: "Conf",
        memory: "Memory",
        mode: str,
        boot: int,
        running: tuple[int, str],
        why: str,
        log: "Log",
        ring: "Ring",
        orders: "Orders",
        link: "Link",
        supervisor: "Supervisor",
    ) -> None:
        self.conf = conf
        self.memory = memory
        self.mode = mode
        self.boot = boot
        self.build, self.version = running
        self.why = why
        self.log = log
        self.say = log.say
        self.clock = log.clock
        self.ring = ring
        self.orders = orders
        self.link = link
        self.supervisor = supervisor
        self.pending: dict[str, str] = {}  # files that wait for the console's commit
        self.plant = Plant()

    def live(self) -> None:
        """Until the node fails for good or has to restart; Ctrl-C ends it with safe values."""
        again = True
        try:
            asyncio.run(self.supervisor.watch())
        except KeyboardInterrupt:
            again = False
        except BaseException as error:
            self.log.keep(repr(error))
            sys.print_exception(error)
        try:
            asyncio.run(call("shutdown", "node", self))
        finally:
            if again:
                hal.reset()

    def health(self) -> dict:
        """For the topic `health`."""
        return call("report", "health", self)

    def restart(self, why: str) -> None:
        """From the beginning, safe values first. It was wanted: this is none of the short boots."""
        self.memory.put("short", 0)
        self.supervisor.end(why)

    def push(self, block: int, flag: int, data: "Buffer", count: int) -> None:
        """One record; the link sends it."""
        self.ring.push(block, flag, data, count)
        self.link.bell.ring()

    def gateway(self, payload: "Buffer", _retained: bool) -> None:
        """The gateway's own state: when the one that we obey is gone, no lease outlives it."""
        try:
            said = json.loads(bytes(payload))
            self.link.gateway_up = said["up"] is True
            gone = not said["up"] and said["sid"] == self.orders.sid
        except Exception:  # not a message of ours
            return
        if gone:
            self.orders.leave()
