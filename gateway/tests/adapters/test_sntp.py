"""The time server, asked by a client that knows nothing of us, and with packets that are no question."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator

import ntplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.clock import SystemClock
from gateway.adapters.sntp import TimeAddressError, TimeServer, is_settled, ntp, serve_time

YEAR_S = 365 * 86400


def server(offset_s: float = 0.0, *, trusted: bool = True) -> TimeServer:
    return TimeServer(clock=SystemClock(offset_s=offset_s), is_trusted=lambda: trusted)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serve_time(server(-YEAR_S), host="127.0.0.1", port=0) as port:
        yield port


async def test_a_client_that_is_not_ours_learns_the_gateway_s_time(port: int) -> None:
    for version in (1, 2, 3, 4):
        found = await asyncio.to_thread(ntplib.NTPClient().request, "127.0.0.1", version, port, 5)
        assert found.offset == pytest.approx(-YEAR_S, abs=0.05)
        assert (found.mode, found.version, found.leap) == (4, version, 0)
        assert 0 < found.stratum < 16
        assert found.root_delay == 0


async def test_a_clock_that_nobody_has_set_yet_is_not_passed_on() -> None:
    async with serve_time(server(trusted=False), host="127.0.0.1", port=0) as port:
        found = await asyncio.to_thread(ntplib.NTPClient().request, "127.0.0.1", 4, port, 5)
    assert (found.leap, found.stratum, ntplib.ref_id_to_text(found.ref_id, found.stratum)) == (
        3,
        0,
        "(Initialization)",
    )


def test_the_answer_is_that_of_the_standard_to_the_bit() -> None:
    # RFC 4330, figure 1: LI 0, version 3, mode 3; poll 6; the client's transmit time comes back as originate time
    stamp = bytes.fromhex("e9b3f1a28badf00d")
    answer = server().answer(bytes.fromhex("1b0006ec") + bytes(36) + stamp, 1_700_000_000.25)
    assert answer is not None
    assert len(answer) == 48
    assert answer[0] == 0x1C  # 00 011 100
    assert answer[2] == 6
    assert answer[24:32] == stamp
    # 1 700 000 000 s after 1970 are 3 908 988 800 s after 1900; a quarter is 0x40000000 of 2^32
    assert answer[32:40] == struct.pack(">II", 3_908_988_800, 0x4000_0000)


def test_the_era_ends_in_2036_and_time_goes_on() -> None:
    # RFC 4330, section 3: bit 0 is clear again from 2036-02-07 06:28:16 UTC, which is 2 085 978 496 in unix time
    assert ntp(2_085_978_495) == 0xFFFF_FFFF << 32
    assert ntp(2_085_978_497) == 1 << 32


@given(st.binary(max_size=120))
def test_only_a_client_s_question_is_answered_and_never_with_more_bytes(packet: bytes) -> None:
    one = server()
    answer = one.answer(packet, time.time())
    asks = len(packet) >= 48 and packet[0] & 7 == 3 and 1 <= packet[0] >> 3 & 7 <= 4
    assert (answer is not None) == asks
    assert answer is None or len(answer) == 48 <= len(packet)
    assert (one.answered, one.ignored) == (asks, not asks)


@pytest.mark.parametrize("mode", [0, 1, 2, 4, 5, 6, 7])
async def test_other_modes_get_no_answer_at_all(port: int, mode: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, bytes((0x20 | mode,)) + bytes(47))
        await loop.sock_sendall(sock, bytes((0x23,)) + bytes(47))
        assert (await asyncio.wait_for(loop.sock_recv(sock, 100), 30))[0] == 0x24  # that of the second packet
        with pytest.raises(BlockingIOError):
            sock.recv(100)


async def test_a_port_that_is_taken_is_named(port: int) -> None:
    with pytest.raises(TimeAddressError, match=rf"127.0.0.1:{port}: .*\[time\] port"):
        async with serve_time(server(), host="127.0.0.1", port=port):
            pass


def test_after_long_enough_any_clock_is_believed() -> None:
    assert is_settled(0)
