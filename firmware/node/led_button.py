"""The face of the board: its LED (so many flashes, then a pause; docs/node.md says what they mean) and its button."""

import asyncio

from micropython import const
from node import hal
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat
    from node.app import App

_LONG_MS = const(5000)  # the button is held for so long to open the setup access point
_SETUP = const(2)  # of slot: the mode of the next boot
_FLAWS = const(2)  # of slot: the last self-test
_TURN_MS = const(50)


async def watch(app: "App", beat: "Beat") -> None:
    led, button = hal.led(app.conf.get("led")), hal.button(app.conf.get("button"))
    held = after(_LONG_MS)
    begun = after(0)
    flaws = False
    while True:
        beat()
        led(lit(-left(begun), flashes(app, flaws)))
        if -left(begun) > 5000:
            begun = after(0)
            flaws = app.memory.get("test") == _FLAWS
        if not button():
            held = after(_LONG_MS)
        elif left(held) < 0:
            app.memory.put("mode", _SETUP)
            app.restart("button")
        await asyncio.sleep_ms(_TURN_MS)


def lit(ms: int, count: int) -> bool:
    """Whether the LED is on, so many ms after the beginning of a round of `count` flashes."""
    return ms // 350 < count and ms % 350 < 100


def flashes(app: "App", flaws: bool) -> int:
    if app.mode == "safe":
        return 5
    if not app.link.up():
        return 2
    if not app.link.heard():
        return 3
    return 4 if app.plant.silent() else 6 if flaws else 1
