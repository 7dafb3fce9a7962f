"""Where the broker is, how it proves its identity, when to try again. Loaded for a moment: names and certificates are heavy.

The last address that its name led to is kept in the memory of the node: after a restart no name server is needed, and
none is waited for. It is asked again when the broker does not answer there.
"""

import binascii
import random
import socket

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Address, Conf, Memory

_WAIT_MS = const(5000)
_KEY = const("addr")


def find(broker: "Conf", memory: "Memory", known: tuple | None) -> tuple:
    """What `dial.connect` needs, for the `broker` of node.json; `known` is what was found before, or None.

    `memory` is that of slot.py, or None. OSError when the name leads nowhere and never did.
    """
    host = broker["host"]
    kept: "Any" = memory.text(_KEY).split(" ") if memory else ()
    kept = kept[1] if len(kept) == 2 and kept[0] == host else None  # of another host it is of no use
    if known or not kept:
        try:
            address = resolve(host, broker["port"])
            number = numeric(address)
            if memory and number not in (kept, host):
                memory.write(_KEY, host + " " + number)
        except OSError:
            if not kept:
                if not known:
                    raise
                return known
            address = resolve(kept, broker["port"])
    else:
        address = resolve(kept, broker["port"])
    if "ca" not in broker:
        return address, _WAIT_MS
    return address, _WAIT_MS, known[2] if known else trust(broker["ca"]), host


def pause_ms(attempt: int) -> int:
    """Back-off: quick for a broker that restarts, patient for one that is gone; at most a minute, with jitter.

    It begins with half a second and stays below four for half a minute: a broker that restarts takes that long, and
    its node shall be back within five seconds.
    """
    whole = 500 << max(min(attempt, 3), min(attempt - 8, 7))  # 0.5, 1, 2, 4 … for half a minute, then 8 … 64 s
    return whole * (240 - random.getrandbits(6)) // 256


def resolve(host: str, port: int) -> "Address":
    return socket.getaddrinfo(host, port)[0][-1]


def numeric(address: "Address") -> str:
    """The four numbers in what getaddrinfo gave: a tuple on a board, on a computer a struct sockaddr_in."""
    return address[0] if isinstance(address, tuple) else ".".join(str(part) for part in address[4:8])


def trust(ca: str) -> "Any":
    """An SSLContext that trusts this certificate (base64 of its DER) and no other; dates count too."""
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    try:
        context.load_verify_locations(binascii.a2b_base64(ca))
    except ValueError:
        raise OSError("broker.ca is no certificate")
    return context
