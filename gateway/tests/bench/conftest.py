"""Real parts for the tests of the bench: skipped with a sentence where one is missing, an error in CI."""

import os
import socket

import pytest

from gateway.bench.part import Machine, Missing
from gateway.bench.parts import find
from gateway.bench.processes import Processes


def _needed(name):
    found = find(name, Machine())
    if not isinstance(found, Missing):
        return found
    sentence = f"{name}: {found.why}. To have it: {found.remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    return pytest.skip(sentence)


@pytest.fixture(scope="session")
def mosquitto_part():
    return _needed("mosquitto")


@pytest.fixture(scope="session")
def micropython_part():
    return _needed("micropython")


@pytest.fixture(scope="session")
def influxd_part():
    return _needed("influxd")


@pytest.fixture
async def processes(tmp_path):
    async with Processes(logs=tmp_path) as running:
        yield running


@pytest.fixture
def unused_ports():
    """Two ports of 127.0.0.1."""
    with socket.socket() as first, socket.socket() as second:
        for held in (first, second):
            held.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture
def free_port(unused_ports):
    return unused_ports[0]


@pytest.fixture
def fake_program(tmp_path):
    """Puts a shell script into a folder of a made-up PATH; gives the folder back."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name, script):
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return folder

    return put
