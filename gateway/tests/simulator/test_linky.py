"""The Linky of the house: its telegram as the operator's document describes it, its numbers those of the grid."""

import asyncio
import json
import os
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.fault import Fault
from gateway.simulator.faults import (
    TelegramBrokenOff,
    TelegramChecksums,
    TelegramGone,
    TelegramNoise,
    TelegramSwitched,
)
from gateway.simulator.products.linky import frame, heard_at, written
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

from .conftest import OpenHouse

DARK = {"pv": {"kwp": 0, "clouds": False}, "load": {"kettle_every_s": 0, "appliances": False}}
SUNNY = DARK | {"pv": {"kwp": 5.0, "clouds": False}}

# Groups of published telegrams with the check character they end with: four decoders' samples, and (historique) the
# sum over label, space and data that the document prescribes.
PUBLISHED = [
    ("standard", ("SMAXSN-1", "E220422144756", "05210"), "W"),
    ("standard", ("CCASN", "E220423110000", "01468"), ":"),
    ("standard", ("CCASN-1", "E220423100000", "01444"), "Q"),
    ("standard", ("UMOY1", "E220423114000", "235"), "("),
    ("standard", ("STGE", "003A0001"), ":"),
]


@pytest.mark.parametrize(("mode", "group", "check"), PUBLISHED, ids=str)
def test_a_group_ends_as_the_published_ones(mode: str, group: tuple[str, ...], check: str) -> None:
    assert written(mode, group) == ("\n" + "\t".join((*group, "")) + check + "\r").encode()


def test_in_the_mode_historique_the_separator_before_the_check_does_not_count() -> None:
    # H H P H C SP A = 72 72 80 72 67 32 65 = 460; 460 mod 64 = 12; 12 + 32 is a comma
    assert written("historique", ("HHPHC", "A")) == b"\nHHPHC A ,\r"


def values(data: bytes, separator: str) -> dict[str, str]:
    """Label to data of a whole frame."""
    assert data[:1] == b"\x02"
    assert data[-1:] == b"\x03"
    rows = [group.strip("\n").split(separator) for group in data[1:-1].decode("ascii").split("\r")[:-1]]
    return {row[0]: row[-2] for row in rows}


def shown(simulation: Simulation, mode: str = "standard") -> dict[str, str]:
    separator = "\t" if mode == "standard" else " "
    return values(frame(mode, simulation.linky.groups(mode)), separator)


def lived(seconds: int, tables: dict[str, object]) -> Simulation:
    simulation = Simulation(HouseConfig.model_validate(tables))
    for _ in range(seconds):
        simulation.advance(1.0)
    return simulation


def test_what_is_drawn_and_what_is_injected_have_labels_of_their_own() -> None:
    # a fifth of the power is reactive: the apparent power is 1.0198 times the active one
    drawing, injecting = (
        lived(60, DARK | {"battery": {"soc": 0.05}}),
        lived(60, SUNNY | {"battery": {"soc": 1.0}}),
    )
    assert drawing.state.grid_w > 100
    assert int(shown(drawing)["SINSTS"]) == pytest.approx(1.0198 * drawing.state.grid_w, abs=1)
    assert int(shown(drawing)["SINSTI"]) == 0
    assert injecting.state.grid_w < -1000
    assert int(shown(injecting)["SINSTI"]) == pytest.approx(-1.0198 * injecting.state.grid_w, abs=1)
    assert int(shown(injecting)["SINSTS"]) == 0
    assert int(shown(injecting)["STGE"], 16) & 0x300 == 0x300  # producer, and injecting now
    assert int(shown(injecting, "historique")["PAPP"]) == 0


