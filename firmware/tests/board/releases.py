"""What an update hears: how it begins, its pieces, the lines of its manifest and who signed it."""

import asyncio
import hashlib
import json
import random
import struct

from fuzzed import BOOT, Fuzz
from node.update import Update, hear
from node.wait import call
from wire import release


class Begin(Fuzz):
    """An update that is under way; one in sixteen messages finds none, and comes the whole way."""

    leaf = "ota"
    good = [
        json.dumps({"do": "begin", "boot": BOOT, "build": 9, "size": 3100, "sig": "5a" * 384}).encode(),
        json.dumps({"do": "abort", "boot": BOOT}).encode(),
    ]

    def __init__(self):
        Fuzz.__init__(self)
        app = self.app
        self.update = Update(app.conf, app.memory, app.link.note, None, None, app.say, BOOT)

    async def once(self):
        raw, retained = self.message(), random.getrandbits(3) == 0
        app, whole = self.app, random.getrandbits(4) == 0
        self.update.order, self.update.stop = None, False
        app.update = None if whole else self.update
        hear(app.link, (call, "update", "begin", app) if whole else (self.update.receive,), None)
        self.receive(raw, retained)
        self.taken += self.judge(raw, retained)
        while whole and app.update:
            await asyncio.sleep_ms(0)

    def judge(self, raw, retained):
        update = self.app.update
        pull, self.app.link.notes = self.app.link.notes.get("pull"), {}
        if not update.order and not update.stop:
            assert b"refused" in pull, pull
            return 0
        assert self.is_sealed(raw), "taken without a seal"
        assert not retained, "kept by the broker"
        if update.order:
            _build, size, signature = update.order
            assert size <= 32768, size
            assert isinstance(signature, bytes), signature
        return 1


class Chunk(Fuzz):
    """A piece of a file, while one is wanted."""

    leaf = "chunk"
    sealed = False
    good = [struct.pack(">IBI", 9, 3, 512) + bytes(range(100)), struct.pack(">IBI", 9, 3, 0), bytes(9)]

    def __init__(self):
        Fuzz.__init__(self)
        app = self.app
        app.update = Update(app.conf, app.memory, app.link.note, None, None, app.say, BOOT)
        app.update.build, app.update.file, app.update.at = 9, 3, 512
        hear(app.link, None, (app.update.chunk,))

    def receive(self, raw, retained):
        self.app.update.piece, self.app.update.size = None, 100
        Fuzz.receive(self, raw, retained)

    def judge(self, raw, retained):
        piece = self.app.update.piece
        right = bytes(raw[:9]) == b"\0\0\0\x09\x03\0\0\2\0" and len(raw) == 109 and not retained
        assert (piece == bytes(raw[9:])) if right else piece is None, (raw, piece)
        return right


class Manifest(Fuzz):
    """The lines of a manifest, and who signed it: the files of an update are what these say."""

    leaf = "manifest"
    sealed = False
    good = [
        json.dumps({"v": 1, "version": "0.2.0", "build": 848000000, "python": [1, 25, 0], "mpy": 6,
                    "boards": ["unix"], "image": [1650000, "ab" * 32]}).encode(),
        json.dumps({"v": 1, "version": "1", "build": 8, "python": [1], "mpy": 6, "boards": ["unix", "b"]}).encode(),
        json.dumps(["node/app.mpy", 2210, "ab" * 32]).encode(),
    ]  # fmt: skip
    modulus = "c" + "7" * 767
    count = 0

    def receive(self, raw, _retained):
        self.head, self.row = attempt(release.header, raw), attempt(release.row, raw)
        if self.head:
            release.refusal(self.head, 5, "unix", (1, 25, 0), 6)
        self.count += 1
        size = random.randrange(500) if self.count & 63 else 384  # that one is reckoned with, which takes a millisecond
        signature = bytes([random.getrandbits(7) for _ in range(size)])
        assert not release.signed(hashlib.sha256(raw).digest(), signature, [self.modulus]), "nobody signed it"

    def judge(self, raw, retained):
        if self.head:
            head = self.head
            whole = [head["build"], head["mpy"]] + head["python"]
            assert head["v"] == 1
            assert not [one for one in whole if type(one) is not int], head
            assert not [one for one in head["boards"] if type(one) is not str], head
        if self.row:
            path, size, digest = self.row
            assert path[:5] in ("node/", "wire/"), path
            assert path[-4:] == ".mpy", path
            assert path.count("/") == 1, path
            assert type(size) is int, size
            assert size > 0, size
            assert type(digest) is str, digest
        return bool(self.head or self.row)


def attempt(parse, raw):
    """What it makes of a line; None when it refuses it in its own words."""
    try:
        return parse(raw)
    except ValueError as error:
        if error.args != ("manifest",):
            raise
    return None
