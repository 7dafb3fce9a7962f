"""A serial line made of pseudo terminals: bytes take their time on the wire, and noise may spoil them.

The master opens the far end through a link in the file system; the device's server opens the near end. Between them
this line frames requests by silence, as a UART of a Modbus device does, and drops what the checksum does not fit.
"""

import asyncio
import os
import random
import re
import stat
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.simulator.faults import ActiveFaults, LateAnswers, NoiseOnLine
from gateway.simulator.link_faults import StrayBytes
from gateway.simulator.settings.mistakes import HouseLinkError

CHARACTER_BITS = 10  # 8N1
CHUNK = 8  # bytes that arrive together, as from the FIFO of a UART
MAX_FRAME = 256
METER_SETTING = "serve.meter.serial"
PSEUDO_TERMINAL = re.compile(r"/dev/pts/\d+")
MIN_SILENCE_S = 0.004  # finer than this a busy machine's clock is no measure of silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminals:
    """The two pseudo terminals: our ends as file descriptors, the device's end as a path."""

    far: int
    near: int
    device_path: str


class SerialLine:
    """The wire between the two ends; everything happens in callbacks of the running loop."""

    def __init__(self, terminals: Terminals, *, baud: int, latency_s: float, faults: ActiveFaults, seed: int) -> None:
        self._terminals = terminals
        self._character_s = CHARACTER_BITS / baud
        self._silence_s = max(3.5 * self._character_s, MIN_SILENCE_S)
        self._latency_s = latency_s
        self._faults = faults
        self._random = random.Random(f"line {seed}")
        self._loop = asyncio.get_running_loop()
        self._request = b""
        self._request_begun_s = 0.0
        self._asked = b""  # the request that the device has
        self._quiet: asyncio.TimerHandle | None = None
        self._free_s = 0.0  # until then the wire is busy with an answer

    def open(self) -> None:
        """Begin to carry bytes."""
        self._loop.add_reader(self._terminals.far, self._hear_master)
        self._loop.add_reader(self._terminals.near, self._hear_device)

    def close(self) -> None:
        """Stop; bytes on the way are lost."""
        self._loop.remove_reader(self._terminals.far)
        self._loop.remove_reader(self._terminals.near)
        if self._quiet:
            self._quiet.cancel()

    def _hear_master(self) -> None:
        data = _read(self._terminals.far)
        if not self._request:
            self._request_begun_s = self._loop.time()
        self._request = (self._request + data)[:MAX_FRAME]
        if self._quiet:
            self._quiet.cancel()
        self._quiet = self._loop.call_later(self._silence_s, self._end_of_request)

    def _end_of_request(self) -> None:
        """Silence: the frame is complete. A device takes only one whose checksum fits."""
        frame, self._request = self._spoil(self._request), b""
        if len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]:
            self._free_s = self._request_begun_s + len(frame) * self._character_s + self._silence_s
            self._asked = frame
            write_out(self._terminals.near, frame)

    def _hear_device(self) -> None:
        """An answer: on its way after the device's own time, each byte after the one before."""
        data = _read(self._terminals.near)
        begins_s = max(self._free_s + self._latency_s + self._late_s(), self._loop.time())
        data = self._stray() + self._garbage() + self._spoil(data)
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            self._loop.call_at(begins_s + (start + len(chunk)) * self._character_s, self._deliver, chunk)
        self._free_s = begins_s + len(data) * self._character_s

    def _deliver(self, chunk: bytes) -> None:
        with suppress(OSError):  # the simulator is closing: the line is gone before its last bytes
            write_out(self._terminals.far, chunk)

    def _late_s(self) -> float:
        late = self._faults.find(LateAnswers, "meter")
        return self._random.uniform(late.min_s, late.max_s) if late else 0.0

    def _spoil(self, data: bytes) -> bytes:
        noise = self._faults.find(NoiseOnLine, "meter")
        if noise is None:
            return data
        return bytes(
            byte ^ (1 << self._random.randrange(8)) if self._random.random() < noise.flips else byte for byte in data
        )

    def _stray(self) -> bytes:
        stray = self._faults.find(StrayBytes, "meter")
        if stray is None:
            return b""
        return (self._asked if stray.echo else b"") + bytes([stray.byte])

    def _garbage(self) -> bytes:
        noise = self._faults.find(NoiseOnLine, "meter")
        if noise is None or self._random.random() >= noise.garbage:
            return b""
        return self._random.randbytes(self._random.randint(1, 4))


@contextmanager
def open_terminals(link: Path, setting: str = METER_SETTING) -> Iterator[Terminals]:
    """Two pseudo terminals in raw mode; `link` leads to the far one and is removed at the end.

    `setting` is where the house file names the link.

    A link that a killed simulator left behind is replaced; HouseLinkError for anything else in its place.
    """
    far, far_side = os.openpty()
    near, near_side = os.openpty()
    try:
        # The slave sides stay open here, so that a master that closes its end does not end the line.
        for descriptor in (far_side, near_side):
            tty.setraw(descriptor)
        for descriptor in (far, near):
            os.set_blocking(descriptor, False)
        target, device_path = os.ttyname(far_side), os.ttyname(near_side)
        _make_link(link, target, setting, ours=(target, device_path))
        try:
            yield Terminals(far=far, near=near, device_path=device_path)
        finally:
            with suppress(OSError):  # the folder has gone or is closed to us: nothing is left to tidy
                if _target_of(link) == target:
                    link.unlink()
    finally:
        for descriptor in (far, far_side, near, near_side):
            os.close(descriptor)


def crc16(frame: bytes) -> bytes:
    """The two check bytes of a Modbus RTU frame (Modbus over Serial Line 1.02, chapter 6.2.2), low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def _make_link(link: Path, target: str, setting: str, *, ours: tuple[str, ...]) -> None:
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        there = _target_of(link)
        if there is not None and _is_left_behind(there, ours):
            link.unlink()
        elif os.path.lexists(link):
            raise HouseLinkError(_taken(link, there, setting))
        link.symlink_to(target)
    except OSError as error:
        raise HouseLinkError(f"{link} cannot be made ({error.strerror}): choose another {setting}") from error


def _target_of(link: Path) -> str | None:
    """Where a link leads; None for anything that is no link."""
    return str(link.readlink()) if link.is_symlink() else None


def _is_left_behind(target: str, ours: tuple[str, ...]) -> bool:
    """Whether a link to this is one of a simulator that was killed: its pseudo terminal is gone.

    The system gives the lowest free number again, so the old target may be one of the terminals just opened here.
    """
    if PSEUDO_TERMINAL.fullmatch(target) is None:
        return False
    try:
        return target in ours or not stat.S_ISCHR(Path(target).stat().st_mode)
    except FileNotFoundError:
        return True


def _taken(link: Path, target: str | None, setting: str) -> str:
    if target is None:
        return f"{link} is not a link of ours: remove it or choose another {setting}"
    if PSEUDO_TERMINAL.fullmatch(target) is None:
        return f"{link} leads to {target}, no line of ours: remove it or choose another {setting}"
    return (
        f"{link} leads to {target}, which is in use: end the other house, choose another {setting}, "
        "or remove the link if no house runs"
    )


def _read(descriptor: int) -> bytes:
    with suppress(BlockingIOError):
        return os.read(descriptor, 1024)
    return b""


def write_out(descriptor: int, data: bytes) -> None:
    """As much as the buffer takes."""
    with suppress(BlockingIOError):  # nobody reads the far end and its buffer is full: a wire forgets
        os.write(descriptor, data)
