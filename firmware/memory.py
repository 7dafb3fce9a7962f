"""What survives power cuts besides the files: `esp32.NVS` on a board, the file nvs.json on a computer."""


def nvs():  # type: ignore[no-untyped-def]  # esp32.NVS, or a computer's
    """The store, opened for a moment."""
    try:
        from esp32 import NVS
    except ImportError:
        from nvs import NVS  # a computer
    return NVS("zen")


class memory:  # noqa: N801  what callers see is a function
    """Numbers and texts under names of at most 14 letters."""

    here = ""  # slot in use: "a", "b", or "" without slots

    def get(self, key: str) -> int:
        """A number; 0 when there is none."""
        try:
            return nvs().get_i32(key)
        except OSError:
            return 0

    def put(self, key: str, value: int) -> None:
        if value != self.get(key):  # flash wears out
            store = nvs()
            store.set_i32(key, value)
            store.commit()

    def text(self, key: str) -> str:
        """A text; "" when there is none."""
        room = bytearray(self.get(key + "#"))
        try:
            nvs().get_blob(key, room)
            return str(room, "utf-8")
        except (OSError, ValueError):
            return ""

    def write(self, key: str, text: str) -> None:
        if text != self.text(key):
            raw = text.encode()
            store = nvs()
            store.set_blob(key, raw)
            store.set_i32(key + "#", len(raw))
            store.commit()
