"""What stands around a node in the tests: a real broker, the node's own process, and a gateway that only listens.

The gateway seals with Python's hmac and not with the wire's own code.
"""

import asyncio
import atexit
import functools
import getpass
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
from wire import records, table, topics

from gateway.adapters.node import batches
from gateway.adapters.sntp import TimeServer, serve_time
from gateway.release.build import install_firmware

HERE = Path(__file__).parent
FIRMWARE = HERE.parent
FAST = HERE / "fast"
SITE, NODE = "test", "cellar"
KEY = bytes(range(32))
PATIENCE_S = 45.0  # for a busy machine: nothing is judged by it
GIVEN_UP_S = 1.0  # what was under way when the broker died is never confirmed: without an end of its own it costs 10 s


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def seal(leaf: str, text: str, key: bytes = KEY) -> bytes:
    return hmac.digest(key, leaf.encode() + b"\0" + text.encode(), hashlib.sha256) + text.encode()


async def until(condition, what: str, patience_s: float = PATIENCE_S):
    """Waits for a condition that other tasks bring about; gives its value."""
    end = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {patience_s} s for {what}"
        await asyncio.sleep(0.01)
    return value


def unpacked(payload: bytes) -> tuple:
    """(table, boot, oldest, rows) of a batch; a row is (seq, s, ms, clock, block, flag, registers)."""
    batch = batches.decode(payload)
    rows = [(r.seq, r.s, r.ms, r.clock, r.block, r.flag, tuple(r.registers)) for r in batch.records]
    return batch.table, batch.boot, batch.oldest, rows


