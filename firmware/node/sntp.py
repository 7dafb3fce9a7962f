"""The time of the gateway, by SNTP (RFC 4330). Loaded for each question, once a minute."""

import asyncio
import os
import socket
import struct
from time import ticks_diff

from micropython import const
from node import hal
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Address, Beat
    from node.clock import Clock

_NTP_2000 = const(3155673600)  # 2000-01-01 on the scale of NTP, which begins in 1900
_SAMPLES = const(4)  # the one with the shortest way counts: it was disturbed least
_ANSWER_MS = const(1000)
_ERROR_MS = const(1000)  # further off the clock is only held
_ERROR_MAX_S = const(100000)
_GOOD_S = const(3600)  # a drifting crystal: after an hour without an answer the clock is only held

# Those of wire.records, as numbers: a name costs flash.
_CLOCK_HELD = const(1)
_CLOCK_SYNCED = const(2)


async def follow(clock: "Clock", beat: "Beat") -> None:
    """One round of questions; the clock is led by what it finds."""
    found = await best(clock, beat)
    if found:
        first = clock.zero is None
        lead(clock, *found)
        if first:
            hal.set_clock(clock.s)  # by which certificates are judged


def lead(clock: "Clock", s: int, ms: int, tick: int) -> None:
    """UTC was `s`, `ms` at that tick: the first time the clock is set, later it works the difference off."""
    clock.tick()
    ms -= left(tick)
    s += ms // 1000
    ms %= 1000
    if clock.zero is None:
        early = ms - clock.ms
        clock.zero = (s - clock.s + early // 1000, early % 1000)
        clock.s, clock.ms = s, ms
        clock.second = after(-ms)
    else:
        clock.error = max(-_ERROR_MAX_S, min(s - clock.s, _ERROR_MAX_S)) * 1000 + ms - clock.ms
        clock.slewed = after(0)
    clock.good_s = clock.uptime_s + _GOOD_S
    clock.quality = _CLOCK_SYNCED if abs(clock.error) <= _ERROR_MS else _CLOCK_HELD


async def best(clock: "Clock", beat: "Beat") -> tuple:
    """(s, ms, tick) of UTC, or ().

    Without a server `time` in node.json it is the gateway on the broker's machine. Its name is looked up rarely, which
    blocks: the first time, and when eight rounds of requests found no server.
    """
    conf, found = clock.conf, ()
    where = conf.get("time", {})
    try:
        if not clock.misses & 7:
            host = where.get("host", conf["broker"]["host"])
            clock.server = socket.getaddrinfo(host, where.get("port", 10123))[0][-1]
        clock.misses += 1
        for _ in range(_SAMPLES):
            beat()
            sample: tuple = await asyncio.wait_for_ms(ask(clock.server), _ANSWER_MS)
            found = min(found or sample, sample)
            clock.misses = 1
    except (OSError, asyncio.TimeoutError):
        pass  # what came before will do
    return found[1:]


async def ask(address: "Address") -> tuple[int, int, int, int]:
    """(round trip in ms, s, ms, tick): UTC at that tick by one exchange; waits until there is an answer to it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.connect(address)  # others are not heard
        sign = os.urandom(8)  # in the place of our time: it reveals nothing and cannot be guessed
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
                and 0 < answer[1] < 16  # ... and would say so
                and answer[24:32] == sign
                and 0 <= kept <= took + 1
                and not s >> 31  # 2068: whoever says more does not mean it
            ):
                took -= kept
                return took, s, ms + (took >> 1), tick
    finally:
        sock.close()
