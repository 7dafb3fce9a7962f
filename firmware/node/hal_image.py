"""The interpreter's own image in the partition that does not run: `esp32.Partition`. Loaded by updates only."""

import asyncio
import hashlib

import esp32
from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat

_BLOCK = const(4096)  # what the port erases and writes at once
_MARK = const(65536)  # so often is noted how far it has come: a file in flash


def keep() -> None:
    """The bootloader need not go back."""
    esp32.Partition.mark_app_valid_cancel_rollback()


class Image:
    """`mark` names the file with the hash of the image and its bytes; OSError without a second partition."""

    def __init__(self, mark: str, length: int, digest: str) -> None:
        self.partition = esp32.Partition(esp32.Partition.RUNNING).get_next_update()
        if length > self.partition.ioctl(4, 0) * _BLOCK:
            raise OSError(28)
        self.mark = mark
        self.length = length
        self.name = digest
        self.block = bytearray(_BLOCK)
        self.at = 0

    def size(self) -> int:
        """Bytes that survived a restart."""
        try:
            with open(self.mark) as file:
                name, at = file.read().split()
            if name == self.name:
                self.at = int(at)
        except (OSError, ValueError):
            pass
        return self.at

    def append(self, piece: bytes) -> None:
        begin = self.at % _BLOCK
        self.block[begin : begin + len(piece)] = piece
        self.at += len(piece)
        if self.at % _BLOCK == 0 or self.at == self.length:
            self.partition.writeblocks((self.at - 1) // _BLOCK, self.block)
            if self.at % _MARK == 0 or self.at == self.length:
                self._note(self.at)

    def remove(self) -> None:
        self.at = 0
        self._note(0)

    async def digest(self, beat: "Beat") -> bytes:
        """SHA-256 of what is in flash."""
        whole = hashlib.sha256()
        for number in range((self.length + _BLOCK - 1) // _BLOCK):
            self.partition.readblocks(number, self.block)
            whole.update(memoryview(self.block)[: min(_BLOCK, self.length - number * _BLOCK)])
            beat()
            await asyncio.sleep_ms(0)
        return whole.digest()

    def activate(self) -> None:
        """Run it at the next start, once, unless it is kept; OSError when the port finds no image in it."""
        self.partition.set_boot()

    def _note(self, at: int) -> None:
        with open(self.mark, "w") as file:
            file.write("%s %d" % (self.name, at))