@functools.cache
def compiled_firmware() -> Path:
    """A folder with what a board has at its root, compiled as for a board: its heap has no room for a compiler."""
    folder = Path(tempfile.mkdtemp(prefix="zen-firmware-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    install_firmware(folder)
    return folder


class Broker:
    """mosquitto on a port of its own; with a certificate (and its key, in one file) also on `tls_port`."""

    def __init__(self, executable: str, directory: Path, certificate: Path | None = None):
        self.executable = executable
        self.port = free_port()
        self.tls_port = free_port()
        self.conf = directory / "mosquitto.conf"
        text = f"allow_anonymous true\nset_tcp_nodelay true\nlistener {self.port} 127.0.0.1\n"
        text += f"user {getpass.getuser()}\n"  # as root it would become somebody who may not read the certificate
        if certificate:
            text += f"listener {self.tls_port} 127.0.0.1\ncertfile {certificate}\nkeyfile {certificate}\n"
        self.conf.write_text(text)

    async def start(self) -> None:
        self.process = subprocess.Popen([self.executable, "-c", self.conf], stderr=subprocess.DEVNULL)
        await until(self._listens, "the broker")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Node:
    """The firmware as it is, on the board's interpreter with the heap of an ESP32."""

    modules = "."  # where the interpreter looks for them
    heap = "112k"

    def __init__(self, micropython: str, directory: Path, firmware: Path, port: int):
        directory.mkdir()
        for path in compiled_firmware().iterdir():
            (directory / path.name).symlink_to(path)
        self.micropython = micropython
        self.directory = directory
        self.conf = {
            "site": SITE,
            "node": NODE,
            "broker": {"host": "127.0.0.1", "port": port, "user": "cellar", "password": "damp"},
            "key": KEY.hex(),
            "serial": {name: str(directory.parent / name) for name in ("rs485", "tic")},
        }
        self.process = None
        self.output = directory / "output"
        self.speed = 1  # times as fast as real time: see fast/time.py
        self.program = "main.py"

    def start(self, poll: dict | None = None, **conf) -> None:
        if poll is not None:
            (self.directory / "table.json").write_text(json.dumps(poll))
        (self.directory / "node.json").write_text(json.dumps({**self.conf, **conf}))
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                [self.micropython, "-X", f"heapsize={self.heap}", self.program],
                cwd=self.directory,
                env={**os.environ, "MICROPYPATH": self._path(), "ZEN_SPEED": str(self.speed)},
                stdout=output,
                stderr=output,
            )

    def table(self) -> dict:
        """The table it keeps, read as a node reads it: while a new one takes its place there is only the one before."""
        for name in ("table.json", "table.json.old"):
            try:
                return json.loads((self.directory / name).read_text())
            except FileNotFoundError:
                continue
        return {}

    def _path(self) -> str:
        return f".frozen:{FAST}:{self.modules}" if self.speed > 1 else f".frozen:{self.modules}"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""


class Shifted:
    """A clock that can be put forward and back."""

    offset_s = 0.0

    def utc_s(self) -> float:
        return time.time() + self.offset_s

    def monotonic_s(self) -> float:
        return time.monotonic()


class Gateway:
    """Keeps what the node says; tells it what was heard; publishes tables and orders; knows the time."""

    def __init__(self, port: int):
        self.port = port
        self.clock = Shifted()
        self.time_port = 0
        self.batches = []  # (monotonic, table, boot, oldest, records)
        self.stored = {}  # boot → set of sequences
        self.copies = 0
        self.acks = []
        self.states = []
        self.health = []
        self.tests = []
        self.sid = int(time.time()) - records.EPOCH_2000
        self.seq = 0
        self.hears = True
        self.connected = asyncio.Event()
        self.closing = False

    async def __aenter__(self):
        self.time = serve_time(
            TimeServer(clock=self.clock, is_trusted=lambda: True), host="127.0.0.1", port=self.time_port
        )
        self.time_port = await self.time.__aenter__()
        self.task = asyncio.create_task(self._run())
        await asyncio.wait_for(self.connected.wait(), PATIENCE_S)
        return self

    async def __aexit__(self, *_exc):
        await self.time.__aexit__(*_exc)
        self.closing = True  # aiomqtt may turn a cancellation into an error of its own
        while not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task], timeout=1)

    async def say(
        self, leaf: str, payload: bytes | str, *, node: str = NODE, qos: int = 1, retain: bool = False
    ) -> None:
        await self.connected.wait()
        await self.client.publish(topics.topic(SITE, node, leaf), payload, qos=qos, retain=retain)

    async def configure(self, poll: dict, key: bytes = KEY, number: int = 0) -> None:
        text = json.dumps(poll)
        if number:
            text = f'{{"n":{number},{text[1:]}'
        await self.say(topics.CFG, seal(topics.CFG, text, key), retain=True)

    async def order(self, values, *, key: bytes = KEY, retain: bool = False, **fields) -> int:
        """Gives its sequence."""
        self.seq += 1
        order = {"boot": self.boot, "sid": self.sid, "seq": self.seq, "act": 0, "v": values, "ttl": 10000}
        order |= {"at": int(time.time()) - records.EPOCH_2000} | fields
        await self.say(topics.SET, seal(topics.SET, json.dumps(order), key), retain=retain)
        return order["seq"]

    @property
    def boot(self) -> int:
        """Of the node's present run; 0 before it has said it."""
        return next((state["boot"] for state in reversed(self.states) if state["up"]), 0)

    async def ack(self, done: str, seq: int | None = None, patience_s: float = PATIENCE_S) -> dict:
        """The first ack of that kind (and sequence); it is taken out."""

        def find():
            for ack in self.acks:
                if ack["done"] == done and (seq is None or ack["seq"] == seq):
                    self.acks.remove(ack)
                    return ack
            return None

        return await until(find, f"ack {done} of {seq}; there are {self.acks}", patience_s)

    async def record(self, block: int, flag: int = records.OK, patience_s: float = PATIENCE_S) -> tuple:
        """The next record of a block with that flag."""
        seen = len(self.batches)

        def find():
            rows = (row for batch in self.batches[seen:] for row in batch[4] if row[4] == block and row[5] == flag)
            return next(rows, None)

        return await until(find, f"record of block {block}, flag {flag}", patience_s)

    def records(self, block: int | None = None) -> list[tuple]:
        return [row for batch in self.batches for row in batch[4] if block is None or row[4] == block]

    async def _run(self):
        while not self.closing:
            try:
                async with aiomqtt.Client("127.0.0.1", self.port, identifier="gateway") as self.client:
                    await self.client.subscribe(f"zev/1/{SITE}/+/+", qos=1)
                    self.connected.set()
                    async for message in self.client.messages:
                        await self._take(message)
            except aiomqtt.MqttError:
                self.connected.clear()
                await asyncio.sleep(0.2)

    async def _take(self, message):
        leaf = message.topic.value.split("/")[4]
        if leaf == topics.DATA:
            identity, boot, oldest, rows = unpacked(message.payload)
            self.batches.append((time.monotonic(), identity, boot, oldest, rows))
            await self._store(boot, oldest, rows)
        elif leaf == topics.ACK:
            self.acks.append(json.loads(message.payload))
        elif leaf == topics.STATE and message.topic.value.split("/")[3] == NODE:
            self.states.append(json.loads(message.payload))
        elif leaf == topics.HEALTH:
            self.health.append(json.loads(message.payload))
        elif leaf == topics.TEST:
            self.tests.append(json.loads(message.payload))

    async def _store(self, boot, oldest, rows):
        if not self.hears:
            return
        stored = self.stored.setdefault(boot, set())
        for row in rows:
            self.copies += row[0] in stored
            stored.add(row[0])
        upto = oldest - 1
        while upto + 1 in stored:
            upto += 1
        await self.client.publish(
            topics.topic(SITE, NODE, topics.HEARD), json.dumps({"boot": boot, "seq": upto}), timeout=GIVEN_UP_S
        )


def figure(capsys, text: str) -> None:
    """Shows a measured figure in the test's output."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def identity(poll: dict) -> int:
    return table.identity(json.dumps(poll))
