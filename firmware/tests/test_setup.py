"""The setup form: a real HTTP client and a real browser against the board's interpreter."""

import asyncio
import json
import os
import socket
from pathlib import Path

import httpx
import pytest
import tables
from boards import Workshop
from cable import Board, Cable, install
from node_rig import KEY, NODE, SITE, free_port, identity, until

from gateway.cli.node.greeting import greet
from gateway.release.keys import new_pair
from gateway.rig.browser import Chromium

pytestmark = pytest.mark.hil
FORM = {"ssid": "house", "wifi": "12345678", "host": "10.0.0.1", "site": "lens", "node": "cellar", "key": KEY.hex()}
PINS = {"board": "esp32s3", "serial": {"rs485": {"uart": 1, "tx": 17, "rx": 18}}}


class Blank:
    """A board that nobody has told anything, but what it is."""

    def __init__(self, micropython: str, directory: Path):
        directory.mkdir()
        install(directory)
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.write(PINS)
        self.cable = Cable(directory.parent / "usb")
        command = [micropython, "-X", "heapsize=112k", "main.py"]
        self.board = Board(command, directory, self.cable, {"MICROPYPATH": ".frozen:."})

    def write(self, conf: dict) -> None:
        (self.directory / "node.json").write_text(json.dumps(conf | {"setup_port": self.port}))

    def conf(self) -> dict:
        return json.loads((self.directory / "node.json").read_text())

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self.board.close()
        self.cable.close()


@pytest.fixture
async def blank(micropython, tmp_path):
    blank = Blank(micropython, tmp_path / "node")
    await until(blank.listens, "the form")
    yield blank
    blank.close()
    assert "Traceback" not in blank.cable.heard.decode(errors="replace"), blank.cable.heard.decode(errors="replace")


@pytest.fixture
async def browse(blank):
    async with httpx.AsyncClient(base_url=blank.url, timeout=10) as client:
        yield client


async def test_what_is_filled_in_is_kept_and_the_node_starts(blank, browse):
    page = await browse.get("/")
    assert (page.status_code, "Wi-Fi password" in page.text) == (200, True)
    done = await browse.post("/", data=FORM)
    assert "Saved. The node restarts." in done.text
    await until(lambda: blank.board.starts == 2, "the restart")
    wanted = PINS | {
        "setup_port": blank.port,
        "site": "lens",
        "node": "cellar",
        "key": KEY.hex(),
        "broker": {"host": "10.0.0.1", "port": 1883},
        "wifi": {"ssid": "house", "password": "12345678"},
    }
    assert blank.conf() == wanted
    assert json.loads(json.loads((blank.directory / "nvs.json").read_text())["node"]) == wanted
    await until(lambda: b"link:" in blank.cable.heard, "the node itself")


@pytest.mark.parametrize(("units", "bad"), [((1,), []), ((1, 9), [("unit", 1)])], ids=["good", "one is missing"])
async def test_the_node_then_proves_itself_once_and_reports(blank, browse, broker, gateway, inverter, units, bad):
    inverter.put(0, 7)
    rows = [{"bus": 0, "id": unit, "wfc": 16} for unit in units]
    poll = tables.table([tables.tcp(inverter.port)], rows, [tables.block(unit, 0, 1) for unit in range(len(rows))])
    await gateway.configure(poll)
    await browse.post("/", data=FORM | {"host": f"127.0.0.1:{broker.port}", "site": SITE, "node": NODE})
    message = (await until(lambda: gateway.tests, "the self-test"))[0]
    assert (message["boot"], message["table"]) == (gateway.boot, identity(poll))
    assert [(row["step"], row["n"]) for row in message["rows"] if not row["ok"]] == bad
    found = {(row["step"], row["n"]): row["text"] for row in message["rows"]}
    assert (found["block", 0], found["order", 0]) == ("0007", "2")
    count = len(message["rows"])
    await until(lambda: f"self-test: {count - len(bad)} of {count} good".encode() in blank.cable.heard, "the log")
    assert (b"self-test: unit 1: 1 BAD" in blank.cable.heard) == bool(bad)
    assert json.loads((blank.directory / "nvs.json").read_text())["test"] == (2 if bad else 0)  # the lamp's


async def test_it_speaks_french_to_those_who_prefer_it(browse):
    page = await browse.get("/", headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"})
    assert "Mot de passe du Wi-Fi" in page.text
    assert "<html lang=fr>" in page.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wifi": "short"}, "wifi.password: allowed is text of length 8 to 63"),
        ({"node": "Cave à vin"}, "node: allowed is"),
        ({"key": "00"}, "key: allowed is text of length 64"),
        ({"key": "00" * 32}, "key: allowed is 64 random hexadecimal digits"),
        ({"host": "10.0.0.1:99999"}, "broker.port: allowed is whole number 1 to 65535"),
        ({"host": "10.0.0.1:x"}, "broker.port: allowed is"),
        ({"host": ""}, "broker.host: allowed is"),
    ],
)
async def test_a_mistake_is_reported_and_nothing_is_kept(blank, browse, change, message):
    before = blank.conf()
    page = await browse.post("/", data=FORM | change)
    assert message in page.text
    assert "<form" in page.text
    assert blank.conf() == before


