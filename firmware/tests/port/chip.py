"""The chip behind the fakes of this folder: what is wired to it, what its flash holds, and a diary of what was done.

For the board's interpreter, with this folder first in MICROPYPATH. The current folder is the board: `port.json` says
what is wired (each key may be missing), `flash/` survives the process as flash survives a reset.

    {"uart": {"1": {"tty": "/dev/pts/3", "de": 21}},   the far end of a UART, and the pin of its driver
     "wifi": {"ssid": "…", "password": "…", "join_ms": 50, "lies": 1},
     "diary": "diary.txt",                              each entry also goes to this file, with its microsecond
     "cut": 7,                                          the power fails at the 7th operation on the flash
     "reset_cause": 1, "chip": "esp32s3", "app_bytes": 65536}
"""

import json
import os
import time

import ffi

try:
    with open("port.json") as _file:
        wired = json.load(_file)
except OSError:
    wired = {}

diary = []
operations = 0  # on the flash
_libc = ffi.open(None)
leave = _libc.func("v", "_exit", "i")  # with this status, at once
alarm = _libc.func("I", "alarm", "I")


def note(*entry):
    """One line of the diary."""
    diary.append(entry)
    if "diary" in wired:
        with open(wired["diary"], "a") as file:
            file.write("%d %r\n" % (time.ticks_us(), entry))


def own_us():
    """The microsecond of a board that has its processor for itself: this process also waits for one, and that is out."""
    with open("/proc/self/schedstat") as file:
        waited_ns = int(file.read().split()[1])
    return time.ticks_us() - waited_ns // 1000


def power_fails():
    """Asked before anything changes in the flash: whether the power fails at this very operation."""
    global operations
    operations += 1
    return operations == wired.get("cut")


def power_off():
    leave(137)


def flash(name):
    """Path of a part of the flash."""
    try:
        os.mkdir("flash")
    except OSError:
        pass  # it is there
    return "flash/" + name


def load(name, default):
    try:
        with open(flash(name)) as file:
            return json.load(file)
    except OSError:
        return default


def save(name, value):
    """One write of the chip: it happens, or it does not."""
    if power_fails():
        power_off()
    with open(flash(name + ".new"), "w") as file:
        json.dump(value, file)
    os.rename(flash(name + ".new"), flash(name))
