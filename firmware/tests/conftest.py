"""Real parts for the tests of the node: the interpreter of the board, a broker, and the simulated devices."""

import importlib
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

import tables  # noqa: E402  the path is set above
from bench import Broker, Gateway, Node  # noqa: E402  the path is set above
from slaves import LineSlave, TcpSlave  # noqa: E402


@pytest.fixture(scope="session")
def micropython(part):
    """Path of the interpreter."""
    return str(part("micropython").path)


@pytest.fixture(scope="session")
def mosquitto(part):
    """Path of the broker."""
    return str(part("mosquitto").path)


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
