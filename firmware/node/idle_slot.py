"""The slot that does not run: what is in it, what may come into it, and whether its manifest is one of ours."""

import asyncio
import hashlib
import json
import os
import sys

from micropython import const
from wire import release

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat


class Refusal(Exception):
    """One word of wire.release."""


def folders(slot: str) -> None:
    for path in ("", "/node", "/wire"):
        try:
            os.mkdir(slot + path)
        except OSError:
            pass  # it is there


def checked(path: str, digest: bytes, signature: bytes, here: str, board: str) -> dict:
    """The first line of a manifest that was signed for this board; Refusal when it is none, or older than ours."""
    with open("keys.json") as file:
        if not release.signed(digest, signature, json.load(file)["release"]):
            raise Refusal("sign")
    with open(path) as file:
        head = release.header(file.readline())
    with open(here + "/manifest.json") as file:
        build = json.loads(file.readline())["build"]
    mpy = sys.implementation._mpy & 255  # noqa: SLF001  there is no other name for it
    why = release.refusal(head, build, board, sys.implementation.version[:3], mpy)
    if why:
        raise Refusal(why)
    return head


def make_room(slot: str, manifest: str) -> None:
    """Nothing is in the slot that the new release has not."""
    listed = {}
    with open(manifest) as lines:
        lines.readline()
        for line in lines:
            path, size, _ = release.row(line)
            listed[path] = size
    for folder in ("node", "wire"):
        for entry in os.ilistdir(slot + "/" + folder):
            if folder + "/" + entry[0] not in listed:
                os.remove(slot + "/" + folder + "/" + entry[0])
    disk = os.statvfs(slot)
    free = disk[3] * disk[1]
    for path, size in listed.items():
        free -= max(size - File(slot + "/" + path).size(), 0) + disk[0]
    if free < 0:
        raise Refusal("room")


class File:
    """One file of it, as far as it has come."""

    def __init__(self, path: str) -> None:
        self.path = path

    def size(self) -> int:
        try:
            return os.stat(self.path)[6]
        except OSError:
            return 0

    def append(self, piece: bytes) -> None:
        with open(self.path, "ab") as file:
            file.write(piece)

    def remove(self) -> None:
        try:
            os.remove(self.path)
        except OSError:
            pass  # there is none

    async def digest(self, beat: "Beat") -> bytes:
        """SHA-256 of what is in flash."""
        whole = hashlib.sha256()
        room = bytearray(release.CHUNK)
        with open(self.path, "rb") as file:
            while size := file.readinto(room):
                whole.update(memoryview(room)[:size])
        beat()
        await asyncio.sleep_ms(0)
        return whole.digest()
