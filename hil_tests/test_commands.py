"""The commands that people type, with what they print and how they end."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest

from gateway.rig.chain import ChainSettings
from gateway.rig.report import get_json
from gateway.rig.zen_command import ZEN, config_folder, own_environment

from .command_line import zen
from .conftest import QUIET, OpenChain, until, until_controlled

SHARED = Path(__file__).parents[2] / "shared" / "data"
LOADS = """
[devices.wallbox]
role = "load"
profile = "keba_p30"
node = "cellar"
host = "127.0.0.1"
tcp_port = 15022
unit = 255

[loads.car]
kind = "car"
device = "wallbox"
capacity_kwh = 52
wanted_kwh = 20
most_a = 16
phases = [3]

[loads.pool]
kind = "switchable"
power_w = 900
wanted_kwh = 3.6
"""


def test_check_accepts_the_demo_s_site_file() -> None:
    done = zen("check", str(config_folder() / "demo" / "site.toml"), LANG="en_GB.UTF-8", LC_ALL="")
    assert (done.returncode, "no mistakes" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("language", "printed"),
    [
        ("en", ["car (Car), commanded through wallbox", "pool (Switched load), planned and shown only"]),
        ("fr", ["car (Voiture), commandée par wallbox", "pool (Charge commutée), seulement planifiée et affichée"]),
    ],
)
def test_check_reports_which_loads_are_commanded(tmp_path: Path, language: str, printed: list[str]) -> None:
    (tmp_path / "site.toml").write_text((config_folder() / "demo" / "site.toml").read_text() + LOADS)
    done = zen("check", str(tmp_path / "site.toml"), LC_ALL=f"{language}_XX.UTF-8")
    assert done.returncode == 0, done.stderr
    assert [line for line in printed if line not in done.stdout] == []


@pytest.mark.parametrize(("language", "title"), [("en", ": 5"), ("fr", "Erreurs dans")])
def test_check_reports_five_mistakes_in_one_run(tmp_path: Path, language: str, title: str) -> None:
    text = (config_folder() / "demo" / "site.toml").read_text()
    for old, new in (
        ("port = 1883", "prot = 1883"),
        ("reserve = 0.10", "reserve = 10"),
        ("lease_s = 10", 'lease_s = "10"'),
        ('"sunspec_inverter"', '"sunspec_invertor"'),
        ('bus = "rs485"', 'bus = "rs845"'),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "site.toml").write_text(text)
    done = zen("check", str(tmp_path / "site.toml"), LC_ALL=f"{language}_XX.UTF-8")
    assert done.returncode == 2
    assert title in done.stderr
    for place in ("broker.prot", "control.reserve", "control.lease_s", "devices.pv.profile", "devices.grid.bus"):
        assert place in done.stderr
    assert "Traceback" not in done.stderr


def test_run_without_secrets_names_the_variables(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text((config_folder() / "demo" / "site.toml").read_text())
    done = zen("run", str(tmp_path / "site.toml"), ZEN_KEY_CELLAR="")
    assert done.returncode == 2
    assert "ZEN_KEY_CELLAR" in done.stderr


def test_check_prints_brackets_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('"[/x]" = 1\n[site]\nid = "[bold]"\nname = "x"\n')
    done = zen("check", str(tmp_path / "site.toml"))
    assert done.returncode == 2
    for word in ("[/x]", "[bold]", "a table [control]", "at least one table [nodes.<id>]"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


DEMO = (*ZEN, "demo", "--port", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_ended_leaves_its_figures_and_nothing_else(
    tmp_path: Path, micropython, number: int
) -> None:
    target, scratch = tmp_path / "out.json", tmp_path / "scratch"
    scratch.mkdir()
    demo, page = await started(*DEMO, "--json", str(target), scratch=scratch)

    async def has_something_to_report() -> bool:
        return (await get_json(f"{page}/api/status"))["orders"]["applied"] > 2

    await until(has_something_to_report, "orders are obeyed")
    demo.send_signal(number)
    _, printed = await asyncio.wait_for(demo.communicate(), 20)
    assert demo.returncode == 0, printed
    check_figures(json.loads(target.read_text()))
    assert list(scratch.iterdir()) == []
    assert micropython.version


async def test_a_demo_whose_part_dies_says_which(tmp_path: Path, micropython, mosquitto) -> None:
    demo, _ = await started(*DEMO, "--headless", scratch=tmp_path)
    os.kill(child_of(demo.pid, b"mosquitto"), signal.SIGKILL)
    _, printed = await asyncio.wait_for(demo.communicate(), 20)
    assert demo.returncode == 1
    assert b"broker ended with" in printed
    assert b"Traceback" not in printed
    assert micropython.version
    assert mosquitto.version


def child_of(parent: int, word: bytes) -> int:
    """The process id of a child whose command line has this word."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(int(pid) for pid in children if word in Path(f"/proc/{pid}/cmdline").read_bytes())


