"""The time for the nodes: an SNTP server (RFC 4330, section 6) on the gateway's own clock, without internet.

It answers requests of clients with as many bytes as it got, and nothing else: no other mode, no memory of anybody.
"""

import asyncio
import ctypes
import logging
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.ports import Clock

_log = logging.getLogger(__name__)

PACKET = struct.Struct(">BBbbII4s8sQQQ")  # figure 1: 48 bytes
NTP_1970 = 2_208_988_800  # seconds from 1900, where NTP begins, to 1970
CLIENT, SERVER = 3, 4
UNSYNCHRONISED = 3  # leap indicator: do not use
LOCAL_STRATUM = 10  # our own clock, whoever sets it: any real reference is preferred
PRECISION = -20  # 2^-20 s
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


class TimeAddressError(Exception):
    """The time server cannot have the address it was given. For the configuration to mend."""


@dataclass(slots=True, kw_only=True)
class TimeServer:
    """Answers one packet at a time. `is_trusted` says whether our clock may be passed on."""

    clock: Clock
    is_trusted: Callable[[], bool]
    answered: int = 0
    ignored: int = 0

    def answer(self, request: bytes, received_s: float) -> bytes | None:
        """The answer to a packet that came at `received_s` (UTC); None for all that is no request of a client."""
        if len(request) < PACKET.size or request[0] & 7 != CLIENT or not 1 <= request[0] >> 3 & 7 <= 4:
            self.ignored += 1
            return None
        version = request[0] & 0x38
        known = self.is_trusted()
        self.answered += 1
        return PACKET.pack(
            version | SERVER if known else UNSYNCHRONISED << 6 | version | SERVER,
            LOCAL_STRATUM if known else 0,
            int.from_bytes(request[2:3], signed=True),  # the client's poll interval
            PRECISION,
            0,
            0,
            b"LOCL" if known else b"INIT",  # section 8: not synchronised for the first time yet
            ntp(received_s).to_bytes(8) if known else bytes(8),
            int.from_bytes(request[40:48]),
            ntp(received_s),
            ntp(self.clock.utc_s()),
        )


def ntp(utc_s: float) -> int:
    """A moment as NTP writes it: 32 bits of seconds since 1900 (it wraps in 2036), 32 bits of fraction."""
    return round((utc_s + NTP_1970) * 2**32) % 2**64


def is_settled(settle_s: float) -> bool:
    """Whether this machine's clock may be trusted: it was set, or the machine has run so long that nothing will set it.

    A small computer without a battery wakes up at the time of its last shutdown and is set a minute later.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME) >= settle_s or is_synchronised()


@asynccontextmanager
async def serve_time(server: TimeServer, *, host: str, port: int) -> AsyncIterator[int]:
    """Answers while the context is open; gives the port. Raises TimeAddressError when the address cannot be had."""
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Protocol(server), local_addr=(host, port)
        )
    except OSError as error:
        raise TimeAddressError(
            f"time server {host}:{port}: {error.strerror or error}; choose another [time] port or host in the site file"
        ) from error
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: TimeServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # of UDP
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        answer = self._server.answer(data, self._server.clock.utc_s())
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def error_received(self, exc: Exception) -> None:
        _log.debug("time server: %s", exc)  # a client that has gone


def is_synchronised() -> bool:
    """What an NTP client reported to the kernel (adjtimex(2) with modes 0 only reads; the answer says the state)."""
    buffer = (ctypes.c_long * 64)()  # longer than struct timex
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.byref(buffer)))
    except (OSError, AttributeError):
        return False
    return 0 <= state < TIME_ERROR
