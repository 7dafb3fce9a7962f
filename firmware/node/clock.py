"""Time of the records: seconds since 2000 and ms, carried by the monotonic tick, led by the gateway (node.sntp).

The first answer sets the clock. From then on it is never set again: it runs a little faster or slower until the error
is gone, so that times of records never go back and nothing happens twice or not at all. What an answer changes is in
node.sntp, which is loaded for each.
"""

import asyncio
from time import ticks_add

from micropython import const
from node.wait import after, call, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Address, Beat, Conf

# Those of wire.records, as numbers: a name costs flash.
_CLOCK_UNKNOWN = const(0)
_CLOCK_HELD = const(1)
_CLOCK_SYNCED = const(2)

_STEP_MS = const(2000)
_SLEW = const(5)  # a correction takes 2⁵ times its own length: 3 % is too little to matter to any reader


class Clock:
    """`s`, `ms` and `quality` hold the moment of the last `tick`; `s` is the uptime until the first answer."""

    def __init__(self, conf: "Conf | None" = None) -> None:
        self.conf = conf  # node.json
        self.server: "Address" = None  # the address of the server that is asked …
        self.misses = 0  # … and rounds of questions since it last answered
        self.s = self.ms = 0
        self.quality = _CLOCK_UNKNOWN
        self.uptime_s = 0
        self.zero: tuple[int, int] = None  # (s, ms) of UTC when the uptime was 0
        self.good_s = 0  # uptime until which the last answer can be used
        self.second = self.slewed = after(0)  # when `s` began; until when `error` was worked off
        self.error = 0  # ms that we are late, to be made up for

    def tick(self) -> None:
        """Carry on to now; called far more often than the tick wraps (6 days)."""
        if self.error:
            step = -left(self.slewed) >> _SLEW
            self.slewed = ticks_add(self.slewed, step << _SLEW)
            step = max(min(self.error, step), -step)
            self.error -= step
            self.second = ticks_add(self.second, -step)
        passed = -left(self.second)
        if passed >= 1000:
            whole = passed // 1000
            self.second = ticks_add(self.second, whole * 1000)
            passed -= whole * 1000
            self.s += whole
            self.uptime_s += whole
            if self.quality == _CLOCK_SYNCED and self.uptime_s > self.good_s:
                self.quality = _CLOCK_HELD
        self.ms = passed

    async def run(self, beat: "Beat") -> None:
        """Follow the server of the configuration."""
        while True:
            await call("sntp", "follow", self, beat)
            for _ in range(30 if self.quality == _CLOCK_SYNCED else 1 + 3 * self.quality):  # 60, 8 or 2 s
                beat()
                self.tick()
                await asyncio.sleep_ms(_STEP_MS)
