"""Waiting, but never for ever: deadlines on the monotonic tick, and a bell."""

import asyncio
import sys
from time import ticks_add, ticks_diff, ticks_ms


def after(ms):
    """The tick so many ms from now; the tick wraps, so a deadline may be six days away at most."""
    return ticks_add(ticks_ms(), ms)


def left(deadline):
    """ms until a tick; negative when it has passed."""
    return ticks_diff(deadline, ticks_ms())


def forget(name):
    """Gives back the memory of a module that is needed rarely, once nobody runs it; the next import loads it again."""
    if sys.modules.pop(name, None):
        package, leaf = name.split(".")
        delattr(sys.modules[package], leaf)


class Bell:
    """Many may ring, one waits."""

    def __init__(self):
        self.event = asyncio.Event()
        self.ring = self.event.set

    async def wait_ms(self, ms):
        """Returns when rung, or after `ms`."""
        if ms > 0:
            try:
                await asyncio.wait_for_ms(self.event.wait(), ms)
            except asyncio.TimeoutError:
                pass
        self.event.clear()
