"""The LED of the board: so many flashes, then a pause; docs/node.md says what they mean."""

import asyncio

from node import hal


async def flash(app, beat):
    led = hal.led(app.conf["led"])
    while True:
        beat()
        for _ in range(flashes(app)):
            led(1)
            await asyncio.sleep_ms(100)
            led(0)
            await asyncio.sleep_ms(250)
        await asyncio.sleep_ms(1500)


def flashes(app):
    if app.mode == "safe":
        return 5
    if not app.link.up():
        return 2
    if not app.link.heard():
        return 3
    return 4 if app.plant.silent() else 1
