"""TCP connections, plain or inside TLS, in which every wait ends and every socket is closed."""

import asyncio
import errno
import select
import socket

from micropython import const

_STEP_MS = const(5)
_SEND_STEPS = const(1000)  # five seconds without one byte taken


def resolve(host, port):
    """Address for `connect`; immediate for numbers; for names it blocks, for seconds when nobody knows them."""
    return socket.getaddrinfo(host, port)[0][-1]


async def connect(address, timeout_ms, context=None, name=None):
    """A Connection; OSError when refused, unreachable or late.

    With an SSLContext it is inside TLS, and the other side's certificate must be for `name`; the handshake goes with
    the first `send`.
    """
    sock = stream = socket.socket()
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
        if context:
            stream = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    return Connection(sock, stream)


class Connection:
    def __init__(self, sock, stream):
        self.sock = sock
        self.stream = asyncio.StreamReader(stream)
        self.got = 0

    def close(self):
        self.stream.s.close()
        self.sock.close()  # which a failed handshake has let go of, but not closed

    async def send(self, view):
        """All bytes of a memoryview; OSError when the other side takes none for too long."""
        patience = _SEND_STEPS
        while view:
            try:
                taken = self.stream.s.write(view)
            except ValueError as error:  # of a certificate; why is a sentence
                raise OSError(str(error).strip())
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
