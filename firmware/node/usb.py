"""The USB serial line: a line that begins with `{` is a request for the console, which is loaded to answer it."""

import asyncio
import gc

from micropython import const
from node import hal
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat, Buffer, Console

_SHORT = const(256)
_LONGEST = const(8192)  # bytes; a poll table may come this way


async def listen(app: "Console", _beat: "Beat") -> None:
    """For ever; it may wait as long as it likes. `app` is what the console speaks about."""
    one = bytearray(1)
    line = None
    size = 0  # of the line; -1: not for us until it ends
    stream = hal.console()
    while True:
        if not await stream.readinto(one):
            await asyncio.sleep_ms(1000)  # nothing will ever write
            continue
        if one[0] in b"\r\n":
            if size > 0:
                await _answer(app, memoryview(line)[:size])
            line = None
            size = 0
        elif size > 0 or (size == 0 and one[0] == 0x7B):
            try:
                if line is None:
                    line = bytearray(_SHORT)
                elif size == len(line):
                    line += bytes(size)
                line[size] = one[0]
                size += 1
            except MemoryError:
                size = _LONGEST
            if size >= _LONGEST:
                line, size = None, -1
                app.say("console: too long")
        else:
            size = -1


async def _answer(app: "Console", line: "Buffer") -> None:
    try:
        await call("console", "answer", app, line)
    except MemoryError as error:
        app.say("console: %r" % error)
    gc.collect()
