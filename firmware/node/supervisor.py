"""Jobs that check in on time, or are started again, or the board is.

A job that fails starts again after a pause; five failures within ten minutes end the run with a reason, and so the
board restarts. The watchdog is fed only while every job has checked in on time. A silent inverter or a broker that is
gone is no failure: the jobs wait for those and check in meanwhile.
"""

import asyncio
import sys

from micropython import const
from node.wait import Bell, after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable

    from kinds import Make, Say

_PAUSE_MS = const(250)  # before the first new start, four times longer before each further one, up to …
_PAUSE_MAX_MS = const(30000)
_FAILURES = const(5)  # of all jobs, within …
_WITHIN_MS = const(600000)
_LOOK_MS = const(1000)


class Job:
    """`make(*what, beat)` gives the coroutine; it calls `beat()` at least every `deadline_ms` (0: it may wait for ever)."""

    def __init__(self, name: str, make: "Make", what: tuple, deadline_ms: int) -> None:
        self.name = name
        self.make = make
        self.what = what
        self.deadline_ms = deadline_ms
        self.task: asyncio.Task = None
        self.beat()

    def beat(self, pause_ms: int = 0) -> None:
        """On time; the next check-in is due."""
        self.due = after(self.deadline_ms + pause_ms)


class Supervisor:
    """`feed()` feeds the watchdog, `keep(text)` keeps the reason of a restart, `say(text)` reports what happened."""

    def __init__(self, feed: "Callable[[], object]", keep: "Say", say: "Say") -> None:
        self.feed = feed
        self.keep = keep
        self.say = say
        self.jobs: list[Job] = []
        self.failures: list[int] = []  # ticks of the latest, oldest first
        self.restarts = 0
        self.reason = ""  # why the run has to end
        self.bell = Bell()

    def start(
        self, name: str, make: "Make", deadline_ms: int, pause_ms: int = _PAUSE_MAX_MS, what: tuple = ()
    ) -> "Job":
        """A Job, running from now on; `pause_ms` is the longest pause before it starts again."""
        job = Job(name, make, what, deadline_ms)
        self.jobs.append(job)
        job.task = asyncio.create_task(self._keep(job, pause_ms))
        return job

    def end(self, reason: str) -> None:
        """The run ends for this reason; `watch` returns."""
        self.reason = self.reason or reason
        self.bell.ring()

    async def watch(self) -> str:
        """Until the run has to end: the reason."""
        late = ""
        while not self.reason:
            names = " ".join([job.name for job in self.jobs if job.deadline_ms and left(job.due) < 0])
            if names != late:  # the watchdog will end it, unless they come back
                late = names
                self.keep(late and "late: " + late)
            if not late:
                self.feed()
            await self.bell.wait_ms(_LOOK_MS)
        self.keep(self.reason)
        return self.reason

    async def _keep(self, job: "Job", longest_ms: int) -> None:
        pause_ms = _PAUSE_MS
        while True:
            begun = after(0)
            try:
                await job.make(*job.what, job.beat)
                break  # its work is done
            except Exception as error:
                sys.print_exception(error)
                self._failed("%s: %r" % (job.name, error))
            if -left(begun) > _WITHIN_MS:
                pause_ms = _PAUSE_MS
            job.beat(pause_ms)
            await asyncio.sleep_ms(pause_ms)
            pause_ms = min(4 * pause_ms, longest_ms)
        if job in self.jobs:
            self.jobs.remove(job)

    def _failed(self, what: str) -> None:
        self.say(what)
        self.restarts += 1
        self.failures = [tick for tick in self.failures if left(tick) > -_WITHIN_MS]
        self.failures.append(after(0))
        if len(self.failures) >= _FAILURES:
            self.end(what)