def test_the_counters_are_those_of_the_grid_and_the_tariffs_add_up() -> None:
    simulation = lived(
        2400,
        DARK
        | {
            "clock": {"start": "2024-06-21T21:40:00"},
            "linky": {"import_wh": 1000},
            "battery": {"soc": 0.05},
        },
    )
    drawn_wh = simulation.state.import_wh
    assert drawn_wh > 100
    telegram = shown(simulation)
    assert int(telegram["EAST"]) == pytest.approx(1000 + drawn_wh, abs=1)
    assert int(telegram["EASF01"]) + int(telegram["EASF02"]) == pytest.approx(int(telegram["EAST"]), abs=1)
    assert int(telegram["EASF01"]) > 400 + 0.3 * drawn_wh  # from 22 h the other tariff counts
    old = shown(simulation, "historique")
    assert (old["HCHC"], old["HCHP"], old["PTEC"]) == (telegram["EASF01"], telegram["EASF02"], "HC..")


def test_a_contract_without_injection_says_nothing_about_it() -> None:
    telegram = shown(lived(2, {"linky": {"producer": False}}))
    assert "SINSTI" not in telegram
    assert "EAIT" not in telegram
    assert "EAST" in telegram


def loaded(w: float, linky: dict[str, object], seconds: int = 5) -> Simulation:
    simulation = Simulation(HouseConfig.model_validate(DARK | {"battery": {"soc": 0.05}, "linky": linky}))
    simulation.building.add_step(w, None)
    for _ in range(seconds):
        simulation.advance(1.0)
    return simulation


def frames_of(simulation: Simulation, count: int) -> list[dict[str, str]]:
    frames = [simulation.linky.next_groups("historique") for _ in range(count)]
    return [values(frame("historique", groups), " ") | {"short": str(is_short)} for groups, is_short in frames]


def test_above_its_setting_a_three_phase_meter_sends_twenty_short_frames_for_each_long_one() -> None:
    simulation = loaded(15_000, {"mode": "historique", "phases": 3, "subscribed_a": 30})
    *short, long, again = frames_of(simulation, 22)
    # 15.25 kW, of which half, three and two tenths are on the phases, and a fiftieth more as apparent power, at 230 V
    assert {(row["IINST1"], row["IINST2"], row["IINST3"]) for row in short} == {("034", "020", "014")}
    assert {frozenset(row) for row in short} == {frozenset({"ADIR1", "ADCO", "IINST1", "IINST2", "IINST3", "short"})}
    assert (long["short"], again["short"], len(short)) == ("False", "True", 20)
    assert int(long["PAPP"]) == pytest.approx(1.0198 * simulation.state.grid_w, abs=10)
    assert (long["IINST1"], long["ISOUSC"]) == ("034", "30")
    simulation.building.clear_steps()
    for second in range(70):
        simulation.advance(1.0)
        [row] = frames_of(simulation, 1)
        assert (row["short"] == "True") <= (second < 60)  # until a minute after


def test_above_its_setting_a_single_phase_meter_adds_a_group() -> None:
    above, below = (loaded(w, {"mode": "historique", "subscribed_a": 30}) for w in (15_000, 5_000))
    [frame_above], [frame_below] = frames_of(above, 1), frames_of(below, 1)
    assert frame_above["ADPS"] == frame_above["IINST"] == "068"  # 15.55 kVA at 230 V
    assert "ADPS" not in frame_below
    assert (frame_above["short"], frame_below["short"]) == ("False", "False")


def test_timestamps_are_the_wall_clock_with_its_season() -> None:
    summer, winter = (lived(0, {"clock": {"start": f"2024-{day}T12:05:00"}}) for day in ("06-21", "12-21"))
    assert [frame("standard", s.linky.groups("standard")).split(b"\t")[5][:7] for s in (summer, winter)] == [
        b"E240621",
        b"H241221",
    ]


@given(st.binary(max_size=60).map(lambda data: bytes(byte & 0x7F for byte in data)), st.sampled_from([1200, 9600]))
def test_at_the_right_speed_everything_is_heard(data: bytes, baud: int) -> None:
    assert heard_at(data, sent_baud=baud, heard_baud=baud) == data


