"""The hardware of an ESP32, as far as a running node needs it; what is needed once is in hal_esp32_setup."""

import asyncio
import gc
import sys

import machine
from micropython import const
from node.wait import lend

PARITY = {"N": None, "E": 0, "O": 1}
_SETUP = const("hal_esp32_setup")
_LOOK_MS = const(4000)
_DOUBT = const(3)  # looks in a row without a network: joining takes seconds, and a single look may be wrong

reset = machine.reset


def nothing(*_what):
    """For the lamp that is not there, the button that nobody presses, the interrupt that only wakes."""


class Line:
    """A serial line; `where` is {"uart", "tx", "rx"}, and "de" unless the transceiver finds its direction itself."""

    def __init__(self, where, bus):
        self.uart = machine.UART(
            where["uart"],
            baudrate=bus["baud"],
            bits=bus.get("bits", 8),
            parity=PARITY[bus.get("parity", "N")],
            stop=bus.get("stop", 1),
            tx=where["tx"],  # always: the port's own choice may be a pin in use, or one of the flash
            rx=where["rx"],
            rxbuf=512,  # a full buffer would slow every read down
        )
        self.uart.irq(nothing, machine.UART.IRQ_RXIDLE)  # else an answer waits for the next tick of 10 ms
        self.de = machine.Pin(where["de"], machine.Pin.OUT, value=0) if "de" in where else None
        self.stream = asyncio.StreamReader(self.uart)

    def write(self, frame):
        if self.de is None:
            self.uart.write(frame)
            return
        gc.collect()  # none may come between the last bit and letting go of the line
        self.de(1)
        self.uart.write(frame)
        self.uart.flush()
        self.de(0)

    def readinto(self, buffer):
        """Bytes that are already there, else None."""
        return self.uart.readinto(buffer)

    def close(self):
        self.uart.deinit()


def opener(where, bus):
    """A function that gives the Line."""
    return lambda: Line(where, bus)


async def network(conf, beat):
    """Keeps the board in its network, wired or not; whether the broker is there plays no part in it."""
    nic = lend(_SETUP, "interface", conf)
    doubt = 0
    while True:
        beat()
        doubt = 0 if nic.isconnected() else doubt + 1
        if doubt > _DOUBT and "eth" not in conf:  # a cable is looked after by its driver
            doubt = 0
            try:
                nic = lend(_SETUP, "interface", conf)
            except OSError:
                pass  # the radio is not ready: again in a while
        await asyncio.sleep_ms(_LOOK_MS)


def watchdog(ms):
    """Resets the board unless its `feed()` is called within `ms`, for ever; None for 0."""
    return machine.WDT(timeout=ms) if ms else None


def led(pin):
    """A function(on)."""
    return nothing if pin is None else machine.Pin(pin, machine.Pin.OUT, value=0)


def button(pin):
    """A function that says whether it is pressed, which connects the pin to ground."""
    if pin is None:
        return nothing
    contact = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
    return lambda: not contact()


def console():
    """The bytes typed at the USB or first serial port; read one at a time, for more would block until all are there."""
    return asyncio.StreamReader(sys.stdin.buffer)


def access_point(name, code, on):
    return lend(_SETUP, "access_point", name, code, on)


def set_clock(s):
    return lend(_SETUP, "set_clock", s)


def uid():
    return lend(_SETUP, "uid")


def reset_cause():
    return lend(_SETUP, "reset_cause")
