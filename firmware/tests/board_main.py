"""main.py of a board in test_whole_board: the node, a watchdog that one of its tasks feeds, its memory in NVS."""

import asyncio
import json

import esp32
from node import hal
from node.app import App


class Memory:
    """Texts of slot.memory()."""

    nvs = esp32.NVS("zen")

    def text(self, key):
        buffer = bytearray(100)
        try:
            return bytes(buffer[: self.nvs.get_blob(key, buffer)]).decode()
        except OSError:
            return ""

    def write(self, key, text):
        self.nvs.set_blob(key, text)
        self.nvs.commit()


async def main():
    with open("node.json") as file:
        app = App(json.load(file), print)
    app.link.memory = Memory()
    task = asyncio.create_task(feed(hal.watchdog(5000)))
    await app.run()
    task.cancel()


async def feed(dog):
    while True:
        dog.feed()
        await asyncio.sleep_ms(500)


asyncio.run(main())
