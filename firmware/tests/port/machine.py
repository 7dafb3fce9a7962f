"""Stands in for the module of the ESP32: what its UART, pins, watchdog and clock do, and what they refuse.

A UART is joined to a tty. It has the FIFO and the buffer of the real one and drops what they cannot hold; its frames
take their time; with a driver pin, only what is sent while the driver is on reaches the line, and only while it is
off is anything heard: a device begins 3.5 characters after the end of a frame (MODBUS over Serial Line V1.02, 2.5.1.1),
so a driver that is let go by then has missed nothing. Source: the port's machine_uart.c, machine_pin.c, machine_wdt.c.
"""

import io
import os
import termios
import time

import chip
import micropython

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_FIFO = 128
_POLL = 3
_READABLE, _WRITABLE = 1, 4
_INPUT_ONLY = range(34, 40)  # of the first ESP32
_pins = {}
_drivers = {}  # pin of a driver → its UART


class Pin:
    """An input is 1 by its pull-up unless the file `pin<number>` is there: that is its button, pressed."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2

    def __init__(self, number, mode=-1, pull=-1, *, value=None):
        first = chip.wired.get("chip", "esp32s3") == "esp32"
        if not 0 <= number < (40 if first else 49):
            raise ValueError("invalid pin")
        if first and number in _INPUT_ONLY and mode == self.OUT:
            raise ValueError("pin can only be input")
        self.number = number
        self.mode = mode
        self.pull = pull
        if value is not None:
            self(value)

    def __call__(self, level=None):
        if level is not None:
            _drive(self.number, 1 if level else 0)
            return None
        if self.mode == self.OUT:
            return _pins.get(self.number, 0)
        try:
            os.stat("pin%d" % self.number)
        except OSError:
            return 1 if self.pull == self.PULL_UP else 0
        return 0

    value = __call__


def _drive(number, level):
    if number in _drivers:
        _drivers[number].driver(level)
    _pins[number] = level
    chip.note("pin", number, level)


class UART(io.IOBase):
    IRQ_RXIDLE = 0x1000

    def __init__(self, number, baudrate=115200, bits=8, parity=None, stop=1, *, tx=None, rx=None, txbuf=256, rxbuf=256,
                 timeout=0, timeout_char=0, invert=0, flow=0):  # fmt: skip
        if number == 0:
            raise ValueError("UART(0) is disabled (dedicated to REPL)")
        if number not in (1, 2) or bits not in (5, 6, 7, 8) or stop not in (1, 2) or rxbuf < _FIFO or timeout:
            raise ValueError("UART(%d)" % number)
        for pin in (tx, rx):
            Pin(pin)
        self.number = number
        self.txbuf = txbuf
        self.rxbuf = rxbuf
        self.character_us = 1000000 * (1 + bits + (parity is not None) + stop) // baudrate
        self.received = bytearray()
        self.waiting = b""  # behind a driver
        self.done = time.ticks_us()
        self.silent_until = None  # of chip.own_us: a device's answer begins then, though a pty has it at once
        self.handler = None
        wired = chip.wired.get("uart", {}).get(str(number), {})
        self.driver_pin = wired.get("de")
        if self.driver_pin is not None:
            _drivers[self.driver_pin] = self
        self.file = _open(wired["tty"]) if "tty" in wired else None
        chip.note("uart", number, baudrate, bits, parity, stop, tx, rx, rxbuf)

    def irq(self, handler=None, trigger=0, hard=False):
        if trigger != self.IRQ_RXIDLE or hard:
            raise ValueError("trigger")
        self.handler = handler

    def ioctl(self, request, flags):
        if request != _POLL:
            return 0
        self._receive()
        return flags & (_WRITABLE | (_READABLE if self.received else 0))

    def any(self):
        self._receive()
        return len(self.received)

    def readinto(self, buffer):
        self._receive()
        size = min(len(buffer), len(self.received))
        if not size:
            return None
        buffer[:size] = self.received[:size]
        self.received = self.received[size:]
        return size

    def read(self, size):
        buffer = bytearray(size)
        got = self.readinto(buffer)
        return got and bytes(buffer[:got])

    def write(self, data):
        chip.note("uart", self.number, "write", bytes(data))
        room = self.txbuf + _FIFO
        now = time.ticks_us()
        begin = self.done if time.ticks_diff(self.done, now) > 0 else now
        self.done = time.ticks_add(begin, len(data) * self.character_us)
        if len(data) > room:  # the call ends when the rest fits
            time.sleep_us((len(data) - room) * self.character_us)
        self.waiting += bytes(data)
        if self.driver_pin is None:
            self._send(len(self.waiting))
        return len(data)

    def flush(self):
        left = time.ticks_diff(self.done, time.ticks_us())
        if left > 0:
            time.sleep_us(left)
        chip.note("uart", self.number, "flush")
        if _pins.get(self.driver_pin):
            self._send(len(self.waiting))
        self.waiting = b""

    def txdone(self):
        return time.ticks_diff(self.done, time.ticks_us()) <= 0

    def deinit(self):
        chip.note("uart", self.number, "deinit")
        if self.file:
            self.file.close()
        self.file = None

    def driver(self, level):
        """The driver's pin is about to change: what has not gone out by now does not reach the line."""
        self._receive()
        if not level and self.waiting:
            left = max(time.ticks_diff(self.done, time.ticks_us()), 0) // self.character_us
            chip.note("uart", self.number, "cut", left)
            self._send(max(len(self.waiting) - left, 0))
            self.waiting = b""

    def _send(self, size):
        if self.file:
            self.file.write(self.waiting[:size])
            self.silent_until = chip.own_us() + 7 * self.character_us // 2
        self.waiting = self.waiting[size:]

    def _receive(self):
        fresh = self.file.read(4096) if self.file else None
        if not fresh or (_pins.get(self.driver_pin) and not self._is_early()):
            return
        room = self.rxbuf + _FIFO - len(self.received)
        if len(fresh) > room:
            chip.note("uart", self.number, "overflow", len(fresh) - room)
        self.received += fresh[:room]
        if self.handler:
            micropython.schedule(self.handler, self)

    def _is_early(self):
        return self.silent_until is not None and chip.own_us() < self.silent_until


def _open(tty):
    file = open(tty, "r+b", 0)
    attributes = termios.tcgetattr(file.fileno())
    attributes[0] = attributes[1] = attributes[3] = 0  # raw; termios.setraw would throw away what is already there
    attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read never waits
    termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
    return file


class SPI:
    def __init__(self, number, baudrate=500000, *, sck=None, mosi=None, miso=None):
        if number not in (1, 2) or not all(isinstance(pin, Pin) for pin in (sck, mosi, miso)):
            raise ValueError("SPI(%d)" % number)
        chip.note("spi", number, baudrate, sck.number, mosi.number, miso.number)


class WDT:
    """Ends the process (SIGALRM) when it is not fed in time, rounded up to whole seconds; nothing stops it."""

    def __init__(self, id=0, timeout=5000):
        if id or timeout < 1000:
            raise ValueError("WDT")
        self.seconds = (timeout + 999) // 1000
        chip.note("watchdog", timeout)
        chip.alarm(self.seconds)

    def feed(self):
        chip.note("feed")
        chip.alarm(self.seconds)


class RTC:
    def datetime(self, when=None):
        if when is not None:
            chip.note("rtc", when)


def reset():
    chip.note("reset")
    chip.leave(3)


def reset_cause():
    return chip.wired.get("reset_cause", PWRON_RESET)


def unique_id():
    return b"\x24\x0a\xc4\x12\x34\x56"
