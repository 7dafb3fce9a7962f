"""The ESP32's store of small values, `esp32.NVS`, on a computer: the file nvs.json, always the old one or the new.

It holds the node's key: from its first use on, what this program writes is for its owner alone.
"""

import json
import os
import sys

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any


class NVS:
    def __init__(self, _namespace: str) -> None:
        self.file = "nvs.json"
        try:
            with open(self.file) as file:
                self.values = json.load(file)
        except (OSError, ValueError):
            self.values = {}

    def get_i32(self, key: str) -> int:
        return self._get(key, int)

    def get_blob(self, key: str, room: bytearray) -> int:
        raw = self._get(key, str).encode()
        if len(raw) > len(room):
            raise OSError(-4364)  # ESP_ERR_NVS_INVALID_LENGTH
        room[: len(raw)] = raw
        return len(raw)

    def set_i32(self, key: str, value: int) -> None:
        self.values[key] = value

    def set_blob(self, key: str, raw: bytes) -> None:
        self.values[key] = raw.decode()

    def commit(self) -> None:
        with open(self.file + ".new", "w") as file:
            json.dump(self.values, file)
        os.rename(self.file + ".new", self.file)

    def _get(self, key: str, kind: type) -> "Any":
        value = self.values.get(key)
        if not isinstance(value, kind):
            raise OSError(-4354)  # ESP_ERR_NVS_NOT_FOUND
        return value


try:
    import ffi

    libc = ffi.open(None)
    libc.func("i", "umask", "i")(0o77)
    libc.func("i", "chmod", "si")("nvs.json", 0o600)  # one that an earlier version wrote
    del libc
except ImportError:
    pass  # an interpreter without it: the folder has to be closed to others

del sys.modules["nvs"]  # a node opens its store for a moment only
