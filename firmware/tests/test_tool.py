"""`zen node` as it is typed, on a cable to the board's interpreter."""

import asyncio
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from cable import Board, Cable, install
from listings import listing, stable
from node_rig import KEY, free_port, until
from test_console import Terminal

from gateway import paths

pytestmark = pytest.mark.hil
SITE = """
[site]
id = "lens"
name = "Lens"
[broker]
port = {broker}
node_host = "127.0.0.1"
[control]
import_limit_w = 9000
export_limit_w = 6000
[nodes.cellar]
board = "esp32s3"
wifi = "house"
[nodes.cellar.buses.rs485]
baud = 9600
[devices.grid]
role = "grid"
profile = "eastron_sdm630"
node = "cellar"
bus = "rs485"
unit = 1
[devices.pv]
role = "pv"
profile = "sunspec_inverter"
node = "cellar"
host = "127.0.0.1"
tcp_port = {inverter}
unit = 1
"""


class NodeRig:
    """A blank board on a cable, the tool, and the site file."""

    def __init__(self, micropython: str, directory: Path, broker: int, inverter: int):
        self.folder = directory
        self.node = directory / "node"
        self.node.mkdir()
        install(self.node)
        self.write({"serial": {"rs485": str(directory / "rs485")}, "setup_port": free_port()})
        self.cable = Cable(directory / "usb")
        command = [micropython, "-X", "heapsize=112k", "main.py"]
        self.board = Board(command, self.node, self.cable, {"MICROPYPATH": ".frozen:."})
        self.site = directory / "site.toml"
        self.site.write_text(SITE.format(broker=broker, inverter=inverter))

    def write(self, conf: dict) -> None:
        (self.node / "node.json").write_text(json.dumps(conf))

    def conf(self) -> dict:
        return json.loads((self.node / "node.json").read_text())

    async def zen(self, *arguments, **environment) -> tuple[int, str]:
        """(exit code, all that was printed)."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ZEN_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from gateway.cli import main; main()", "node", *map(str, arguments)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
            env=clean | {"PYTHONPATH": paths.python_path(), "COLUMNS": "160", "LC_ALL": "en_GB.UTF-8"} | environment,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 100)
        return process.returncode, out.decode()

    async def provision(self, **environment) -> tuple[int, str]:
        return await self.zen("provision", self.cable.link, "cellar", "--site", self.site, **environment)

    def close(self) -> None:
        self.board.close()
        self.cable.close()


@pytest.fixture
async def rig(micropython, broker, meter, inverter, tmp_path):
    meter.put(0, *range(400))
    inverter.put(40000, 0x5375, 0x6E53, 1, 66, *range(66), 103, 50, *range(50), 120, 26, *range(26), 0xFFFF, 0)
    rig = NodeRig(micropython, tmp_path, broker.port, inverter.port)
    yield rig
    rig.close()
    assert "Traceback" not in rig.cable.heard.decode(errors="replace"), rig.cable.heard.decode(errors="replace")


async def test_a_port_and_a_name_are_enough(rig):
    code, out = await rig.provision()
    assert code == 0, out
    conf = rig.conf()
    assert (conf["site"], conf["node"], conf["broker"]["host"]) == ("lens", "cellar", "127.0.0.1")
    assert conf["time"] == {"host": "127.0.0.1", "port": 10123}
    kept = rig.folder / "site.secrets"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert f"ZEN_KEY_CELLAR={conf['key']}\n" in kept.read_text()
    assert conf["key"] not in out
    label = kept.read_text().split("ZEN_LABEL_CELLAR=")[1].strip()
    assert label in out  # it is to be stuck on the board
    assert json.loads((rig.node / "nvs.json").read_text())["label"] == label
    for line in ("unit 1 on rs485", "unit 1 on 127.0.0.1", "2 of 2 forged orders refused", "ZEN_KEY_CELLAR"):
        assert line in out, out
    assert out.count("✗") == 0
    assert "cellar is provisioned and works." in out
    assert stable(out) == stable(listing("provision")), "docs/install.md: " + out


async def test_the_second_time_nothing_is_made_and_the_key_stays(rig):
    await rig.provision()
    before = rig.conf()
    code, out = await rig.provision(LC_ALL="fr_FR.UTF-8")
    assert (code, rig.conf()) == (0, before)
    assert "ZEN_KEY_CELLAR" not in out
    assert "cellar est configuré et fonctionne." in out


async def test_a_device_that_is_not_there_is_reported_and_the_exit_code_says_it(rig, meter):
    meter.units = {7}
    code, out = await rig.provision(ZEN_KEY_CELLAR=KEY.hex())
    assert code == 1
    assert rig.conf()["key"] == KEY.hex()
    assert "does not answer: look at power, wires A/B, unit number, speed" in out
    line = next(line for line in out.splitlines() if "units 1 to 10 that answer on rs485" in line)
    assert line.split("│")[3].split() == ["7"], out
    assert "not all of it works" in out


async def test_mistakes_are_reported_together_before_anything_is_written(rig):
    rig.site.write_text(rig.site.read_text().replace("esp32s3", "esp32s4").replace('wifi = "house"', ""))
    before = rig.conf()
    code, out = await rig.provision()
    assert (code, rig.conf()) == (2, before)
    assert "did you mean esp32s3" in out.replace("\n", " ")
    code, out = await rig.zen("provision", rig.cable.link, "attic", "--site", rig.site)
    assert code == 2


async def test_a_port_that_is_none_is_reported_in_plain_words(rig):
    code, out = await rig.zen("test", rig.folder / "nothing")
    assert code == 1
    assert "cannot be used" in out
    assert "Traceback" not in out


async def test_test_proves_again_and_monitor_shows_it_live(rig):
    await rig.provision()
    code, out = await rig.zen("test", rig.cable.link)
    assert (code, "Self-test" in out) == (0, True), out
    code, out = await rig.zen("monitor", rig.cable.link, "--seconds", "3")
    assert code == 0, out
    for word in ("lens/cellar", "unit 1 on rs485", "free memory", "link: up"):
        assert word in out, out


async def test_scan_finds_what_is_on_the_line(rig, meter):
    meter.units = {1, 4}
    code, out = await rig.zen("scan", rig.cable.link, "--from", "1", "--to", "6", "--baud", "9600", "--wait-ms", "60")
    assert code == 0, out
    rows = [line.split() for line in out.splitlines() if "answers" in line]
    assert [row[3] for row in rows] == ["1", "4"], out
    code, out = await rig.zen("scan", rig.cable.link, "--bus", "rs232")
    assert (code, "it has rs485" in out) == (1, True), out


async def test_a_backup_goes_to_another_board(rig):
    await rig.provision()
    whole = rig.conf()
    file = rig.folder / "cellar.json"
    assert (await rig.zen("backup", rig.cable.link, file))[0] == 0
    assert whole["key"] not in file.read_text()
    code, out = await rig.zen("provision", rig.cable.link, "--from", file)
    assert (code, "ZEN" in out or "key" in out) == (1, True), out  # nobody knows the key
    both = ("--with-secrets", "--site", rig.site)
    code, out = await rig.zen("backup", rig.cable.link, file, *both)
    assert code == 0, out
    assert whole["key"] in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rig.board.close()
    for name in ("node.json", "table.json", "nvs.json", "node.json.old", "table.json.old"):
        (rig.node / name).unlink(missing_ok=True)
    rig.write({"setup_port": free_port()})
    rig.board = Board(rig.board.command, rig.node, rig.cable, rig.board.environment)
    code, out = await rig.zen("provision", rig.cable.link, "--from", file)
    assert code == 0, out
    assert rig.conf() == whole


async def test_a_blank_board_is_asked_and_answers_in_setup_mode(rig):
    terminal = Terminal(rig.cable.link)
    try:
        info = await terminal.ask("info")
        assert (info["mode"], info["node"]) == ("setup", None)
        rows = {row["step"]: (row["n"], row["ok"], row["text"]) for row in await terminal.ask("test")}
        assert rows["files"] == (0, False, "[Errno 2] ENOENT")  # it was never flashed
        assert rows["line"] == (0, True, "rs485")
        assert rows["memory"][1]
    finally:
        os.close(terminal.handle)
    await until(lambda: rig.board.starts == 1, "no restart")
