"""A new release into the idle slot, piece by piece; the conversation is described in wire.release.

Loaded when the gateway begins one, dropped when it has ended. Files are appended to as their pieces come, so what is
there need not be sent again after a restart; a file counts when its hash, read back from flash, is that of the signed
manifest. The old release stays complete until the new one is, and the switch is one number in NVS.
"""

import asyncio
import binascii
import json
import os
import struct

from micropython import const
from node.idle_slot import File, Refusal, checked, folders, make_room
from node.wait import Bell, call, forget
from wire import release
from wire.seal import SealError, unseal_json

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable

    from kinds import Beat, Buffer, Conf, Handler, Memory, Part, Ready, Say
    from node.app import App
    from node.link import Link

_OTA = const("ota")  # those of wire.topics
_CHUNK = const("chunk")
_PULL = const("pull")
_ASK_MS = const(2000)  # for a piece, doubled up to …
_ASK_MAX_MS = const(4000)  # … which is also how often the supervisor hears of us
_SILENCE = const(900)  # questions without an answer, an hour
_ATTEMPTS = const(3)  # for a file whose hash is wrong
_LEASE_TRIES = const(12)
_LEASE_MS = const(5000)
_GOODBYE_MS = const(1000)
_HEAD_SIZE = const(9)
_MANIFEST_SIZE = const(32768)  # at most
_PATIENT_MS = const(90000)  # the deadline of a check-in: a slow flash


def begin(app: "App", payload: "Buffer", retained: bool) -> None:
    """The first message of an update makes it, and a job of the app that ends with it."""
    job = Job(app)
    app.update = Update(app.conf, app.memory, app.link.note, job.let_go, job.go_on, app.say, app.boot)
    hear(app.link, (app.update.receive,), (app.update.chunk,))
    app.update.receive(payload, retained)
    app.supervisor.start("update", job.run, _PATIENT_MS)


def hear(link: "Link", ota: "Handler", chunk: "Handler") -> None:
    """Who hears the messages of the topics `ota` and `chunk` from now on, as handlers of node.mqtt."""
    link.mqtt.handlers[(link.topic + _OTA).encode()] = ota
    link.mqtt.handlers[(link.topic + _CHUNK).encode()] = chunk


class Job:
    before: str = None  # why no order was taken before this update shut them out

    def __init__(self, app: "App") -> None:
        self.app = app

    async def run(self, beat: "Beat") -> None:
        """Until nothing is left to do, or the node restarts."""
        app = self.app
        if await app.update.run(beat):
            app.supervisor.end("update")
        else:
            self.go_on()
        app.update = None
        hear(app.link, (call, "update", "begin", app), None)
        forget("node.idle_slot")
        forget("wire.release")

    async def let_go(self) -> bool:
        """Every lease ends, and no order is taken until `go_on`; True when every device took its safe values."""
        app, orders = self.app, self.app.orders
        silent = sorted(app.plant.silent())  # they may be so under the new release, too
        app.memory.write("silent", json.dumps(silent))
        if self.before is None:
            self.before, orders.shut = orders.shut, "update"
        orders.leave("safe")
        return await call("shutdown", "safe", app.plant)

    def go_on(self) -> None:
        """Nothing came of it: orders are taken as before."""
        if self.before is not None:
            self.app.orders.shut, self.before = self.before, None


