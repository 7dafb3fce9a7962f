"""The hardware on a computer: a tty or pty as serial line, the system's network, a timer as watchdog."""

import asyncio

from micropython import const
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable
    from typing import Any

    from kinds import Beat, Conf, Spec

WATCHDOG_MS = 0  # none, unless node.json asks for one
_SETUP = const("hal_unix_setup")


class Line:
    """A serial line in raw mode; `readinto` gives bytes that are already there, else 0 or None."""

    def __init__(self, file: "Any") -> None:
        self.write, self.readinto, self.close = file.write, file.readinto, file.close
        self.stream = asyncio.StreamReader(file)


def opener(where: str, bus: "Spec") -> "Callable[[], Line]":
    """A function that gives the Line; `where` is the path of a tty."""
    return lambda: call(_SETUP, "line", where, bus)


async def network(_conf: "Conf", beat: "Beat") -> None:
    """The system keeps its own network."""
    while True:
        beat()
        await asyncio.sleep_ms(4000)


def __getattr__(name: str) -> object:
    """What is needed once, from node/hal_unix_setup.py."""
    return lambda *what: call(_SETUP, name, *what)
