"""Time of the records: seconds since 2000 and ms, carried by the monotonic tick, led by the gateway's SNTP (RFC 4330).

The first answer sets the clock. From then on it is never set again: it runs a little faster or slower until the error
is gone, so that times of records never go back and nothing happens twice or not at all.
"""

import asyncio
import os
import socket
import struct
from time import ticks_add, ticks_diff

from micropython import const
from node import tcp
from node.wait import after, left

# Those of wire.records, as numbers: a name costs flash.
_UNKNOWN = const(0)
_HELD = const(1)
_SYNCED = const(2)

_NTP_2000 = const(3155673600)  # 2000-01-01 on the scale of NTP, which begins in 1900
_SAMPLES = const(4)  # the one with the shortest way counts: it was disturbed least
_ANSWER_MS = const(1000)
_STEP_MS = const(2000)
_SLEW = const(5)  # a correction takes 2⁵ times its own length: 3 % is less than any reader of ours can tell
_ERROR_MS = const(1000)  # further off the clock is only held
_ERROR_MAX_S = const(100000)
_GOOD_S = const(3600)  # a drifting crystal: after an hour without an answer the clock is only held


class Clock:
    """`s`, `ms` and `quality` hold the moment of the last `tick`; `s` is the uptime until the first `set`."""

    def __init__(self):
        self.s = self.ms = 0
        self.quality = _UNKNOWN
        self.uptime_s = 0
        self.zero = None  # (s, ms) of UTC when the uptime was 0
        self.good_s = 0  # uptime until which the last answer is worth something
        self.second = self.slewed = after(0)  # when `s` began; until when `error` was worked off
        self.error = 0  # ms that we are late, to be made up for

    def tick(self):
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
            if self.quality == _SYNCED and self.uptime_s > self.good_s:
                self.quality = _HELD
        self.ms = passed

    def set(self, s, ms, tick):
        """UTC was `s`, `ms` at that tick."""
        self.tick()
        ms -= left(tick)
        s += ms // 1000
        ms %= 1000
        if self.zero is None:
            early = ms - self.ms
            self.zero = (s - self.s + early // 1000, early % 1000)
            self.s, self.ms = s, ms
            self.second = after(-ms)
        else:
            self.error = max(-_ERROR_MAX_S, min(s - self.s, _ERROR_MAX_S)) * 1000 + ms - self.ms
            self.slewed = after(0)
        self.good_s = self.uptime_s + _GOOD_S
        self.quality = _SYNCED if abs(self.error) <= _ERROR_MS else _HELD

    async def run(self, conf, beat):
        """Follow the server `time` of the configuration; by itself it is the gateway on the broker's machine."""
        where = conf.get("time", {})
        host, port = where.get("host", conf["broker"]["host"]), where.get("port", 10123)
        while True:
            best = ()
            try:
                address = tcp.resolve(host, port)
                for _ in range(_SAMPLES):
                    beat()
                    sample = await asyncio.wait_for_ms(ask(address), _ANSWER_MS)
                    best = min(best or sample, sample)
            except (OSError, asyncio.TimeoutError):
                pass  # what came before will do
            if best:
                self.set(*best[1:])
            for _ in range(30 if self.quality == _SYNCED else 1 + 3 * self.quality):  # 60, 8 or 2 s
                beat()
                await asyncio.sleep_ms(_STEP_MS)


async def ask(address):
    """(round trip in ms, s, ms, tick): UTC at that tick by one exchange; waits until there is an answer to it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.connect(address)  # others are not heard
        sign = os.urandom(8)  # in the place of our time: it tells nobody anything and cannot be guessed
        answer = bytearray(48)
        begin = after(0)
        sock.write(b"\x23" + bytes(39) + sign)  # version 4, client
        reader = asyncio.StreamReader(sock)
        while True:
            size = await reader.readinto(answer)
            tick = after(0)
            took = ticks_diff(tick, begin)
            s, fraction, s3, fraction3 = struct.unpack(">IHxxIHxx", answer[32:])  # received, sent
            ms = fraction3 * 1000 >> 16
            kept = (s3 - s) * 1000 + ms - (fraction * 1000 >> 16)
            s = (s3 - _NTP_2000) & 0xFFFFFFFF
            if (
                size == 48
                and answer[0] & 7 == 4  # a server ...
                and answer[0] < 0xC0  # ... that knows the time ...
                and 0 < answer[1] < 16  # ... and would tell us
                and answer[24:32] == sign
                and 0 <= kept <= took + 1
                and not s >> 31  # 2068: whoever says more does not mean it
            ):
                took -= kept
                return took, s, ms + (took >> 1), tick
    finally:
        sock.close()
