"""A serial line in real time: a pty has no baud, so this process answers when the last bit would have come.

`python line_clock.py LINK BAUD BITS UNITS` links the line's end to LINK. UNITS (as 1,2,3) answer; a line on stdin names
others. For each exchange it prints a JSON list: begin of the request, end of the answer, characters of both, µs of
silence before, unit, whether it was answered. An answer begins t3.5 after the end of its request, as MODBUS over Serial
Line V1.02, 2.5.1.1 asks of every device; there is no time to think. No code is shared with the node.
"""

import json
import os
import select
import sys
import time
import tty
from pathlib import Path

SHORT_S = 0.002  # closer than this we do not sleep: the system would wake us late


def checksum(frame: bytes) -> bytes:
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def silence_s(baud: int, bits: int) -> float:
    """t3.5: above 19,200 Bd it is 1.75 ms whatever the speed."""
    return 0.00175 if baud > 19200 else 3.5 * bits / baud


def wait_until(end: float) -> None:
    while (left := end - time.monotonic()) > 0:
        if left > SHORT_S:
            time.sleep(left - SHORT_S)


def right_answer(request: bytes) -> bytes:
    """To a read of registers; their bytes count from 0."""
    body = request[:2] + bytes([2 * request[5]]) + bytes(range(2 * request[5]))
    return body + checksum(body)


def exchange(master: int, last: float, baud: int, bits: int, units: set[int]) -> list:
    begin = time.monotonic()
    request = os.read(master, 512)
    if len(request) != 8 or checksum(request[:6]) != request[6:]:
        raise SystemExit(f"the node sent {request.hex()}")
    characters, end = len(request), begin + len(request) * bits / baud
    if request[0] in units:
        answer = right_answer(request)
        characters += len(answer)
        wait_until(end + silence_s(baud, bits) + len(answer) * bits / baud)
        end = time.monotonic()  # before it can be read: what follows is a silence of the node's own
        os.write(master, answer)
    return [begin, end, characters, round(1e6 * (begin - last)), request[0], request[0] in units]


def serve(link: Path, baud: int, bits: int, units: str) -> None:
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    end = time.monotonic()
    while True:
        ready, _, _ = select.select([master, sys.stdin], [], [])
        if sys.stdin in ready:
            units = sys.stdin.readline()
        else:
            row = exchange(master, end, baud, bits, {int(unit) for unit in units.split(",")})
            end = row[1]
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
