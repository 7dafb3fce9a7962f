"""The hardware of an ESP32, as far as a running node needs it; what is needed once is in hal_esp32_setup."""

import asyncio
import gc

import machine
from micropython import const
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable

    from kinds import Beat, Buffer, Conf, Spec

WATCHDOG_MS = 8000  # unless node.json says otherwise
_SETUP = const("hal_esp32_setup")
_LOOK_MS = const(4000)
_DOUBT = const(3)  # looks in a row without a network: joining takes seconds, and a single look may be wrong

reset = machine.reset


class Line:
    """A serial line; `de` is the pin that lets us speak, None where the transceiver finds its direction itself.

    `readinto` gives bytes that are already there, else None.
    """

    def __init__(self, uart: "machine.UART", de: "machine.Pin | None") -> None:
        self.uart = uart
        self.de = de
        self.readinto, self.close = uart.readinto, uart.deinit
        self.stream = asyncio.StreamReader(uart)

    def write(self, frame: "Buffer") -> None:
        if self.de is None:
            self.uart.write(frame)
            return
        gc.collect()  # none may come between the last bit and letting go of the line
        self.de(1)
        self.uart.write(frame)
        self.uart.flush()
        self.de(0)


def opener(where: "Spec", bus: "Spec") -> "Callable[[], Line]":
    """A function that gives the Line."""
    return lambda: call(_SETUP, "line", where, bus)


async def network(conf: "Conf", beat: "Beat") -> None:
    """Keeps the board in its network, wired or not; whether the broker is there plays no part in it."""
    nic = call(_SETUP, "interface", conf)
    doubt = 0
    while True:
        beat()
        doubt = 0 if nic.isconnected() else doubt + 1
        if doubt > _DOUBT and "eth" not in conf:  # a cable is looked after by its driver
            doubt = 0
            try:
                nic = call(_SETUP, "interface", conf)
            except OSError:
                pass  # the radio is not ready: again in a while
        await asyncio.sleep_ms(_LOOK_MS)


def __getattr__(name: str) -> object:
    """What is needed once, from node/hal_esp32_setup.py."""
    return lambda *what: call(_SETUP, name, *what)
