"""The console on USB: JSON lines on a pty against the board's interpreter."""

import asyncio
import hashlib
import json
import os
import select
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import tables
from cable import Board, Cable, install
from node_rig import FIRMWARE, KEY, NODE, SITE, Node, until

pytestmark = pytest.mark.hil
SECRETS = {"wifi": {"ssid": "house", "password": "wifi-secret"}}
TWO = [{"bus": 0, "id": 1, "wfc": 16}, {"bus": 1, "id": 3, "wfc": 16}]


class Terminal:
    """Whoever sits at the cable: writes lines, reads answers."""

    def __init__(self, path: Path):
        self.handle = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.buffer = b""
        self.number = 0
        self.log = []
        self.now = []

    def line(self, patience_s: float = 10.0) -> bytes:
        end = time.monotonic() + patience_s
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.handle], [], [], max(end - time.monotonic(), 0))
            assert ready, f"waited {patience_s} s for a line; so far {self.log} {self.buffer}"
            self.buffer += os.read(self.handle, 4096)
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.strip()

    def write(self, data: bytes) -> None:
        os.write(self.handle, data)

    def answer(self, number, patience_s: float = 20.0) -> dict:
        while True:
            line = self.line(patience_s)
            try:
                said = json.loads(line)
                assert "id" in said
            except (ValueError, AssertionError, TypeError):
                self.log.append(line)
                continue
            if "now" in said:
                self.now.append(said["now"])
            elif said["id"] == number:
                return said

    async def ask(self, do: str, **fields):
        """In a thread: the devices live in this one."""
        answer = await asyncio.to_thread(self._exchange, do, fields)
        assert "error" not in answer, answer
        return answer.get("ok")

    async def wrong(self, do: str, **fields) -> str:
        return (await asyncio.to_thread(self._exchange, do, fields))["error"]

    def _exchange(self, do: str, fields: dict) -> dict:
        self.number += 1
        self.now.clear()
        self.write(json.dumps({"id": self.number, "do": do} | fields).encode() + b"\n")
        return self.answer(self.number)


class UsbNode(Node):
    """A node whose terminal is a cable."""

    def __init__(self, micropython, directory, port):
        super().__init__(micropython, directory, FIRMWARE, port)
        for link in list(directory.iterdir()):
            link.unlink()
        install(directory)
        self.cable = Cable(directory.parent / "usb")
        self.board = None

    def start(self, poll=None, **conf):
        if poll is not None:
            (self.directory / "table.json").write_text(json.dumps(poll))
        (self.directory / "node.json").write_text(json.dumps({**self.conf, **conf}))
        self.power()

    def power(self):
        command = [self.micropython, "-X", "heapsize=112k", "main.py"]
        self.board = Board(command, self.directory, self.cable, {"MICROPYPATH": ".frozen:."})

    def said(self):
        return self.cable.heard.decode(errors="replace")

    @contextmanager
    def terminal(self):
        terminal = Terminal(self.cable.link)
        try:
            yield terminal
        finally:
            os.close(terminal.handle)

    def kill(self):
        if self.board:
            self.board.close()
        self.cable.close()


@pytest.fixture
async def usb(micropython, broker, tmp_path):
    node = UsbNode(micropython, tmp_path / "node", broker.port)
    yield node
    node.kill()
    assert "Traceback" not in node.said(), node.said()


async def test_it_reports_who_it_is(usb):
    usb.start(**SECRETS)
    with usb.terminal() as terminal:
        info = await terminal.ask("info")
    assert (info["site"], info["node"]) == (SITE, NODE)
    assert len(bytes.fromhex(info["uid"])) == 6
    assert info["key"] == hashlib.sha256(KEY.hex().encode()).hexdigest()[:8]
    assert "MicroPython" in info["python"]
    assert "node.usb" in info["modules"]
    assert "node.console" not in info["modules"]  # which is there for its answers only
    with usb.terminal() as terminal:
        await terminal.ask("health")
        modules = (await terminal.ask("info"))["modules"]
    assert "node.scan" not in modules
    assert "node.selftest" not in modules


