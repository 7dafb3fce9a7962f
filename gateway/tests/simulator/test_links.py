"""The house as its devices' masters see it: bytes on TCP and on the serial line."""

import asyncio
import os
import struct
import time
from pathlib import Path

import pytest

from gateway.simulator.fault import Fault
from gateway.simulator.faults import (
    BatteryGone,
    BatteryRefuses,
    InverterGone,
    LateAnswers,
    MeterGone,
    NoiseOnLine,
    WrongCount,
    WrongFunction,
)
from gateway.simulator.link_faults import ChainWithoutEnd, DeafAfterConnecting, OtherHeader, StrayBytes
from gateway.simulator.links.serial_line import crc16, open_terminals
from gateway.simulator.products.registers import Refused
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.settings.mistakes import HouseLinkError
from gateway.simulator.simulation import Simulation
from gateway.tests.simulator.conftest import OpenHouse
from gateway.tests.simulator.raw_modbus import SerialMaster, ask_tcp, check_bytes, read_request, write_many

POWER = read_request(4, 52, 2)
POWER_SIZE = 9  # unit, function, bytes, 4 bytes, 2 check bytes


def test_the_check_bytes_are_those_of_the_specification() -> None:
    frame = bytes.fromhex("0207")  # MODBUS over Serial Line 1.02, chapter 6.2.2: 0x02 0x07 gives 0x41 0x12
    assert crc16(frame) == check_bytes(frame) == bytes.fromhex("4112")


async def test_the_inverter_answers_its_marker(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (_, ready):
        answer = await ask_tcp(ready.pv, 1, read_request(3, 40000, 4))
        assert answer == bytes.fromhex("03 08 5375 6e53 0001 0042")


async def test_requests_that_make_no_sense_get_the_exception_of_the_specification(house_on_links: OpenHouse) -> None:
    rows = [
        (1, read_request(3, 39990, 2), "83 02"),
        (1, read_request(3, 40000, 126), "83 03"),
        (1, read_request(3, 40000, 0), "83 03"),
        (1, read_request(4, 40000, 2), "84 01"),
        (1, struct.pack(">BHH", 6, 40000, 1), "86 01"),
        (1, b"\x63", "e3 01"),
        (9, read_request(3, 40000, 2), "83 0b"),  # no such unit behind this address
    ]
    async with house_on_links() as (_, ready):
        for unit, request, expected in rows:
            assert await ask_tcp(ready.pv, unit, request) == bytes.fromhex(expected), request.hex()


async def test_the_battery_takes_a_setpoint_and_moves(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        assert await ask_tcp(ready.battery, 3, write_many(40149, 0, 1500)) == bytes.fromhex("10 9cd5 0002")
        assert await ask_tcp(ready.battery, 3, write_many(40151, 0, 802)) == bytes.fromhex("10 9cd7 0002")
        for _ in range(30):
            simulation.advance(0.1)
        # 1500 W delivered: positive for the device, negative under the sign rule
        assert await ask_tcp(ready.battery, 3, read_request(3, 30775, 2)) == bytes.fromhex("03 04 000005dc")
        assert simulation.state.battery_w == -1500.0
        assert await ask_tcp(ready.battery, 3, struct.pack(">BHH", 6, 40149, 1)) == bytes.fromhex("86 03")


async def test_the_meter_answers_on_the_line_with_check_bytes_and_takes_the_time_of_the_wire(
    house_on_links: OpenHouse,
) -> None:
    async with house_on_links() as (simulation, ready):
        master = SerialMaster(Path(ready.meter))
        try:
            begun_s = time.monotonic()
            answer = await master.ask(1, POWER, size=POWER_SIZE)
            took_s = time.monotonic() - begun_s
        finally:
            master.close()
        assert answer[:3] == bytes.fromhex("01 04 04")
        assert check_bytes(answer[:-2]) == answer[-2:]
        assert struct.unpack(">f", answer[3:7])[0] == pytest.approx(simulation.meter.shown.total_w, abs=0.01)
        # 17 characters of 10 bits at 9600 baud are 17.7 ms; the meter thinks for 25 ms
        assert 0.0427 <= took_s < 0.5


async def test_on_a_serial_line_nobody_answers_for_somebody_else_or_for_a_broken_frame(
    house_on_links: OpenHouse,
) -> None:
    async with house_on_links() as (_, ready):
        master = SerialMaster(Path(ready.meter))
        try:
            assert await master.ask(2, POWER, size=1, timeout_s=0.2) == b""
            assert await master.send(bytes.fromhex("01 04 0034 0002 0000"), size=1, timeout_s=0.2) == b""
            assert await master.send(bytes.fromhex("01 10 0034"), size=1, timeout_s=0.2) == b""  # cut off
            assert len(await master.ask(1, POWER, size=POWER_SIZE)) == POWER_SIZE  # and goes on
            odd = await master.ask(1, read_request(4, 53, 2), size=5)
            assert odd[:3] == bytes.fromhex("01 84 02")
        finally:
            master.close()


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (MeterGone(), b""),
        (WrongCount(by=-1), bytes.fromhex("01 04 02")),
        (WrongCount(by=1), bytes.fromhex("01 04 06")),
        (WrongFunction(), bytes.fromhex("01 03 04")),
    ],
)
async def test_faults_of_the_meter_are_seen_on_the_line(house_on_links: OpenHouse, fault: Fault, answer: bytes) -> None:
    async with house_on_links() as (simulation, ready):
        master = SerialMaster(Path(ready.meter))
        try:
            simulation.begin(fault)
            heard = await master.ask(1, POWER, size=POWER_SIZE, timeout_s=2.0 if answer else 0.3)
            assert heard[:3] == answer
            assert not heard or check_bytes(heard[:-2]) == heard[-2:]  # wrong, but well-formed
            simulation.faults.clear()
            assert (await master.ask(1, POWER, size=POWER_SIZE))[:3] == bytes.fromhex("01 04 04")
        finally:
            master.close()