async def started(*command: str, scratch: Path) -> tuple[asyncio.subprocess.Process, str]:
    """A demo whose page has been announced, and its address."""
    environment = {**os.environ, **own_environment(), "TMPDIR": str(scratch)}
    pipe = asyncio.subprocess.PIPE
    demo = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
    assert demo.stderr is not None
    while not (found := re.search(rb"http://[\d.]+:\d+", line := await asyncio.wait_for(demo.stderr.readline(), 60))):
        assert line, "the demo ended before its page was there"
    return demo, found[0].decode()


async def test_once_prints_every_point_and_a_decision_and_commands_nothing(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        environment = {**chain.run.gateway_environment(), "LC_ALL": "en_GB.UTF-8"}
        done = await asyncio.to_thread(lambda: zen("once", str(chain.run.site_file), "--wait-s", "60", **environment))
        assert done.returncode == 0, done.stderr
        for word in ("grid", "e_import_wh", "battery", "soc", "pv", "f_hz", "Without the battery"):
            assert word in done.stdout
        await chain.stop("broker")
        done = await asyncio.to_thread(lambda: zen("once", str(chain.run.site_file), "--wait-s", "2", **environment))
        assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def check_figures(figures: dict) -> None:
    """The books of a run close: energy in is energy out, and every sample is accounted for."""
    energy = figures["energy_wh"]
    given = energy["pv"] + energy["import"] + energy["discharge"]
    taken = energy["load"] + energy["export"] + energy["charge"]
    assert given == pytest.approx(taken, rel=0.01, abs=0.5)
    samples = figures["samples"]
    assert samples["lost"] == samples["duplicated"] == 0
    assert samples["sent"] == samples["received"] > 0
    assert figures["orders"]["refused"] == 0
    assert figures["orders"]["applied"] >= figures["orders"]["sent"] - 2
    assert 0 <= figures["self_consumption"] <= 1
    assert 0 <= figures["self_sufficiency"] <= 1


@pytest.mark.parametrize("broker", ["none", ""])
def test_a_headless_demo_writes_its_figures(tmp_path: Path, micropython, broker: str) -> None:
    target = tmp_path / "out.json"
    environment = {"ZEN_MOSQUITTO": broker} if broker else {}
    done = zen(
        "demo", "--port", "0", "--headless", "--minutes", "0.25", "--json", str(target), within_s=100, **environment
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text())
    check_figures(figures)
    assert figures["parts"]["broker"].startswith("amqtt" if broker else "mosquitto")
    assert figures["parts"]["micropython_bits"] == micropython.bits


@pytest.mark.timeout(180)
def test_a_demo_lives_through_recorded_data(tmp_path: Path, micropython) -> None:
    load = SHARED / "fr_home_1min" / "load_2006-12-16_2006-12-30.csv"
    pv = SHARED / "pv_weather" / "uccle_15min_2019.parquet"
    if not load.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"recorded data are not at {SHARED}")
    target = tmp_path / "out.json"
    options = ("--load", str(load), "--pv", str(pv), "--kwp", "5", "--start", "2006-12-18T12:00:00")
    done = zen("demo", "--port", "0", "--headless", "--minutes", "0.25", "--json", str(target), *options, within_s=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text())
    check_figures(figures)
    recorded_w = mean_load_w(load, "2006-12-18T12:00")
    assert figures["energy_wh"]["load"] * 3600 / figures["seconds"] == pytest.approx(recorded_w, rel=0.05)
    assert micropython.version


def mean_load_w(path: Path, minute: str) -> float:
    """The recorded load of the first minute, which the run of a quarter of a minute lies in."""
    for line in path.read_text().splitlines():
        if line.startswith(minute):
            return float(line.split(",")[1])
    raise AssertionError(minute)