class Update:
    """`publish(leaf, payload)` sends or drops.

    `release_all()`, a coroutine, is True when every actuator is safe and will stay so, until `go_on()`.
    """

    build = 0  # of the release under way
    state = why = ""
    file = at = 0  # the piece that is wanted
    size = 0  # … and its bytes; 0: none is
    piece: bytes = None
    order: tuple[int, int, bytes] = None  # (build, size of the manifest, signature) to begin with
    signature: bytes = None  # of what is under way
    stop = False
    fault = "flash"

    def __init__(
        self,
        conf: "Conf",
        memory: "Memory",
        publish: "Callable[[str, bytes], object]",
        release_all: "Ready",
        go_on: "Callable[[], object]",
        say: "Say",
        boot: int,
    ) -> None:
        self.conf = conf
        self.memory = memory
        self.publish = publish
        self.release_all = release_all
        self.go_on = go_on
        self.say = say
        self.boot = boot
        self.bell = Bell()
        self.idle = "a" if memory.here == "b" else "b"

    def receive(self, payload: "Buffer", retained: bool) -> None:
        """A message of the topic `ota`."""
        why = "boot"
        try:
            order = unseal_json(binascii.unhexlify(self.conf["key"]), _OTA, payload)
            if order["boot"] == self.boot and not retained:
                why = ""
                if order["do"] == "abort":
                    self.stop = True
                else:
                    signature = binascii.unhexlify(order["sig"])
                    if signature != self.signature:  # the same again only asks where we are
                        self.order = order["build"] + 0, min(order["size"], _MANIFEST_SIZE), signature
        except SealError:
            why = "seal"
        except MemoryError:
            why = "memory"
        except Exception:
            why = "manifest"
        if why:  # what is under way goes on
            self._tell("refused", why)
        self.bell.ring()

    def chunk(self, payload: "Buffer", retained: bool) -> None:
        """A message of the topic `chunk`."""
        if not retained and len(payload) == _HEAD_SIZE + self.size:
            if struct.unpack_from(release.HEAD, payload) == (self.build, self.file, self.at):
                self.piece = bytes(payload[_HEAD_SIZE:])
                self.size = 0
                self.bell.ring()

    def status(self) -> dict:
        return {
            "boot": self.boot, "build": self.build, "file": self.file, "at": self.at, "n": self.size,
            "state": self.state, "why": self.why,
        }  # fmt: skip

    async def run(self, beat: "Beat") -> bool:
        """Until nothing is left to do; True when the node must restart, into the other slot."""
        while self.order:
            self.stop = False
            self.fault = "flash"
            try:
                await self._install(beat)
                return True
            except Refusal as error:
                self.why = error.args[0]
            except MemoryError:
                self.why = "memory"
            except (ValueError, TypeError):
                self.why = "manifest"
            except (OSError, ImportError) as error:
                self.say("update: %r" % error)
                self.why = self.fault
            self.size = 0
            self.signature = None
            self.go_on()
            self._set("refused")
        return False

    async def _install(self, beat: "Beat") -> None:
        (self.build, size, self.signature), self.order = self.order, None
        self.why = ""
        if not self.memory.here:
            raise Refusal("slots")
        if self.memory.get("trial"):
            raise Refusal("trial")
        name = self.idle + "/manifest.json"
        manifest = File(name + ".new")
        folders(self.idle)
        manifest.remove()
        await self._fill(release.MANIFEST, manifest, size, beat)
        found = await manifest.digest(beat)
        head = checked(manifest.path, found, self.signature, self.memory.here, self.conf.get("board", ""))
        if head["build"] != self.build:
            raise Refusal("manifest")
        File(name).remove()  # from here on the idle slot could not run
        make_room(self.idle, manifest.path)
        with open(manifest.path) as lines:
            lines.readline()
            for number, line in enumerate(lines):
                path, size, digest = release.row(line)
                await self._fetch(number, File(self.idle + "/" + path), size, digest, beat)
        named, image = head.get("image"), None
        if named:
            self.fault = "image"
            from node.hal_image import Image

            image = Image(self.idle + "/image.at", *named)
            await self._fetch(release.IMAGE, image, image.length, image.name, beat)
        await self._safe(beat)
        os.rename(manifest.path, name)
        if image:
            image.activate()
        number = " ab".find(self.idle)
        for key, value in ("slot", 3 - number), ("short", 0), ("tries", 1), ("test", 1), ("trial", number):
            self.memory.put(key, value)  # the last one is the switch
        self._set("switch")
        await asyncio.sleep_ms(_GOODBYE_MS)

    async def _fetch(self, number: int, part: "Part", size: int, digest: str, beat: "Beat") -> None:
        for _ in range(_ATTEMPTS):
            await self._fill(number, part, size, beat)
            if binascii.hexlify(await part.digest(beat)).decode() == digest:
                return
            part.remove()
        raise Refusal("hash")

    async def _fill(self, number: int, part: "Part", size: int, beat: "Beat") -> None:
        at = part.size()
        while at < size:
            piece = await self._piece(number, at, min(release.CHUNK, size - at), beat)
            part.append(piece)
            at += len(piece)

    async def _piece(self, number: int, at: int, size: int, beat: "Beat") -> bytes:
        """These bytes of a file; the gateway is asked again and again."""
        self.file, self.at, self.size = number, at, size
        pause_ms = _ASK_MS
        for _ in range(_SILENCE):
            self._set("pull")
            await self.bell.wait_ms(pause_ms)
            beat()
            if self.stop or self.order:
                raise Refusal("abort")
            if not self.size:
                return self.piece
            pause_ms = _ASK_MAX_MS
        raise Refusal("silence")

    async def _safe(self, beat: "Beat") -> None:
        """No actuator may keep a set-point while the node restarts."""
        for _ in range(_LEASE_TRIES):
            if await self.release_all():
                return
            self._set("wait")
            beat()
            await asyncio.sleep_ms(_LEASE_MS)
        raise Refusal("lease")

    def _set(self, state: str) -> None:
        self.state = state
        self._tell(state, self.why)

    def _tell(self, state: str, why: str) -> None:
        message = self.status()
        message["state"] = state
        message["why"] = why
        self.publish(_PULL, json.dumps(message).encode())
