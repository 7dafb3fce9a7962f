"""The board's file system, built without the board: LittleFS 2 as the interpreter mounts it."""

from collections.abc import Mapping

from littlefs import LittleFS, UserContext

from gateway.commission.faults import CommissionError

BLOCK = 4096  # a sector of the flash
FIRST = 1 << 20  # files begin anywhere: a small file system that grows at the end is quicker to flash
DISK_VERSION = 0x00020000  # any interpreter reads 2.0; 2.1 needs a young one
ERASED = b"\xff"


def build(files: Mapping[str, bytes], size: int) -> bytes:
    """The first blocks of a partition of `size` bytes that holds these files (path -> content); the rest is erased."""
    room = UserContext(size)
    first = min(size, FIRST)
    disk = LittleFS(context=room, block_size=BLOCK, block_count=first // BLOCK, disk_version=DISK_VERSION)
    for path, content in files.items():
        folder, _, _ = path.rpartition("/")
        if folder:
            disk.makedirs(folder, exist_ok=True)
        try:
            with disk.open(path, "wb") as file:
                file.write(content)
        except OSError as error:
            raise CommissionError("too_big", size_kb=first // 1024) from error
    if size > first:
        disk.fs_grow(size // BLOCK)
    disk.unmount()
    image = bytes(room.buffer).rstrip(ERASED)
    return image + ERASED * (-len(image) % BLOCK)
