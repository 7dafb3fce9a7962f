"""The meter's telegram on a pseudo terminal: frame after frame at the pace of the wire, heard or not."""

import asyncio
import random
import termios

from gateway.simulator.faults import (
    ActiveFaults,
    TelegramBrokenOff,
    TelegramChecksums,
    TelegramGone,
    TelegramNoise,
    TelegramSwitched,
)
from gateway.simulator.links.serial_line import CHUNK, Terminals, write_out
from gateway.simulator.products.linky import BAUD, EOT, Linky, cut, frame, heard_at

CHARACTER_BITS = 10  # 7E1
SPEEDS = {termios.B1200: 1200, termios.B2400: 2400, termios.B4800: 4800, termios.B9600: 9600, termios.B19200: 19200}
SHORT_PAUSE_S = 0.033  # between short frames (Enedis-NOI-CPT_54E: 16.7 to 33.4 ms between frames)
UNSET_BAUD = 38400  # of a terminal that nobody has opened yet


class TelegramLine:
    """Sends what the meter shows. A listener at the wrong speed hears what a receiver would make of it."""

    def __init__(self, terminals: Terminals, linky: Linky, *, faults: ActiveFaults, seed: int) -> None:
        self._terminals = terminals
        self._linky = linky
        self._faults = faults
        self._random = random.Random(f"telegram {seed}")

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        while True:
            begun_s = loop.time()
            every_s = self._linky.settings.every_s
            hurries = not self._faults.find(TelegramGone, "linky") and await self._send()
            await asyncio.sleep(SHORT_PAUSE_S if hurries else max(begun_s + every_s - loop.time(), 0.05))

    async def _send(self) -> bool:
        """One frame, in pieces as from the FIFO of a UART. True for a short one, which is one of many."""
        loop = asyncio.get_running_loop()
        switched = self._faults.find(TelegramSwitched, "linky")
        mode = switched.mode if switched else self._linky.settings.mode
        groups, is_short = self._linky.next_groups(mode)
        data = self._broken_off(self._spoiled(frame(mode, groups)))
        due_s = loop.time()
        for piece in cut(data, CHUNK):
            due_s += len(piece) * CHARACTER_BITS / BAUD[mode]
            await asyncio.sleep(max(due_s - loop.time(), 0.0))
            write_out(self._terminals.far, self._noisy(self._heard(piece, BAUD[mode])))
        return is_short

    def _heard(self, piece: bytes, sent_baud: int) -> bytes:
        """A pseudo terminal knows the speed that its user has set."""
        heard_baud = SPEEDS.get(termios.tcgetattr(self._terminals.far)[4], UNSET_BAUD)
        if heard_baud == sent_baud:
            return piece
        return heard_at(piece, sent_baud=sent_baud, heard_baud=heard_baud)

    def _spoiled(self, data: bytes) -> bytes:
        """Some check characters are not those of their groups."""
        wrong = self._faults.find(TelegramChecksums, "linky")
        if wrong is None:
            return data
        parts = data.split(b"\r")
        for place, group in enumerate(parts[:-1]):
            if self._random.random() < wrong.share:
                parts[place] = group[:-1] + bytes([(group[-1] - 32 + 1) % 64 + 32])
        return b"\r".join(parts)

    def _broken_off(self, data: bytes) -> bytes:
        if self._faults.find(TelegramBrokenOff, "linky"):
            return data[: self._random.randrange(1, len(data) - 1)] + EOT
        return data

    def _noisy(self, piece: bytes) -> bytes:
        noise = self._faults.find(TelegramNoise, "linky")
        if noise is None:
            return piece
        return bytes(
            byte ^ (1 << self._random.randrange(7)) if self._random.random() < noise.flips else byte for byte in piece
        )