def test_at_the_wrong_speed_nothing_is_understood() -> None:
    simulation = lived(1, {})
    for mode, sent, heard in (("standard", 9600, 1200), ("historique", 1200, 9600)):
        garbage = heard_at(frame(mode, simulation.linky.groups(mode)), sent_baud=sent, heard_baud=heard)
        assert len(garbage) > 20
        assert b"EAST" not in garbage
        assert b"PAPP" not in garbage


@contextmanager
def listening(link: Path, speed: int) -> Iterator[int]:
    """A receiver as a program would open it."""
    line = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(line)
        attributes = termios.tcgetattr(line)
        attributes[4] = attributes[5] = speed
        termios.tcsetattr(line, termios.TCSAFLUSH, attributes)
        yield line
    finally:
        os.close(line)


async def heard(line: int, seconds: float) -> bytes:
    data, end_s = b"", time.monotonic() + seconds
    while time.monotonic() < end_s:
        try:
            data += os.read(line, 4096)
        except BlockingIOError:
            await asyncio.sleep(0.01)
    return data


async def test_frames_follow_each_other_on_the_line(house_on_links: OpenHouse, tmp_path: Path) -> None:
    serve = {"linky": {"serial": str(tmp_path / "linky.tty")}}
    async with house_on_links(linky={"every_s": 0.8}, more_serve=serve) as (_, ready):
        assert ready.linky == str(tmp_path / "linky.tty")
        with listening(Path(ready.linky), termios.B9600) as line:
            data = await heard(line, 3.2)
    whole = [b"\x02" + part + b"\x03" for part in data.split(b"\x02")[1:] for part in [part.partition(b"\x03")[0]]]
    assert len(whole) >= 3
    assert values(whole[0], "\t")["PRM"].isdecimal()
    assert not (tmp_path / "linky.tty").is_symlink()


@pytest.mark.parametrize(
    ("fault", "speed", "there", "missing"),
    [
        (None, termios.B1200, b"", b"EAST"),
        (TelegramGone(), termios.B9600, b"", b"EAST"),
        (TelegramChecksums(share=1.0), termios.B9600, b"EAST", b"STGE\t00020D00\t"),
        (TelegramBrokenOff(), termios.B9600, b"\x04", b"\x03"),
        (TelegramNoise(flips=1.0), termios.B9600, b"", b"EAST"),
        (TelegramSwitched(), termios.B1200, b"HCHP", b"EAST"),
    ],
    ids=["wrong speed", "gone", "checksums", "broken off", "noise", "switched"],
)
async def test_faults_of_the_telegram_are_heard(
    house_on_links: OpenHouse, tmp_path: Path, fault: Fault | None, speed: int, there: bytes, missing: bytes
) -> None:
    serve = {"linky": {"serial": str(tmp_path / "linky.tty")}}
    async with house_on_links(linky={"every_s": 0.5}, more_serve=serve) as (simulation, ready):
        if fault:
            simulation.begin(fault)
            await asyncio.sleep(1.0)  # the frame on its way still comes
        with listening(Path(ready.linky), speed) as line:
            data = await heard(line, 2.0)
    assert there in data
    assert missing not in data
    if isinstance(fault, TelegramChecksums):
        rows = [row.strip(b"\n\x02\x03") for row in data.split(b"\r")[1:-1]]
        assert all(sum(row[:-1]) % 64 + 32 != row[-1] for row in rows if row)


def test_the_faults_can_be_ordered_by_name() -> None:
    from gateway.simulator.control import answer  # noqa: PLC0415 - one use

    simulation = lived(0, {})
    request = json.dumps({"do": "fault", "kind": "TelegramSwitched", "mode": "historique"}).encode()
    assert answer(simulation, request) == {"ok": True}
    assert simulation.faults.names() == ["TelegramSwitched(linky)"]
