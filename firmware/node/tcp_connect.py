"""Opening a TCP connection: every wait ends, and every socket that leads nowhere is closed. Loaded for each."""

import asyncio
import errno
import select
import socket

from micropython import const
from node.tcp import Connection
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Address
    from node.modbus import Master

_STEP_MS = const(5)
_SILENT = const(2)  # time-outs in a row: the connection before this one never answered, and nor does it
_PAUSE_MS = const(6000)


async def connect(address: "Address", timeout_ms: int, context: "Any" = None, name: str | None = None) -> "Connection":
    """A Connection; OSError when refused, unreachable or late.

    With an SSLContext it is inside TLS, and the other side's certificate must be for `name`; the handshake goes with
    the first `send`.
    """
    sock = stream = socket.socket()
    end = after(timeout_ms)
    try:
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        while not (ready := poller.poll(0)):
            if left(end) < 0:
                raise OSError(errno.ETIMEDOUT)
            await asyncio.sleep_ms(_STEP_MS)
        if ready[0][1] != select.POLLOUT:
            raise OSError(errno.ECONNREFUSED)
        if context:
            stream = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    return Connection(sock, stream)


async def call(master: "Master") -> "Connection":
    """`connect` to where the Net of a master is. A number is best: a name blocks, for seconds when it is not known.

    So it is looked up the first time, and when eight calls have reached nothing. Some devices hear nothing in the first
    seconds of a connection, or never on one that was asked too soon: once a connection has ended without one answer, each
    further one is left alone for a while first.
    """
    net: "Any" = master.transport
    if not net.misses & 7:
        net.address = socket.getaddrinfo(net.host, net.port)[0][-1]
    net.misses += 1
    connection = await connect(net.address, master.timeout_ms)
    net.misses = 1
    if master.silent > _SILENT:
        net.pause_ms = _PAUSE_MS
    await asyncio.sleep_ms(net.pause_ms)
    return connection
