"""What survives power cuts besides the files: `esp32.NVS` on a board, the file nvs.json on a computer."""

try:
    from esp32 import NVS
    from machine import reset
except ImportError:
    from nvs import NVS, reset  # a computer


class memory:  # noqa: N801  what callers see is a function
    """Numbers and texts under names of at most 14 letters."""

    here = ""  # slot in use: "a", "b", or "" without slots

    def __init__(self):
        self.nvs = NVS("zen")

    def get(self, key):
        """A number; 0 when there is none."""
        try:
            return self.nvs.get_i32(key)
        except OSError:
            return 0

    def put(self, key, value):
        if value != self.get(key):  # flash wears out
            self.nvs.set_i32(key, value)
            self.nvs.commit()

    def text(self, key):
        """A text; "" when there is none."""
        room = bytearray(self.get(key + "#"))
        try:
            self.nvs.get_blob(key, room)
            return str(room, "utf-8")
        except (OSError, ValueError):
            return ""

    def write(self, key, text):
        if text != self.text(key):
            raw = text.encode()
            self.nvs.set_blob(key, raw)
            self.put(key + "#", len(raw))
