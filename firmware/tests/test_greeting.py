"""What `zen node flash` says of a board that it has flashed: a self-test of all that can be tested there."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
import tables
from boards import Workshop
from cable import Board, Cable
from listings import listing, stable
from node_rig import FIRMWARE, KEY, NODE, SITE, free_port, until
from test_tool import NodeRig

from gateway.cli.node.greeting import greet
from gateway.cli.node.screen import people
from gateway.release.build import Release, install_firmware
from gateway.release.keys import new_pair

pytestmark = pytest.mark.hil


@pytest.fixture
def rig(tmp_path):
    """The tool alone."""
    rig = NodeRig.__new__(NodeRig)
    rig.folder = tmp_path
    return rig


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The node for a computer, under the name of a board."""
    folder = tmp_path_factory.mktemp("workshop")
    return Workshop(folder, new_pair(folder / "keys")).good(2, boards=("esp32s3",))


def poll(port: int, *units: int) -> dict:
    rows = [{"bus": 0, "id": unit, "wfc": 16} for unit in units]
    return tables.table([tables.tcp(port)], rows, [tables.block(unit, 0, 1) for unit in range(len(rows))])


def place(folder: Path, release: Release, conf: dict) -> None:
    """The board as it is once flashed."""
    install_firmware(folder)
    shutil.rmtree(folder / "node")
    shutil.rmtree(folder / "wire")
    shutil.copytree(release.folder, folder / "a")
    (folder / "node.json").write_text(json.dumps(conf))


def conf_of(port: int, line: Path) -> dict:
    """A node at a broker."""
    place = {"site": SITE, "node": NODE, "key": KEY.hex(), "broker": {"host": "127.0.0.1", "port": port}}
    return place | {"board": "esp32s3", "serial": {"rs485": str(line)}}


async def test_what_was_flashed_proves_itself_once_reset_is_pressed(rig, prompt, release, broker, inverter, tmp_path):
    """A node whose device is not there."""
    inverter.put(0, 7)
    (prompt.folder / "node.json").write_text(json.dumps(conf_of(broker.port, tmp_path / "rs485")))
    (prompt.folder / "table.json").write_text(json.dumps(poll(inverter.port, 9)))
    (prompt.folder / "nvs.py").symlink_to(FIRMWARE / "nvs.py")
    arguments = ("flash", prompt.link, "--app-only", "--no-reset", "--release", release.folder)
    flashing = asyncio.create_task(rig.zen(*arguments))
    await until(lambda: b'"do":"info"' in prompt.cable.heard, "the tool, which waits for the board", 60)
    prompt.board.close()
    board = Board([*prompt.board.command, "main.py"], prompt.folder, prompt.cable, {"MICROPYPATH": ".frozen:."})
    try:
        code, out = await flashing
    finally:
        board.close()
    assert code == 1, out
    said = " ".join(out.split())
    runs = f"application that runs │ ✓ good │ {release.version}, build 2"
    for piece in ("Press RESET", runs, "✗ does not answer", "2 of 2 forged orders refused", "not all of it works"):
        assert piece in said, out


FLASHED = {  # the line of a board without a place (None: a node), a file that is spoiled -> is it well, what is printed
    "a new board": ("rs485", "", True, ("│ serial line │ ✓ good", "✓ good │ {count} files as they were signed",
                                        "tested as far as it can be", "Now: zen node provision")),
    "a new board with another's pins": ("none", "", False, ("│ serial line │ ✗ cannot be opened", "zen node test")),
    "a spoiled board": ("rs485", "wire/table.mpy", False, ("✗ spoiled: flash it again │ wire/table.mpy",)),
    "a node": (None, "", True, ("✓ good │ 2 of 2 forged orders refused", "provisioned as before, and works")),
}  # fmt: skip


@pytest.mark.parametrize("name", FLASHED)
async def test_a_board_is_greeted_with_its_self_test(
    name, micropython, release, broker, meter, inverter, tmp_path, capsys, monkeypatch
):
    line, spoiled, is_well, expected = FLASHED[name]
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setattr(people, "width", 160)  # whoever made it first may have asked for 80
    inverter.put(0, 7)
    conf = conf_of(broker.port, tmp_path / "rs485")
    if line:
        serial = {"rs485": str(tmp_path / line), "tic": str(tmp_path / "rs485")}
        conf = {"board": "esp32s3", "serial": serial, "setup_port": free_port()}
    folder = tmp_path / "board"
    folder.mkdir()
    place(folder, release, conf)
    (folder / "table.json").write_text(json.dumps(poll(inverter.port, 1)))
    if spoiled:
        (folder / "a" / spoiled).write_bytes(b"M\x06" + bytes(9))
    cable = Cable(tmp_path / "usb")
    board = Board([micropython, "-X", "heapsize=112k", "main.py"], folder, cable, {"MICROPYPATH": ".frozen:."})
    try:
        assert await asyncio.to_thread(greet, str(cable.link), release, by_hand=False) is is_well
    finally:
        board.close()
        cable.close()
    out = capsys.readouterr().out
    if name == "a new board":
        assert stable(out) == stable(listing("flash /dev/ttyACM0 --board")), "docs/install.md: " + out
    said = " ".join(out.split())
    for piece in (*expected, f"application that runs │ ✓ good │ {release.version}, build 2", "interpreter │ ✓ good"):
        assert piece.format(count=len(release.files)) in said, said
    assert "label of the board" in said
