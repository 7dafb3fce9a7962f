"""The interpreter's image as it comes from micropython.org, and where it leaves room for the application.

Sources: esp-idf `esp_app_format.h` (image header) and `esp_flash_partitions.h` (partition table).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.boards import Board
from gateway.commission.faults import CommissionError

IMAGE_MAGIC = 0xE9
CHIP_IDS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c2": 12, "esp32c6": 13}
TABLE_AT = 0x8000  # in flash, unless an image was built otherwise
ENTRY = "<HBBII16sI"
ENTRY_MAGIC = 0x50AA
SMALLEST = 0x100000  # no interpreter is smaller than 1 MB
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A piece of flash."""

    label: str
    offset: int
    size: int


def read_image(path: Path, board: Board) -> bytes:
    """The bytes of an image that fits a board; CommissionError says what is wrong with it."""
    try:
        image = path.read_bytes()
    except OSError as error:
        raise CommissionError("image_read", file=str(path), why=error.strerror or str(error)) from error
    if not image or image[0] != IMAGE_MAGIC:
        raise CommissionError("image_kind", file=str(path), **source(board))
    if len(image) < SMALLEST or board.image.offset + len(image) > board.flash_mb * MEGABYTE:
        raise CommissionError("image_size", file=str(path), size_kb=len(image) // 1024, flash_mb=board.flash_mb)
    chip = struct.unpack_from("<H", image, 12)[0]
    if chip != CHIP_IDS[board.chip]:
        names = {number: name for name, number in CHIP_IDS.items()}
        found = names.get(chip, f"chip {chip}")
        raise CommissionError("image_chip", file=str(path), found=found, chip=board.chip, **source(board))
    return image


def source(board: Board) -> dict[str, str]:
    """Where the right image comes from, for texts."""
    family = board.image.name.split("-")[0]
    link = f"https://micropython.org/download/{family}/"
    return {"name": board.image.name, "version": board.image.version, "url": link}


def application_partition(image: bytes, board: Board) -> Partition:
    """The partition `vfs` of the table inside an image; CommissionError when there is none, or it does not fit."""
    found = {part.label: part for part in partitions(image[TABLE_AT - board.image.offset :])}
    part = found.get("vfs")
    if part is None or part.offset + part.size > board.flash_mb * MEGABYTE:
        raise CommissionError("image_vfs", labels=", ".join(found) or "—", flash_mb=board.flash_mb)
    return part


def partitions(table: bytes) -> list[Partition]:
    """The rows of a partition table, which ends at the first entry without its magic."""
    rows = []
    for at in range(0, 0xC00, struct.calcsize(ENTRY)):
        if at + struct.calcsize(ENTRY) > len(table):
            break
        magic, _kind, _subkind, offset, size, label, _flags = struct.unpack_from(ENTRY, table, at)
        if magic != ENTRY_MAGIC:
            break
        rows.append(Partition(label=label.rstrip(b"\0").decode("ascii", "replace"), offset=offset, size=size))
    return rows