async def test_noise_spoils_frames_and_ends_with_the_fault(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        master = SerialMaster(Path(ready.meter))
        try:
            simulation.begin(NoiseOnLine(flips=1.0))
            assert await master.ask(1, POWER, size=1, timeout_s=0.2) == b""  # the request itself is broken
            simulation.begin(NoiseOnLine(flips=0.0, garbage=1.0))
            heard = await master.ask(1, POWER, size=16, timeout_s=0.3)
            assert POWER_SIZE < len(heard) <= POWER_SIZE + 4  # stray bytes, then the answer
            assert heard[-POWER_SIZE:][:3] == bytes.fromhex("01 04 04")
            simulation.faults.clear()
            assert len(await master.ask(1, POWER, size=POWER_SIZE)) == POWER_SIZE
        finally:
            master.close()


@pytest.mark.parametrize(("fault", "where"), [(InverterGone(), "pv"), (BatteryGone(), "battery")])
async def test_a_device_that_is_gone_is_silent_and_comes_back(
    house_on_links: OpenHouse, fault: Fault, where: str
) -> None:
    unit, request = {"pv": (1, read_request(3, 40000, 2)), "battery": (3, read_request(3, 30775, 2))}[where]
    async with house_on_links() as (simulation, ready):
        address = getattr(ready, where)
        simulation.begin(fault)
        assert await ask_tcp(address, unit, request, timeout_s=0.3) is None
        simulation.faults.clear()
        assert await ask_tcp(address, unit, request) is not None


async def test_a_battery_that_refuses_answers_an_exception_and_does_not_move(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        simulation.begin(BatteryRefuses())
        assert await ask_tcp(ready.battery, 3, write_many(40149, 0, 1500)) == bytes.fromhex("90 04")
        assert simulation.battery.setpoint_writes == 0


async def test_wrong_answers_on_tcp(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        simulation.begin(WrongCount(device="pv", by=-1))
        assert await ask_tcp(ready.pv, 1, read_request(3, 40000, 2)) == bytes.fromhex("03 02 5375")
        simulation.faults.clear()
        simulation.begin(WrongFunction(device="battery"))
        assert (await ask_tcp(ready.battery, 3, read_request(3, 30845, 2)) or b"")[0] == 4


@pytest.mark.parametrize(
    ("fault", "before"),
    [
        (StrayBytes(), b"\0"),
        (StrayBytes(byte=255), b"\xff"),
        (StrayBytes(byte=255, echo=True), bytes.fromhex("01 04 0034 0002 3005") + b"\xff"),
    ],
    ids=["low", "high", "echo"],
)
async def test_stray_bytes_come_before_the_answer(house_on_links: OpenHouse, fault: Fault, before: bytes) -> None:
    async with house_on_links() as (simulation, ready):
        master = SerialMaster(Path(ready.meter))
        try:
            simulation.begin(fault)
            heard = await master.ask(1, POWER, size=len(before) + POWER_SIZE)
            assert heard[: len(before) + 3] == before + bytes.fromhex("01 04 04")
        finally:
            master.close()


@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (OtherHeader(), "0000 01"),
        (OtherHeader(transaction="next"), "0103 01"),
        (OtherHeader(transaction="swapped"), "0201 01"),
        (OtherHeader(transaction="right", unit=0), "0102 00"),
    ],
    ids=["zero", "next", "swapped", "unit"],
)
async def test_an_answer_has_the_header_that_the_device_gives_it(
    house_on_links: OpenHouse, fault: Fault, header: str
) -> None:
    async with house_on_links() as (simulation, ready):
        simulation.begin(fault)
        host, _, port = ready.pv.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes.fromhex("0102 0000 0006 01 03 9c40 0002"))
        answer = await asyncio.wait_for(reader.readexactly(13), 5.0)
        writer.close()
        transaction, unit = header.split()
        assert answer == bytes.fromhex(f"{transaction} 0000 0007 {unit} 03 04 53756e53")


