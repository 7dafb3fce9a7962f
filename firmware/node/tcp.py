"""TCP connections in which every wait ends and every socket is closed."""

import asyncio
import errno
import select
import socket

from micropython import const

_STEP_MS = const(5)
_SEND_STEPS = const(1000)  # five seconds without one byte taken


def resolve(host, port):
    """Address for `connect`; immediate for numbers, blocking for names."""
    return socket.getaddrinfo(host, port)[0][-1]


async def connect(address, timeout_ms):
    """A Connection; OSError when refused, unreachable or late."""
    sock = socket.socket()
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
            timeout_ms -= _STEP_MS
            if timeout_ms < 0:
                raise OSError(errno.ETIMEDOUT)
            await asyncio.sleep_ms(_STEP_MS)
        if ready[0][1] != select.POLLOUT:
            raise OSError(errno.ECONNREFUSED)
    except BaseException:
        sock.close()
        raise
    return Connection(sock)


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.close = sock.close
        self.stream = asyncio.StreamReader(sock)
        self.got = 0

    async def send(self, view):
        """All bytes of a memoryview; OSError when the other side takes none for too long."""
        patience = _SEND_STEPS
        while view:
            taken = self.sock.write(view)
            if taken:
                view = view[taken:]
                continue
            patience -= 1
            if not patience:
                raise OSError(errno.ETIMEDOUT)
            await asyncio.sleep_ms(_STEP_MS)

    async def fill(self, view):
        """Fills a memoryview from `got` on, which survives a time-out; OSError at the end of the connection."""
        while self.got < len(view):
            more = await self.stream.readinto(view[self.got :])
            if more == 0:
                raise OSError(errno.ECONNRESET)
            self.got += more or 0
