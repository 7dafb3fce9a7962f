"""Folders, ports and processes for the tests of the bench."""

import socket

import pytest

from gateway.rig.processes import Processes


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