async def test_no_answer_holds_a_secret(usb, inverter):
    inverter.put(0, 7)
    usb.start(tables.table([tables.tcp(inverter.port)], TWO[:1], [tables.block(0, 0, 1)]), **SECRETS)
    with usb.terminal() as terminal:
        shown = (await terminal.ask("get"))["node"]
        assert (shown["key"], shown["broker"]["password"], shown["wifi"]["password"]) == ("***", "***", "***")
        assert (shown["broker"]["user"], shown["wifi"]["ssid"]) == ("cellar", "house")
        await terminal.ask("set", node={"wifi": {"ssid": "house", "password": "another-secret"}}, label="label-secret")
        await terminal.wrong("set", node={"wifi": {"ssid": "house", "password": "short"}})
        await terminal.wrong("set", node={"key": "not-a-key-secret"})
        assert (await terminal.wrong("set", node={"key": "0" * 64})).startswith("key: allowed is 64 random")
        for do in ("info", "health", "get", "log", "test"):
            await terminal.ask(do)
        await terminal.ask("commit")
        terminal.write(b'{"id": 99, "do": "get", "node"\n')
        await until(lambda: usb.board.starts == 2, "the restart")
        await terminal.ask("get")
    for secret in (KEY.hex(), "damp", "wifi-secret", "another-secret", "label-secret", "short", "not-a-key-secret"):
        assert secret not in usb.said(), secret


async def test_what_is_set_is_kept_only_after_commit_and_a_restart(usb):
    usb.start()
    with usb.terminal() as terminal:
        before = json.loads((usb.directory / "node.json").read_text())
        poll = json.dumps(tables.table([], []))
        assert await terminal.ask("set", node={"led": 5, "serial": None}, table=poll) == ["node.json", "table.json"]
        assert json.loads((usb.directory / "node.json").read_text()) == before
        assert await terminal.ask("commit") is None
        await until(lambda: usb.board.starts == 2, "the restart")
        assert (await terminal.ask("get"))["table"] == poll
    wanted = before | {"led": 5}
    del wanted["serial"]
    assert json.loads((usb.directory / "node.json").read_text()) == wanted
    assert json.loads(json.loads((usb.directory / "nvs.json").read_text())["node"]) == wanted


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"node": {"wifi": {"ssid": "house", "password": "1234567"}}}, "wifi.password: allowed is text of length 8"),
        ({"node": {"site": "a/b"}}, "site: allowed is"),
        ({"node": {"key": None}}, "key: allowed is"),
        ({"table": "{}"}, "v: allowed is"),
        (
            {"table": '{"v": 1, "buses": [{"kind": "can"}], "units": [], "blocks": [], "actuators": []}'},
            "buses[0].kind",
        ),
    ],
)
async def test_a_mistake_is_refused_with_its_place_and_what_is_allowed(usb, fields, message):
    usb.start()
    with usb.terminal() as terminal:
        assert (await terminal.wrong("set", **fields)).startswith(message)
        assert await terminal.wrong("commit") == "nothing is set"


async def test_noise_long_lines_and_nonsense_do_no_harm(usb):
    usb.start()
    with usb.terminal() as terminal:
        terminal.write(b"\x00\xffhello {}\r\n\r\n" + b'{"id": 5' + b" " * 9000 + b"}\n" + b"x" * 20000 + b"\n")
        assert (await terminal.ask("info"))["node"] == NODE
        for line in (
            b"{",
            b"{}",
            b"{[]}",
            b'{"id": 7}',
            b'{"id": 7, "do": "fly"}',
            b'{"id": 7, "do": []}',
            b'{"id": ' + b"[" * 300 + b"]" * 300 + b', "do": "info"}',
            b"{" + b"[" * 3000,
        ):
            terminal.write(line + b"\n")
            if line[:3] != b"{[[":
                assert "error" in terminal.answer(7 if b"7" in line else None)
        heap = [(await terminal.ask("health"))["heap_free"] for _ in range(12)]
        assert abs(heap[3] - heap[-1]) < 600, heap


async def test_finds_the_units_of_a_line_while_the_node_polls_it(usb, gateway, meter):
    meter.units = {1, 9, 12}
    meter.put(0, 7)
    meter.faults_for, meter.fault = {12}, lambda _request, _right: bytes((12, 0x83, 2))
    usb.start(tables.table([tables.line()], TWO[:1], [tables.block(0, 0, 1)]))
    with usb.terminal() as terminal:
        asked = {"bus": {"kind": "rtu", "port": "rs485", "parity": "N", "stop": 1}, "baud": [9600], "timeout_ms": 60}
        found = await terminal.ask("scan", **asked, **{"from": 1, "to": 14})
        assert found == [[9600, 1, 3, 0], [9600, 9, 3, 0], [9600, 12, 3, 3]]
        assert terminal.now == [[9600, unit] for unit in range(1, 15)]
        assert await terminal.ask("scan", bus=0, **{"from": 8, "to": 10}) == [[None, 9, 3, 0]]
    await gateway.record(0)  # it goes on


