"""For the board's interpreter: flash memory whose power fails at a chosen operation, and the NVS beside it.

LittleFS (VfsLfs2) on a block device in memory with the 4096-byte blocks of an ESP32. An operation is an erase, a write
or a value of the NVS; at the one chosen, half of it is done (`torn`) or nothing, and `Cut` is raised.
"""

import errno
import os
import sys

import vfs

BLOCK = 4096
ERASED = b"\xff" * BLOCK


class Cut(BaseException):
    """The power is gone."""


CUT = Cut()


class Flash:
    left = -1  # operations until the cut; negative: there is none
    torn = False
    count = 0
    device = None

    def __init__(self, blocks=96):
        self.data = bytearray(b"\xff" * (blocks * BLOCK))
        self.format()

    def format(self):
        """All is lost, and a new file system made."""
        vfs.VfsLfs2.mkfs(Device(self))

    def cut(self):
        self.count += 1
        self.left -= 1
        if self.left == -1:
            self.device.on = False
            return True
        return False

    def stop(self):
        raise CUT

    def mount(self):
        """As at a power-up."""
        self.left = -1
        try:
            os.chdir("/")
            vfs.umount("/flash")
        except OSError:
            pass
        if self.device:
            self.device.on = False
        self.device = Device(self)
        vfs.mount(vfs.VfsLfs2(self.device), "/flash")
        os.chdir("/flash")


class Device:
    """The flash during one power-up: what the interpreter still closes after the cut does not reach it."""

    on = True

    def __init__(self, flash):
        self.flash = flash

    def readblocks(self, number, room, offset=0):
        self._power()
        at = number * BLOCK + offset
        room[:] = memoryview(self.flash.data)[at : at + len(room)]

    def writeblocks(self, number, data, offset=0):
        self._power()
        at = number * BLOCK + offset
        size = self._cut(len(data))
        memoryview(self.flash.data)[at : at + size] = memoryview(data)[:size]
        self._power()

    def ioctl(self, operation, number):
        if operation == 4:
            return len(self.flash.data) // BLOCK
        if operation == 5:
            return BLOCK
        if operation == 6:
            self._power()
            at = number * BLOCK
            size = self._cut(BLOCK)
            memoryview(self.flash.data)[at : at + size] = memoryview(ERASED)[:size]
            self._power()
        return 0

    def _cut(self, size):
        """How much of it is still done."""
        if self.flash.cut():
            return size // 2 if self.flash.torn else 0
        return size

    def _power(self):
        if not self.on:
            raise CUT  # made before: there may be no room for a new one


class Single:
    """`esp32.Partition` of a board with one application partition only."""

    RUNNING = 1

    def __init__(self, which):
        assert which == self.RUNNING

    def get_next_update(self):
        raise OSError(-261, "ESP_ERR_NOT_FOUND")

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        raise OSError(-1, "ESP_FAIL")


def power_down():
    raise CUT


class Nvs:
    """`esp32.NVS` on the same power: a value is the old one or the new one."""

    Partition = Single

    def __init__(self, flash):
        self.flash = flash
        self.values = {}
        sys.modules["esp32"] = sys.modules["machine"] = self
        self.NVS = lambda _name: self
        self.reset = power_down

    def get_i32(self, key):
        return self._get(key, int)

    def get_blob(self, key, room):
        raw = self._get(key, bytes)
        if len(raw) > len(room):
            raise OSError(-4364)
        room[: len(raw)] = raw
        return len(raw)

    def _get(self, key, kind):
        if not isinstance(self.values.get(key), kind):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return self.values[key]

    def set_i32(self, key, value):
        self._set(key, value)

    def set_blob(self, key, raw):
        self._set(key, bytes(raw))

    def _set(self, key, value):
        if self.flash.cut():
            if self.flash.torn:  # written, and nobody was left to hear of it
                self.values[key] = value
            raise Cut
        self.values[key] = value

    def commit(self):
        pass


def read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
