"""The relay board answers with the bytes of its maker's document, and its profile asks for what it has."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.profiles import find
from gateway.adapters.products.registers import readings
from gateway.adapters.products.setpoints import Rating, power_of, raw_setpoint
from gateway.paths import config_folder
from gateway.simulator.faults import ActiveFaults
from gateway.simulator.links.line import LineDevice, serve_serial
from gateway.simulator.links.serial_line import SerialLine, open_terminals
from gateway.simulator.products.registers import Refused, coil_words
from gateway.simulator.products.waveshare_relay import WaveshareRelay
from gateway.tests.simulator.raw_modbus import SerialMaster

# Waveshare wiki, Modbus RTU Relay, Development Protocol V3: what is sent, what comes back.
PUBLISHED = [
    ("control single relay: relay 0 on", "01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A", {0}),
    ("read state of relays: relay 0 is on", "01 01 00 00 00 08 3D CC", "01 01 01 01 90 48", {0}),
    ("control single relay: relay 0 off", "01 05 00 00 00 00 CD CA", "01 05 00 00 00 00 CD CA", set()),
    ("read state of relays: all are off", "01 01 00 00 00 08 3D CC", "01 01 01 00 51 88", set()),
    ("control single relay: relay 1 on", "01 05 00 01 FF 00 DD FA", "01 05 00 01 FF 00 DD FA", {1}),
    ("control single relay: relay 1 off", "01 05 00 01 00 00 9C 0A", "01 05 00 01 00 00 9C 0A", set()),
    ("control all relays: on", "01 05 00 FF FF 00 BC 0A", "01 05 00 FF FF 00 BC 0A", set(range(8))),
    ("control all relays: off", "01 05 00 FF 00 00 FD FA", "01 05 00 FF 00 00 FD FA", set()),
    ("write state of relays: all on", "01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D", set(range(8))),
    ("read software version: 200 is V2.00", "01 03 80 00 00 01 AD CA", "01 03 02 00 C8 B9 D2", set(range(8))),
]


@asynccontextmanager
async def on_its_line(tmp_path: Path, relay: WaveshareRelay) -> AsyncIterator[SerialMaster]:
    """The board at the end of a serial line of 9600 baud, and a master at the other."""
    link, faults = tmp_path / "relay.tty", ActiveFaults()
    with open_terminals(link) as terminals:
        line = SerialLine(terminals, baud=9600, latency_s=0.0, faults=faults, seed=1)
        board = LineDevice(device="pool_pump", unit=1, registers=relay)
        async with serve_serial([board], path=terminals.device_path, baud=9600, faults=faults):
            line.open()
            master = SerialMaster(link)
            try:
                yield master
            finally:
                master.close()
                line.close()


async def test_the_bytes_of_the_maker_s_document(tmp_path: Path) -> None:
    relay = WaveshareRelay()
    async with on_its_line(tmp_path, relay) as master:
        for what, sent, expected, on in PUBLISHED:
            answer = bytes.fromhex(expected)
            assert await master.send(bytes.fromhex(sent), size=len(answer)) == answer, what
            assert {number for number, is_on in enumerate(relay.is_on) if is_on} == on, what


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("01 0000 0009", "81 02"),  # it has eight
        ("05 0008 FF00", "85 02"),
        ("04 0000 0001", "84 01"),  # it has no input registers
        ("03 0000 0001", "83 02"),
        ("10 4000 0001 02 0002", "90 01"),  # nor does it take several registers
    ],
)
async def test_what_the_board_does_not_have_is_refused(tmp_path: Path, sent: str, expected: str) -> None:
    async with on_its_line(tmp_path, WaveshareRelay()) as master:
        answer = await master.ask(1, bytes.fromhex(sent), size=5)
        assert answer[1:3] == bytes.fromhex(expected)


def test_a_coil_is_on_or_off() -> None:
    with pytest.raises(Refused):
        WaveshareRelay().write(5, 0, [2])


@pytest.mark.parametrize(
    ("coils", "words"),
    [
        ([True], [0x0100]),
        ([False] * 7 + [True], [0x8000]),
        ([False] * 8 + [True], [0x0001]),
        ([True] * 17, [0xFFFF, 0x0100]),
    ],
)
def test_coils_are_packed_as_in_an_answer(coils: list[bool], words: list[int]) -> None:
    assert coil_words(coils) == words


def test_the_profile_reads_and_writes_what_the_board_has() -> None:
    profile, relay = find("waveshare_relay", config_folder()), WaveshareRelay()
    bus = {"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 300, "gap_ms": 0}
    wiring = Wiring(
        device="relay", profile=profile, bus=bus, unit=1, range_w=(0.0, 900.0), rating=Rating(rated_w=900.0)
    )
    table = compile_table("cellar", [wiring], 10_000)
    written = json.loads(table.text)
    [actuator] = written["actuators"]
    assert (written["units"][0]["wfc"], actuator["set"], actuator["safe"]) == (5, [[0, "H", 0, 1]], [[0, [0]]])
    assert actuator["rb"] == []  # the coil is read back where it is written
    for power_w, is_on in ((900.0, 1.0), (0.0, 0.0)):
        [value] = raw_setpoint(profile, power_w, wiring.rating)
        relay.write(5, 0, [value])
        shown = {}
        for block, row in zip(table.blocks, written["blocks"], strict=True):
            words = relay.read(row["fc"], row["a"], row["n"])
            shown |= readings(block.profile, block.points, block.first, words, 1.0)
        assert shown["is_on"].value == is_on
        assert shown["version"].value == pytest.approx(2.0)
        assert power_of(profile, value, wiring.rating) == power_w
