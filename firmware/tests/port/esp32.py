"""Stands in for the module of the ESP32: NVS and application partitions with the IDF's rules and error numbers.

Sources: ESP-IDF nvs_flash, app_update and the "Firmware Image Format" of esptool's documentation.
"""

import binascii
import hashlib
import os

import chip

NOT_FOUND = -0x1102
KEY_TOO_LONG = -0x1109
INVALID_LENGTH = -0x110C
NOT_ENOUGH_SPACE = -0x1105
INVALID_SIZE = -0x104
VALIDATE_FAILED = -0x1503
_NAMES = {NOT_FOUND: "NVS_NOT_FOUND", KEY_TOO_LONG: "NVS_KEY_TOO_LONG", INVALID_LENGTH: "NVS_INVALID_LENGTH",
          NOT_ENOUGH_SPACE: "NVS_NOT_ENOUGH_SPACE", INVALID_SIZE: "INVALID_SIZE",
          VALIDATE_FAILED: "OTA_VALIDATE_FAILED"}  # fmt: skip
_NVS_BYTES = 16000  # of a partition of 24 kB, with its own pages and entries taken off
_BLOCK = 4096
_CHIPS = {"esp32": 0, "esp32s3": 9}


def _fail(code):
    raise OSError(code, "ESP_ERR_" + _NAMES[code])


