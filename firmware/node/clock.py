"""Time of the records: seconds since 2000 and ms, carried by the monotonic tick between two looks at a real clock."""

import asyncio
from time import ticks_add

from micropython import const
from node.wait import after, left
from wire.records import CLOCK_HELD, CLOCK_SYNCED, CLOCK_UNKNOWN

_SYNC_MS = const(60000)
_SYNC_GOOD_S = const(3600)  # a drifting crystal: after an hour without sync the clock is only held


class Clock:
    """`s`, `ms` and `quality` hold the moment of the last `tick`; `s` is the uptime until the first `set`."""

    def __init__(self):
        self.s = self.ms = 0
        self.quality = CLOCK_UNKNOWN
        self.uptime_s = 0
        self.good_s = 0  # uptime until which the last set is worth something
        self.second = after(0)  # when `s` began

    def tick(self):
        """Carry on to now; called far more often than the tick wraps (6 days)."""
        passed = -left(self.second)
        if passed >= 1000:
            whole = passed // 1000
            self.second = ticks_add(self.second, whole * 1000)
            passed -= whole * 1000
            self.s += whole
            self.uptime_s += whole
            if self.quality == CLOCK_SYNCED and self.uptime_s > self.good_s:
                self.quality = CLOCK_HELD
        self.ms = max(passed, 0)

    def set(self, s, ms):
        self.tick()
        self.s = s
        self.ms = ms
        self.second = after(-ms)
        self.good_s = self.uptime_s + _SYNC_GOOD_S
        self.quality = CLOCK_SYNCED

    async def run(self, utc, conf):
        """Follow `utc(conf)`, a coroutine that gives (s, ms) or raises OSError or TimeoutError."""
        while True:
            try:
                self.set(*await utc(conf))
            except (OSError, asyncio.TimeoutError):
                pass
            await asyncio.sleep_ms(_SYNC_MS if self.quality == CLOCK_SYNCED else 5000)
