"""Stand-in for the boot chain: only the small memory beside the filesystem."""

import sys

RUN, SAFE, SETUP = 0, 1, 2


class _File:
    """On a computer: nvs.json in the current folder."""

    def _all(self):
        import json  # noqa: PLC0415

        try:
            with open("nvs.json") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def get(self, key):
        return self._all().get(key, 0)

    def text(self, key):
        return self._all().get(key, "")

    def put(self, key, value):
        import json  # noqa: PLC0415

        rows = self._all()
        rows[key] = value
        with open("nvs.json", "w") as file:
            json.dump(rows, file)

    write = put


class _Flash:
    def __init__(self):
        import esp32  # noqa: PLC0415

        self.nvs = esp32.NVS("zen")

    def get(self, key):
        try:
            return self.nvs.get_i32(key)
        except OSError:
            return 0

    def put(self, key, value):
        self.nvs.set_i32(key, value)
        self.nvs.commit()

    def text(self, key):
        room = bytearray(1984)
        try:
            return str(room[: self.nvs.get_blob(key, room)], "utf-8")
        except OSError:
            return ""

    def write(self, key, text):
        self.nvs.set_blob(key, text.encode())
        self.nvs.commit()


def memory():
    return _Flash() if sys.platform == "esp32" else _File()