class NVS:
    """What was set and not committed is lost with the power; a value is found only as the type it was set."""

    def __init__(self, namespace):
        _short(namespace)
        self.namespace = namespace
        self.changes = {}

    def set_i32(self, key, value):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError("overflow converting long int to machine word")
        self._set("i" + _short(key), value)

    def get_i32(self, key):
        return self._get("i" + _short(key))

    def set_blob(self, key, value):
        self._set("b" + _short(key), binascii.hexlify(value).decode())

    def get_blob(self, key, buffer):
        value = binascii.unhexlify(self._get("b" + _short(key)))
        if len(value) > len(buffer):
            _fail(INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        found = [kind + _short(key) for kind in "ib" if self._find(kind + key) is not None]
        if not found:
            _fail(NOT_FOUND)
        for name in found:
            self.changes[name] = None

    def commit(self):
        chip.note("nvs", self.namespace, sorted(self.changes))
        store = chip.load("nvs.json", {})
        store.setdefault(self.namespace, {}).update(self.changes)
        for name in [name for name, value in store[self.namespace].items() if value is None]:
            del store[self.namespace][name]
        chip.save("nvs.json", store)
        self.changes = {}

    def _find(self, name):
        if name in self.changes:
            return self.changes[name]
        return chip.load("nvs.json", {}).get(self.namespace, {}).get(name)

    def _get(self, name):
        value = self._find(name)
        if value is None:
            _fail(NOT_FOUND)
        return value

    def _set(self, name, value):
        used = sum(len(str(one)) // 2 for space in chip.load("nvs.json", {}).values() for one in space.values())
        if used + len(str(value)) // 2 > _NVS_BYTES:
            _fail(NOT_ENOUGH_SPACE)
        self.changes[name] = value


def _short(name):
    if not 0 < len(name) <= 15:
        _fail(KEY_TOO_LONG)
    return name


class Partition:
    """Blocks of 4096 bytes; a block is erased when it is written whole, never when an offset is given."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, which, block_size=_BLOCK):
        if which == self.BOOT:
            which = _boot()["boot"]
        elif which == self.RUNNING:
            which = _running
        if which not in _TABLE:
            raise OSError(2)
        self.label = which
        self.kind, self.subtype, self.address, self.size = _TABLE[which]
        self.block_size = block_size

    @classmethod
    def find(cls, type=0, subtype=0xFF, label=None, block_size=_BLOCK):
        found = [cls(name, block_size) for name in sorted(_TABLE)]
        return [one for one in found
                if one.kind == type and subtype in (0xFF, one.subtype) and label in (None, one.label)]  # fmt: skip

    def info(self):
        return (self.kind, self.subtype, self.address, self.size, self.label, False)

    def ioctl(self, what, block):
        if what == 4:
            return self.size // self.block_size
        if what == 5:
            return self.block_size
        if what == 6:
            self._put(block * self.block_size, b"\xff" * self.block_size)
            return 0
        return None

    def readblocks(self, block, buffer, offset=0):
        with open(self._file(), "rb") as file:
            file.seek(block * self.block_size + offset)
            data = file.read(len(buffer))
        if len(data) < len(buffer):
            _fail(INVALID_SIZE)
        buffer[:] = data

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            if len(buffer) % _BLOCK:
                _fail(INVALID_SIZE)  # esp_partition_erase_range takes whole sectors only
            self._put(block * self.block_size, buffer)
            return
        old = bytearray(len(buffer))
        self.readblocks(block, old, offset)
        self._put(block * self.block_size + offset, bytes(a & b for a, b in zip(old, buffer)))  # bits fall, never rise

    def get_next_update(self):
        return Partition("ota_1" if self.label == "ota_0" else "ota_0")

    def set_boot(self):
        """The image is checked; then the boot loader starts it once, and again only when it was marked valid."""
        with open(self._file(), "rb") as file:
            if self.kind != self.TYPE_APP or not _is_image(file.read()):
                _fail(VALIDATE_FAILED)
        boot = _boot()
        boot["boot"] = self.label
        boot["state"][self.label] = "new"
        chip.note("set_boot", self.label)
        chip.save("otadata.json", boot)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        boot = _boot()
        chip.note("valid", _running)
        if boot["state"].get(_running) != "valid":
            boot["state"][_running] = "valid"
            chip.save("otadata.json", boot)

    def _put(self, start, data):
        if start + len(data) > self.size:
            _fail(INVALID_SIZE)
        path = self._file()
        cut = chip.power_fails()
        with open(path, "r+b") as file:
            file.seek(start)
            file.write(data[: len(data) // 2] if cut else data)
        if cut:
            chip.power_off()

    def _file(self):
        path = chip.flash(self.label + ".bin")
        try:
            os.stat(path)
        except OSError:
            with open(path, "wb") as file:
                for _ in range(0, self.size, _BLOCK):
                    file.write(b"\xff" * _BLOCK)
        return path


def image(data, name=None):
    """The smallest application image that a boot loader accepts, with `data` as its only segment."""
    data += bytes(-len(data) % 4)
    number = _CHIPS[name or chip.wired.get("chip", "esp32s3")]
    raw = bytearray(
        b"\xe9\x01\x02\x20" + bytes(4) + b"\xee" + bytes(3) + number.to_bytes(2, "little") + bytes(9) + b"\x01"
    )
    raw += bytes(4) + len(data).to_bytes(4, "little") + data
    raw += bytes(15 - len(raw) % 16) + bytes((_checksum(data),))
    return bytes(raw) + hashlib.sha256(raw).digest()


def _is_image(raw):
    """Magic number, chip, segments, checksum, appended SHA-256: what esp_image_verify looks at."""
    number = _CHIPS[chip.wired.get("chip", "esp32s3")]
    if raw[0] != 0xE9 or int.from_bytes(raw[12:14], "little") != number:
        return False
    at, check = 24, 0xEF
    for _ in range(raw[1]):
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        if at + 8 + size > len(raw):
            return False
        check ^= _checksum(raw[at + 8 : at + 8 + size]) ^ 0xEF
        at += 8 + size
    at += 16 - at % 16
    return raw[at - 1] == check and (not raw[23] or hashlib.sha256(raw[:at]).digest() == raw[at : at + 32])


def _checksum(data):
    value = 0xEF
    for byte in data:
        value ^= byte
    return value


def _boot():
    """{"boot": label, "state": {label: new, pending, valid or aborted}}; as flashed by cable ota_0 is undefined."""
    return chip.load("otadata.json", {"boot": "ota_0", "state": {}})


def _start():
    """The boot loader: a new image is tried once; one that was tried and not marked valid is given up."""
    boot = _boot()
    label = boot["boot"]
    state = boot["state"].get(label)
    if state == "new":
        boot["state"][label] = "pending"
        chip.save("otadata.json", boot)
    elif state == "pending":
        boot["state"][label] = "aborted"
        boot["boot"] = label = "ota_1" if label == "ota_0" else "ota_0"
        chip.save("otadata.json", boot)
    return label


_APP = chip.wired.get("app_bytes", 65536)
_TABLE = {  # label: type, subtype, address, size
    "nvs": (1, 2, 0x9000, 0x5000),
    "otadata": (1, 0, 0xE000, 0x2000),
    "ota_0": (0, 0x10, 0x10000, _APP),
    "ota_1": (0, 0x11, 0x10000 + _APP, _APP),
    "vfs": (1, 0x81, 0x10000 + 2 * _APP, _APP),
}
_running = _start()
