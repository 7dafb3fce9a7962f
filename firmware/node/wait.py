"""Waiting, but never for ever: deadlines on the monotonic tick, and a bell."""

import asyncio
import gc
import sys
from time import ticks_add, ticks_diff, ticks_ms


def after(ms: int) -> int:
    """The tick so many ms from now; the tick wraps, so a deadline may be six days away at most."""
    return ticks_add(ticks_ms(), ms)


def left(deadline: int) -> int:
    """ms until a tick; negative when it has passed."""
    return ticks_diff(deadline, ticks_ms())


def forget(name: str) -> None:
    """Gives back the memory of a module that is needed rarely, once it is not running; the next import loads it again."""
    if sys.modules.pop(name, None):
        package, leaf = name.split(".")
        delattr(sys.modules[package], leaf)


def call(module: str, function: str, *arguments: object):  # type: ignore[no-untyped-def]  # whatever that gives
    """The result of a function of a module of the node that is loaded for this call only."""
    name = "node." + module
    gc.collect()  # what is loaded for a moment must not lie between what stays
    try:
        return getattr(__import__(name, None, None, (function,)), function)(*arguments)
    finally:
        forget(name)


class Bell:
    """Many may ring, one waits. Waiting makes no task and nearly no garbage, as asyncio's events with a time-out would."""

    rung = False
    waits: asyncio.Task = None  # the task that waits

    def ring(self) -> None:
        self.rung = True
        if self.waits:  # it sleeps: wake it now
            queue = asyncio.core._task_queue  # noqa: SLF001  asyncio has no other way to end a sleep
            queue.remove(self.waits)
            queue.push(self.waits)
            self.waits = None

    async def wait_ms(self, ms: int) -> None:
        """Returns when rung, or after `ms`."""
        if not self.rung and ms > 0:
            self.waits = asyncio.core.cur_task
            try:
                await asyncio.sleep_ms(ms)
            finally:
                self.waits = None
        self.rung = False
