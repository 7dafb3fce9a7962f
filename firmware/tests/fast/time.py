"""Time that runs ZEN_SPEED times faster (20 unless told): put this folder behind `.frozen` on MICROPYPATH.

Everything that asks the interpreter for the time follows, asyncio's sleeps and time-outs included (`select.py` beside
this file shortens its waits). What does not follow is the rest of the world: the broker, sockets and simulated devices
answer in real time, so a time-out of 200 ms leaves a device 10 ms. The wall clock runs fast too, from the moment of
the start: ticks and seconds stay in step.

Tasks that are due at once are queued by the interpreter's own C code with the real tick. That is always in the past
here, so they run at once, as long as fast and real time are less than 6 days apart (7.8 h of running 20 times faster).
"""

import os
from utime import *  # noqa: F403
from utime import sleep_ms as _sleep_ms
from utime import ticks_add, ticks_diff
from utime import ticks_ms as _ticks_ms
from utime import ticks_us as _ticks_us
from utime import time_ns as _time_ns

SPEED = int(os.getenv("ZEN_SPEED") or 20)

_ms = [_ticks_ms(), _ticks_ms()]  # real and fast tick of the last look
_us = [_ticks_us(), _ticks_us()]
_birth = _time_ns()


def _carry(pair, now):
    pair[1] = ticks_add(pair[1], ticks_diff(now, pair[0]) * SPEED)
    pair[0] = now
    return pair[1]


def ticks_ms():
    return _carry(_ms, _ticks_ms())


def ticks_us():
    return _carry(_us, _ticks_us())


def time_ns():
    return _birth + (_time_ns() - _birth) * SPEED


def time():
    return time_ns() / 1000000000


def sleep_ms(ms):
    _sleep_ms(ms // SPEED)


def sleep(s):
    _sleep_ms(int(s * 1000) // SPEED)
