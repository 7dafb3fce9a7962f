"""For the board's interpreter: a node's update without the rest of the node, fed by a gateway in the same process."""

import asyncio
import binascii
import hashlib
import json
import os
import struct
import sys

import slot
from node.trial import Trial
from node.update import Update
from wire import release, topics
from wire.sealing import seal

KEY = bytes(range(32))
CONF = {"key": binascii.hexlify(KEY).decode(), "board": "unix"}
START = list(sys.path)


def sha(raw):
    return binascii.hexlify(hashlib.sha256(raw).digest()).decode()


def write(name, raw):
    with open(name, "wb") as file:
        file.write(raw)


def install(name, manifest, files, keys):
    """A slot as the installer leaves it."""
    for path in (name, name + "/node", name + "/wire"):
        os.mkdir(path)
    for path, raw in files.items():
        write(name + "/" + path, raw)
    write(name + "/manifest.json", manifest)
    write("keys.json", json.dumps({"release": keys}).encode())


def whole(name):
    """The build of a slot in which every file is as its manifest says, or a word."""
    try:
        with open(name + "/manifest.json") as file:
            head, *rows = [json.loads(line) for line in file]
        for path, size, digest in rows:
            with open(name + "/" + path, "rb") as file:
                raw = file.read()
            if len(raw) != size or sha(raw) != digest:
                return path
        return head["build"]
    except (OSError, ValueError) as error:
        return repr(error)


memory = slot.memory()


def boot():
    """A restart: (slot, mode)."""
    global memory
    sys.path[:] = START
    asyncio.new_event_loop()
    memory, mode = slot.begin()
    return memory.here, mode


class Gateway:
    """Serves `files`; notes what the node says. `spoil(file, at, piece)` may change or drop (None) a piece."""

    def __init__(self, manifest, signature, files, boot=7):
        self.files = files
        self.sign(manifest, signature)
        self.boot = boot
        self.said = []
        self.asked = []
        self.spoil = lambda _number, _at, piece: piece
        self.resumed = 0  # times that orders may be obeyed again
        self.safe = [True]  # answers of release_all; the last one again and again
        self.update = Update(CONF, memory, self.hear, self.release_all, self.go_on, print, 7)

    def sign(self, manifest, signature):
        head, *rows = [json.loads(line) for line in manifest.decode().split("\n") if line]
        self.manifest = manifest
        self.signature = signature
        self.build = head["build"]
        self.order = [row[0] for row in rows]

    async def release_all(self):
        return self.safe.pop(0) if len(self.safe) > 1 else self.safe[0]

    def go_on(self):
        self.resumed += 1

    def begin(self, key=KEY, retained=0, **more):
        order = {"do": "begin", "boot": self.boot, "build": self.build, "size": len(self.manifest)}
        order["sig"] = self.signature
        order.update(more)
        self.update.receive(seal(key, topics.OTA, json.dumps(order)), retained)

    def hear(self, _leaf, payload):
        said = json.loads(payload)
        if not self.said or self.said[-1] != (said["state"], said["why"]):
            self.said.append((said["state"], said["why"]))
        if said["state"] == "pull":
            number, at, size = said["file"], said["at"], said["n"]
            if number == release.MANIFEST:
                piece = self.manifest[at : at + size]
            else:
                self.asked.append((number, at, size))
                piece = self.files["image" if number == release.IMAGE else self.order[number]][at : at + size]
                piece = self.spoil(number, at, piece)
            if piece is not None:
                self.update.chunk(memoryview(struct.pack(release.HEAD, said["build"], number, at) + piece), 0)

    def run(self):
        """True when the node must restart."""
        self.begin()
        return asyncio.run(self.update.run(lambda: None))


def prove(fit=lambda: True):
    return asyncio.run(Trial(memory, memory.here).run(lambda: None, fit))
