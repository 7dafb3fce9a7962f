"""What can be tested on a board that is not provisioned: rows as those of node.selftest.

Steps `files` (n of the running release, read back from flash, with the hashes of its manifest), `flash` (kB that are
free: an update needs the space of a second release), `memory` (kB of heap that are free), `line` (a serial line opens).
"""

import binascii
import gc
import hashlib
import json
import os

from micropython import const
from node import hal

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Console, Row

_HEAP = const(24)  # kB that the node itself needs besides this
_PIECE = const(512)


def run(app: "Console", row: "Row") -> None:
    """Each row is reported as soon as it is known."""
    size = files(app.memory.here, row)
    disk = os.statvfs(app.memory.here or ".")
    free = disk[3] * disk[1]
    row("flash", 0, free > size, str(free >> 10))
    gc.collect()
    row("memory", 0, gc.mem_free() >> 10 >= _HEAP, str(gc.mem_free() >> 10))
    serial = app.conf.get("serial", {})
    for n, name in enumerate(sorted(serial)):
        try:
            hal.opener(serial[name], {"baud": 9600})().close()
            row("line", n, True, name)
        except Exception as error:  # whatever is wrong with its pins
            row("line", n, False, "%s: %r" % (name, error))


def files(slot: str, row: "Row") -> int:
    """Bytes of the release in a slot; reported is how many of its files are good, or the first that is not."""
    size = good = 0
    try:
        with open(slot + "/manifest.json") as manifest:
            manifest.readline()
            for line in manifest:
                path, length, digest = json.loads(line)
                size += length
                if sha256(slot + "/" + path) != digest:
                    raise ValueError(path)
                good += 1
    except (OSError, ValueError) as error:
        row("files", good, False, str(error))
    else:
        row("files", good, good > 0, str(good))
    return size


def sha256(path: str) -> str:
    whole = hashlib.sha256()
    room = bytearray(_PIECE)
    with open(path, "rb") as file:
        while size := file.readinto(room):
            whole.update(memoryview(room)[:size])
    return binascii.hexlify(whole.digest()).decode()