async def test_a_scan_lets_the_polls_of_its_line_through(usb, gateway, meter):
    """Sixteen questions that nobody answers, 0.08 s each, on the line that is polled each 0.1 s."""
    meter.put(0, 7)
    usb.start(tables.table([tables.line()], TWO[:1], [tables.block(0, 0, 1, ms=100)]))
    await gateway.record(0)
    with usb.terminal() as terminal:
        begin = len(meter.asked)
        assert await terminal.ask("scan", bus=0, timeout_ms=60, **{"from": 20, "to": 27}) == []
    units = [unit for _, unit, *_ in meter.asked[begin:]]
    first, last = units.index(20), len(units) - units[::-1].index(27)
    assert units[first:last].count(1) >= 6


@pytest.mark.parametrize("units", [{"from": 1, "to": 256}, {"from": -1, "to": 5}, {"from": 1, "to": 1 << 70}])
async def test_asks_only_units_that_there_can_be(usb, units):
    usb.start()
    with usb.terminal() as terminal:
        bus = {"kind": "rtu", "port": "rs485", "baud": 9600}
        assert await terminal.wrong("scan", bus=bus, **units) == "from, to: allowed is 0 to 255"


async def test_reads_any_register(usb, meter, inverter):
    meter.put(52, 0x447A, 0x0001)
    inverter.put(100, 0xBEEF)
    usb.start(tables.table([tables.line()], TWO[:1], [tables.block(0, 52, 2)]))
    with usb.terminal() as terminal:
        assert await terminal.ask("read", bus=0, unit=1, fc=4, a=52, n=2) == {"flag": 0, "data": "447a0001"}
        bus = tables.tcp(inverter.port)
        assert await terminal.ask("read", bus=bus, unit=1, fc=3, a=100, n=1) == {"flag": 0, "data": "beef"}
        assert await terminal.ask("read", bus=bus, unit=1, fc=3, a=101, n=1) == {"flag": 3, "data": ""}
        assert await terminal.ask("read", bus=bus, unit=9, fc=3, a=100, n=1) == {"flag": 1, "data": ""}


async def test_the_self_test_shows_devices_broker_and_refusals(usb, meter, inverter):
    """No gateway runs. Unit 3 of the second bus is not there."""
    meter.put(52, 0x447A, 0x0000)
    inverter.put(40000, 0x5375, 0x6E53, 103, 50, *range(50), 0xFFFF, 0)
    units = [*TWO, {"bus": 1, "id": 1, "wfc": 16}]
    blocks = [tables.block(0, 52, 2), tables.block(1, 0, 1, fc=3), tables.block(2, 14, 2, fc=3, m=103)]
    usb.start(tables.table([tables.line(), tables.tcp(inverter.port)], units, blocks, [tables.BATTERY | {"u": 1}]))
    with usb.terminal() as terminal:
        loaded = (await terminal.ask("info"))["modules"]
        rows = await terminal.ask("test")
        assert terminal.now == rows
        assert set((await terminal.ask("info"))["modules"]) <= set(loaded), "nothing stays"
    message = {(row["step"], row["n"]): (row["ok"], row["text"]) for row in rows}
    assert int(message.pop(("broker", 0))[1]) < 5000
    assert message == {
        ("block", 0): (True, "447a0000"),
        ("unit", 0): (True, "0"),
        ("unit", 1): (False, "1"),
        ("block", 2): (True, "000c000d"),
        ("unit", 2): (True, "0"),
        ("order", 0): (True, "2"),
    }
    assert [entry for entry in inverter.written if entry[1] == 1] == []


async def test_the_self_test_says_when_the_broker_is_not_there(usb, broker):
    broker.kill()
    usb.start(tables.table([], []))
    with usb.terminal() as terminal:
        rows = {row["step"]: (row["ok"], row["text"]) for row in await terminal.ask("test")}
    assert rows == {"unit": (False, "table.json"), "broker": (False, "-1"), "order": (True, "2")}


async def test_restarts_that_somebody_wanted_do_not_lead_to_safe_mode(usb):
    usb.start()
    for count in range(4):
        await until(lambda count=count: usb.board.starts == count + 1, "the start")
        with usb.terminal() as terminal:
            assert (await terminal.ask("info"))["mode"] == "run"
            await terminal.ask("reboot")
