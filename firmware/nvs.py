"""The ESP32's store of small values, `esp32.NVS`, on a computer: the file nvs.json, always the old one or the new."""

import json
import os
import sys


class NVS:
    def __init__(self, _namespace):
        self.file = "nvs.json"
        try:
            with open(self.file) as file:
                self.values = json.load(file)
        except (OSError, ValueError):
            self.values = {}

    def get_i32(self, key):
        return self._get(key, int)

    def get_blob(self, key, room):
        raw = self._get(key, str).encode()
        if len(raw) > len(room):
            raise OSError(-4364)  # ESP_ERR_NVS_INVALID_LENGTH
        room[: len(raw)] = raw
        return len(raw)

    def set_i32(self, key, value):
        self.values[key] = value

    def set_blob(self, key, raw):
        self.values[key] = raw.decode()

    def commit(self):
        with open(self.file + ".new", "w") as file:
            json.dump(self.values, file)
        os.rename(self.file + ".new", self.file)

    def _get(self, key, kind):
        value = self.values.get(key)
        if not isinstance(value, kind):
            raise OSError(-4354)  # ESP_ERR_NVS_NOT_FOUND
        return value


del sys.modules["nvs"]  # a node opens its store for a moment only
