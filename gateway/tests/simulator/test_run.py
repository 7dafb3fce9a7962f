"""The house as a program: one line on stdout, a life in real time, a clean end."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.house import app

HOUSE = """
[serve]
control = "127.0.0.1:0"
[serve.meter]
serial = "meter.tty"
[serve.pv]
tcp = "127.0.0.1:0"
[serve.battery]
tcp = "127.0.0.1:0"
"""


@contextmanager
def program(folder: Path, text: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    path = folder / "house.toml"
    path.write_text(text, encoding="utf-8")
    start = "from gateway.cli.house import app; app()"
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", start, str(path), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [(), ("--watch",)])
def test_it_says_when_it_is_ready_and_ends_cleanly(
    tmp_path: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    with program(tmp_path, HOUSE, *options) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"ready", "control", "meter", "pv", "battery"}
        assert ready["ready"] is True
        assert ready["meter"] == str(tmp_path / "meter.tty")
        assert Path(ready["meter"]).is_symlink()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
        assert (process.returncode, rest) == (0, "")
        assert "Traceback" not in errors
        assert not os.path.lexists(ready["meter"])


def test_it_lives_in_real_time(tmp_path: Path) -> None:
    with program(tmp_path, HOUSE) as process:
        assert process.stdout is not None
        host, port = json.loads(process.stdout.readline())["control"].split(":")
        with socket.create_connection((host, int(port)), timeout=30) as control, control.makefile("rw") as lines:

            def state() -> dict[str, float]:
                lines.write('{"do":"state"}\n')
                lines.flush()
                return json.loads(lines.readline())

            first = state()
            while (last := state())["t"] - first["t"] < 1.0:
                pass
        assert last["t"] - first["t"] == pytest.approx(last["monotonic"] - first["monotonic"], abs=1e-3)


def test_mistakes_are_reported_on_stderr_with_exit_code_2(tmp_path: Path) -> None:
    with program(tmp_path, "[battery]\nsoc = 2\n[pv]\nkwp = -1\n") as process:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, "")
        assert "battery.soc: found 2" in errors
        assert "pv.kwp: found -1" in errors


def test_a_port_that_is_taken_is_reported_with_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = HOUSE.replace('control = "127.0.0.1:0"', f'control = "127.0.0.1:{port}"')
        with program(tmp_path, text) as process:
            out, errors = process.communicate(timeout=60)
            assert (process.returncode, out) == (1, "")
            assert "serve.control" in errors
            assert not (tmp_path / "meter.tty").is_symlink()


def test_a_modbus_port_that_is_taken_is_reported_once_and_in_our_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with program(
            tmp_path, HOUSE.replace('[serve.pv]\ntcp = "127.0.0.1:0"', f'[serve.pv]\ntcp = "{address}"')
        ) as process:
            out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert errors == f"{address} is in use or not an address of this machine: choose another serve.pv.tcp\n"


def test_the_help_calls_its_argument_a_house_file() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"})
    assert "HOUSE.toml" in shown.output.splitlines()[1]
    assert "config " not in shown.output
