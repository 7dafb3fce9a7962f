"""Real parts for the tests of the node: the interpreter of the board, a broker, and the simulated devices."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
FIRMWARE = HERE.parent
sys.path[:0] = [str(HERE), str(FIRMWARE), str(FIRMWARE.parent)]
sys.modules.setdefault("wire", importlib.import_module("gateway.wire"))  # as it is called on the board
sys.modules.setdefault("micropython", SimpleNamespace(const=lambda value: value))

from bench import Broker, Gateway, Node  # noqa: E402  the path is set above
from slaves import LineSlave, TcpSlave  # noqa: E402


def part(name: str, variable: str, *places: Path) -> str:
    """Path of a real part; without it the test skips, or fails where all parts are promised (CI=true)."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = os.environ.get(variable) or shutil.which(name, path=search)
    for place in places:
        found = found or (str(place) if place.exists() else None)
    if found:
        return found
    reason = f"{name} is neither in PATH nor named by {variable}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def micropython():
    return part(
        "micropython", "ZEN_MICROPYTHON", Path("~/.cache/zen-e-ville/micropython-i386/micropython").expanduser()
    )


@pytest.fixture(scope="session")
def mosquitto():
    return part("mosquitto", "ZEN_MOSQUITTO")


@pytest.fixture
def board(micropython, tmp_path):
    """Runs a piece of code on the board's interpreter, with node and wire beside it; gives what it prints."""

    def run(code: str) -> str:
        environment = {"MICROPYPATH": f".frozen:{FIRMWARE}:{FIRMWARE.parent / 'gateway'}"}
        command = [micropython, "-X", "heapsize=112k", "-c", code]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

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