async def test_what_was_typed_comes_back_as_text_and_secrets_do_not(browse):
    """Specimen of an attack: a network that calls itself by a piece of HTML."""
    evil = '"><script>alert(1)</script>&é'
    page = await browse.post("/", data=FORM | {"ssid": evil, "wifi": "short"})
    assert "<script>" not in page.text
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;é" in page.text
    assert KEY.hex() not in page.text
    assert "short" not in page.text


async def test_an_empty_key_and_password_stay_as_they_were(blank, browse):
    blank.board.close()
    blank.write(
        PINS
        | {"site": "lens", "node": "cellar", "key": KEY.hex(), "broker": {"host": "a", "port": 8883}}
        | {"wifi": {"ssid": "old", "password": "old-secret"}}
    )
    (blank.directory / "nvs.json").write_text('{"mode": 2}')  # as the button does
    blank.board = Board(blank.board.command, blank.directory, blank.cable, blank.board.environment)
    await until(blank.listens, "the form")
    page = await browse.get("/")
    assert 'value="old"' in page.text
    assert 'value="a:8883"' in page.text
    assert "old-secret" not in page.text
    assert KEY.hex() not in page.text
    await browse.post(
        "/", data={"ssid": "new", "wifi": "", "host": "b:8883", "site": "lens", "node": "cellar", "key": ""}
    )
    await until(lambda: blank.board.starts == 2, "the restart")
    conf = blank.conf()
    assert (conf["key"], conf["wifi"]) == (KEY.hex(), {"ssid": "new", "password": "old-secret"})
    assert conf["broker"] == {"host": "b", "port": 8883}
    assert json.loads((blank.directory / "nvs.json").read_text())["mode"] == 0


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: " + b"x" * 50000 + b"\r\n\r\n",
        b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n%zz=",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n%ff",
        os.urandom(3000),
    ],
    ids=["long", "negative", "no number", "long head", "empty", "no hex", "no UTF-8", "noise"],
)
async def test_whatever_is_sent_it_goes_on_serving(blank, browse, request_):
    before = blank.conf()
    with socket.create_connection(("127.0.0.1", blank.port), timeout=10) as rude:
        try:
            rude.sendall(request_)
            rude.settimeout(0.5)
            while rude.recv(4096):
                pass
        except OSError:
            pass
    assert (await browse.get("/")).status_code == 200
    assert blank.conf() == before


async def test_those_who_connect_and_say_nothing_do_not_lock_it(blank, browse):
    silent = [socket.create_connection(("127.0.0.1", blank.port)) for _ in range(2)]
    assert (await browse.get("/")).status_code == 200
    for each in silent:
        each.close()


async def test_the_lamp_is_lit_while_the_form_waits_and_after_that_it_flashes(blank, browse):
    """On a computer the lamp is a file that says 1 or 0."""
    blank.board.close()
    blank.write(PINS | {"led": 4})
    blank.board = Board(blank.board.command, blank.directory, blank.cable, blank.board.environment)
    lamp = blank.directory / "4"
    await until(blank.listens, "the form")
    seen = []
    for _ in range(20):
        if text := lamp.read_text():  # the file is empty for a moment while it is written
            seen.append(text)
        await asyncio.sleep(0.05)
    assert set(seen) == {"1"}
    await browse.post("/", data=FORM)
    await until(lambda: lamp.read_text() == "0", "the pause between two flashes")


async def test_a_board_that_was_flashed_gets_its_label_once(blank, capsys, tmp_path):
    """Without a label the setup access point of a board would never open."""
    release = Workshop(tmp_path, new_pair(tmp_path / "keys")).good(2, boards=("esp32s3",))
    kept = blank.directory / "nvs.json"
    await asyncio.to_thread(greet, str(blank.cable.link), release, by_hand=False)
    label = json.loads(kept.read_text())["label"]
    assert len(label) >= 8  # WPA2 wants so many
    shown = capsys.readouterr()
    assert label in shown.out + shown.err
    await until(lambda: b"setup: zen-" in blank.cable.heard, "the form, with its access point")
    assert blank.board.starts == 2
    await asyncio.to_thread(greet, str(blank.cable.link), release, by_hand=False)
    assert json.loads(kept.read_text())["label"] == label
    shown = capsys.readouterr()
    assert label not in shown.out + shown.err


def test_a_browser_fills_it_in(chromium, micropython, tmp_path):
    blank = Blank(micropython, tmp_path / "node")
    browser = Chromium(str(chromium.path))
    try:
        while not blank.listens():
            assert blank.board.starts < 2
        tab = browser.open(blank.url)
        tab.wait("document.forms.length === 1")
        for name, value in FORM.items():
            tab.run(f"document.forms[0].{name}.value = {json.dumps(value)}")
        assert tab.run("document.forms[0].key.type") == "password"
        assert tab.run("[...document.querySelectorAll('input')].every(i => i.labels.length === 1)") is True
        tab.run("document.forms[0].querySelector('button').click()")
        tab.wait("document.body.innerText.includes('restarts')")
        assert blank.conf()["wifi"] == {"ssid": "house", "password": "12345678"}
        tab.close()
    finally:
        browser.close()
        blank.close()
