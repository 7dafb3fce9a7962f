"""The chain by its names, without the parts that are tested as a whole elsewhere: broker and node only."""

import socket

import pytest

from gateway.rig.chain import Chain, ChainSettings, PartsMissingError, open_chain
from gateway.rig.part import Machine
from gateway.rig.processes import Processes, Program, ProgramError
from gateway.rig.programs import BROKER, NODE
from gateway.rig.readiness import JsonLine


@pytest.fixture
def machine(mosquitto, micropython):
    return Machine()


def accepts(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_parts_are_killed_and_started_again_on_the_same_ports(machine, tmp_path):
    async with open_chain(ChainSettings(broker="mosquitto"), machine=machine, folder=tmp_path, start=False) as chain:
        port = chain.run.ports.broker
        await chain.start(BROKER)
        await chain.start(NODE)
        assert accepts(port)
        await chain.kill(BROKER)
        assert (chain.is_running(BROKER), chain.is_running(NODE), accepts(port)) == (False, True, False)
        await chain.start(BROKER)
        assert accepts(port)
        first = chain.child(NODE).pid
        await chain.restart(NODE)
        assert chain.child(NODE).pid != first
    assert not accepts(port)


async def test_a_part_that_hangs_keeps_its_connections(machine, tmp_path):
    async with open_chain(ChainSettings(broker="mosquitto"), machine=machine, folder=tmp_path, start=False) as chain:
        await chain.start(BROKER)
        chain.pause(BROKER)
        assert accepts(chain.run.ports.broker)  # by the kernel
        assert chain.is_running(BROKER)
        chain.resume(BROKER)


async def test_without_mosquitto_the_embedded_broker_stands_in_where_that_is_allowed(
    micropython, tmp_path, monkeypatch
):
    monkeypatch.setenv("ZEN_MOSQUITTO", "none")
    async with open_chain(ChainSettings(), machine=Machine(), folder=tmp_path / "any", start=False) as chain:
        assert set(chain.parts) == {"micropython"}
        await chain.start(BROKER)
        assert accepts(chain.run.ports.broker)
    with pytest.raises(PartsMissingError, match=r"ZEN_MOSQUITTO=none.*To have it: "):
        async with open_chain(ChainSettings(broker="mosquitto"), machine=Machine(), folder=tmp_path / "real"):
            pytest.fail("started without a broker")


async def test_all_that_is_missing_is_reported_at_once(tmp_path):
    nothing = Machine(environment={f"ZEN_{name}": "none" for name in ("MICROPYTHON", "INFLUXD")}, cache=tmp_path)
    with pytest.raises(PartsMissingError) as raised:
        async with open_chain(ChainSettings(broker="embedded", database=True), machine=nothing, folder=tmp_path):
            pytest.fail("started without its parts")
    assert [one.name for one in raised.value.missing] == ["micropython", "influxd"]


async def test_a_part_that_does_not_start_is_reported_and_nothing_is_left_running(tmp_path):
    good = Program(name="broker", command=("sleep", "60"), folder=tmp_path)
    bad = Program(
        name="house", command=("sh", "-c", "echo broken >&2; exit 4"), folder=tmp_path, ready=JsonLine(key="ready")
    )
    async with Processes(logs=tmp_path) as processes:
        chain = Chain(run=None, processes=processes, programs={"broker": good, "house": bad}, parts={})
        with pytest.raises(ProgramError, match=r"house ended with 4\n  broken"):
            await chain.start_all()
