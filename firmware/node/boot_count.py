"""What a run becomes by lasting: after two minutes its boot was no short one. Loaded for that time, then forgotten."""

import asyncio

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat
    from node.app import App

_STEADY_S = const(120)  # a boot that lasted so long was not a short one
_SAFE_S = const(1800)  # after so long in safe mode the node tries again
_LOOK_MS = const(10000)


async def settle(app: "App", beat: "Beat") -> None:
    """The job of each run: the count of short boots begins anew, orders are taken again, safe mode ends one day."""
    while app.clock.uptime_s <= _STEADY_S:
        beat()
        await asyncio.sleep_ms(_LOOK_MS)
    app.memory.put("short", 0)
    while app.orders.shut == "boots" or app.update or app.mode == "safe":
        if app.orders.shut == "boots":  # an update that is refused brings this word back
            app.orders.shut = ""
        if app.mode == "safe" and app.clock.uptime_s > _SAFE_S:
            app.supervisor.end("safe mode is over")
        beat()
        await asyncio.sleep_ms(_LOOK_MS)
