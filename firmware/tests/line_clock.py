"""A serial line in real time: a pty has no baud, so this process answers when the last bit would have come.

`python line_clock.py LINK BAUD BITS UNITS` links the line's end to LINK and prints, for each exchange, a JSON line
[start of the request, end of the answer, chars of both, µs of silence before the request, unit, count, answered].
It begins an answer t3.5 after the end of the request, as MODBUS over Serial Line V1.02, 2.5.1.1 asks of every device,
and thinks for no time. No code is shared with the node.
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


def serve(link: Path, baud: int, bits: int, units: set[int]) -> None:
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    answers: dict[bytes, bytes] = {}
    end = time.monotonic()
    while True:
        select.select([master], [], [])
        begin = time.monotonic()
        request = os.read(master, 512)
        if len(request) != 8 or checksum(request[:6]) != request[6:]:
            raise SystemExit(f"the node sent {request.hex()}")
        unit, count, silent_us = request[0], request[5], round(1e6 * (begin - end))
        end = begin + len(request) * bits / baud
        characters = len(request)
        if unit in units:
            answer = answers.get(request)
            if answer is None:
                body = request[:2] + bytes([2 * count]) + bytes(range(2 * count))
                answer = answers[request] = body + checksum(body)
            characters += len(answer)
            end += silence_s(baud, bits) + len(answer) * bits / baud
            wait_until(end)
            os.write(master, answer)
            end = max(end, time.monotonic())
        print(json.dumps([begin, end, characters, silent_us, unit, count, unit in units]), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), {int(unit) for unit in sys.argv[4].split(",")})