async def test_a_dongle_is_deaf_at_first(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        simulation.begin(DeafAfterConnecting(deaf_s=3600.0))
        assert await ask_tcp(ready.pv, 1, read_request(3, 40000, 2), timeout_s=0.3) is None
        simulation.begin(DeafAfterConnecting(deaf_s=0.0))
        assert await ask_tcp(ready.pv, 1, read_request(3, 40000, 2)) == bytes.fromhex("03 04 53756e53")


def test_a_chain_may_lack_its_end() -> None:
    simulation = Simulation(HouseConfig())
    simulation.advance(1.0)
    chain = simulation.pv_registers
    end = 40000 + 2 + 68 + 52 + 28  # SunS, then the models 1, 103 and 120
    assert chain.read(3, end, 2) == [0xFFFF, 0]
    simulation.begin(ChainWithoutEnd())
    with pytest.raises(Refused):
        chain.read(3, end, 2)
    assert chain.read(3, end - 28, 2) == [120, 26]


async def test_late_answers_come_late_and_with_their_own_transaction(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (simulation, ready):
        simulation.begin(LateAnswers(device="pv", min_s=0.3, max_s=0.3))
        begun_s = time.monotonic()
        assert await ask_tcp(ready.pv, 1, read_request(3, 40000, 2)) == bytes.fromhex("03 04 53756e53")
        assert 0.3 <= time.monotonic() - begun_s < 1.5
        master = SerialMaster(Path(ready.meter))
        try:
            simulation.begin(LateAnswers(device="meter", min_s=0.3, max_s=0.3))
            begun_s = time.monotonic()
            assert len(await master.ask(1, POWER, size=POWER_SIZE, timeout_s=2.0)) == POWER_SIZE
            assert 0.34 <= time.monotonic() - begun_s < 1.5
        finally:
            master.close()


async def test_the_link_to_the_line_is_removed_at_the_end(house_on_links: OpenHouse, tmp_path: Path) -> None:
    link = tmp_path / "meter.tty"
    link.symlink_to("/dev/pts/99999")  # left by a house that was killed
    async with house_on_links() as (_, ready):
        assert link.is_symlink()
        assert Path(ready.meter) == link
    assert not link.is_symlink()


async def test_a_second_simulator_does_not_take_the_line_of_a_running_one(
    house_on_links: OpenHouse, tmp_path: Path
) -> None:
    link = tmp_path / "meter.tty"
    async with house_on_links() as (_, ready):
        target = link.readlink()
        with pytest.raises(HouseLinkError, match=r"in use.*serve\.meter\.serial"):
            async with house_on_links():
                pass
        assert link.readlink() == target
        master = SerialMaster(Path(ready.meter))
        try:
            assert len(await master.ask(1, POWER, size=POWER_SIZE)) == POWER_SIZE
        finally:
            master.close()
    assert not link.is_symlink()


@pytest.mark.parametrize("target", ["/dev/null", "/dev/ttyUSB99", "nowhere", "/dev/pts/../null", "/dev/pts/ptmx"])
async def test_a_link_of_somebody_else_is_left_alone(house_on_links: OpenHouse, tmp_path: Path, target: str) -> None:
    link = tmp_path / "meter.tty"
    link.symlink_to(target)
    with pytest.raises(HouseLinkError, match=r"remove it or choose another serve\.meter\.serial"):
        async with house_on_links():
            pass
    assert str(link.readlink()) == target


@pytest.mark.parametrize("place", [0, 1])
def test_the_link_of_a_killed_simulator_is_replaced_when_its_terminal_is_ours_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    link = tmp_path / "meter.tty"
    pairs = [os.openpty(), os.openpty()]
    names = [os.ttyname(side) for _, side in pairs]
    link.symlink_to(names[place])  # the system gives the lowest free number again
    monkeypatch.setattr(os, "openpty", lambda: pairs.pop(0))
    with open_terminals(link):
        assert str(link.readlink()) == names[0]
    assert not link.is_symlink()


def test_on_leaving_a_link_that_leads_elsewhere_stays(tmp_path: Path) -> None:
    link = tmp_path / "meter.tty"
    with open_terminals(link):
        link.unlink()
        link.symlink_to("/dev/null")
    assert str(link.readlink()) == "/dev/null"


def test_a_path_that_is_too_long_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(HouseLinkError, match=r"too long.*serve\.meter\.serial"), open_terminals(tmp_path / ("x" * 300)):
        pass


async def test_links_that_cannot_be_had_are_said_with_a_remedy(house_on_links: OpenHouse, tmp_path: Path) -> None:
    async with house_on_links() as (_, ready):
        pass
    (tmp_path / "meter.tty").write_text("mine")
    with pytest.raises(HouseLinkError, match=r"serve\.meter\.serial"):
        async with house_on_links():
            pass
    (tmp_path / "meter.tty").unlink()
    async with house_on_links() as (_, ready):
        serve = {
            "control": "127.0.0.1:0",
            "meter": {"serial": str(tmp_path / "other.tty")},
            "pv": {"tcp": ready.pv},
            "battery": {"tcp": "127.0.0.1:0"},
        }
        with pytest.raises(HouseLinkError, match=r"in use.*serve\.pv\.tcp"):
            async with house_on_links(serve=serve):
                pass
    assert not (tmp_path / "other.tty").is_symlink()
