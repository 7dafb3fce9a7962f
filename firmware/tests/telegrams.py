"""A Linky meter for the tests of the node: published groups, frames of them, and a pty that a receiver may open."""

import asyncio
import os
import termios
import tty
from pathlib import Path

from gateway.simulator.products.linky import heard_at

NUMBER, DELIVERY_POINT, MESSAGE = "040422040644", "14512345678901", "PAS DE MESSAGE POUR VOUS"

# A telegram as it is printed in many places, with the check characters of the meter itself (one is a space).
HISTORIQUE = (
    "ADCO 040422040644 5",
    "OPTARIF HC.. <",
    "ISOUSC 45 ?",
    "HCHC 077089461 0",
    "HCHP 096066754 >",
    "PTEC HP..  ",
    "IINST 002 Y",
    "IMAX 044 G",
    "PAPP 00460 +",
    "HHPHC E 0",
    "MOTDETAT 000000 B",
)

# The groups of the device map (shared facts, four decoders) with their published check characters.
STANDARD = (
    "SMAXSN-1\tE220422144756\t05210\tW",
    "CCASN\tE220423110000\t01468\t:",
    "CCASN-1\tE220423100000\t01444\tQ",
    "UMOY1\tE220423114000\t235\t(",
    "STGE\t003A0001\t:",
)


def group(*parts: str) -> str:
    """A group of the mode standard with its check character: six low bits of the sum of all before it, plus 32."""
    text = "\t".join(parts) + "\t"
    return text + chr((sum(map(ord, text)) & 0x3F) + 0x20)


def old_group(*parts: str) -> str:
    """A group of the mode historique: the space before the check character is not counted."""
    text = " ".join(parts)
    return f"{text} {chr((sum(map(ord, text)) & 0x3F) + 0x20)}"


def alarm(*amperes: int, of: int = 45) -> tuple[str, ...]:
    """The groups of a short frame, with the currents of the three phases (ERDF-NOI-CPT_02E, "trames courtes")."""
    over = [old_group(f"ADIR{i}", f"{a:03d}") for i, a in enumerate(amperes, 1) if a > of]
    return (*over, old_group("ADCO", NUMBER), *(old_group(f"IINST{i}", f"{a:03d}") for i, a in enumerate(amperes, 1)))


def frame(*groups: str) -> bytes:
    return b"\x02" + "".join(f"\n{one}\r" for one in groups).encode() + b"\x03"


# The long frame of a three-phase meter.
THREE_PHASE = (
    old_group("ADCO", NUMBER),
    old_group("OPTARIF", "HC.."),
    old_group("ISOUSC", "45"),
    old_group("HCHC", "077089461"),
    old_group("HCHP", "096066754"),
    old_group("PTEC", "HP.."),
    *(old_group(f"IINST{i}", f"{10 * i:03d}") for i in (1, 2, 3)),
    *(old_group(f"IMAX{i}", "060") for i in (1, 2, 3)),
    old_group("PMAX", "20000"),
    old_group("PAPP", "13800"),
    old_group("HHPHC", "E"),
    old_group("MOTDETAT", "000000"),
    old_group("PPOT", "00"),
)

PERSONAL = (group("ADSC", NUMBER), group("PRM", DELIVERY_POINT), group("MSG1", MESSAGE), group("MSG2", MESSAGE[:16]))
FULL = (*PERSONAL[:1], group("EAST", "012345678"), group("SINSTS", "01234"), *STANDARD, *PERSONAL[1:])


class Telegram:
    """Sends `frame` again and again at `baud` to whoever opens `link`, at whatever speed; None is silence."""

    SPEEDS = {termios.B1200: 1200, termios.B9600: 9600}

    def __init__(self, link: Path, every_s: float = 0.4):
        self.link = link
        self.every_s = every_s
        self.frame: bytes | None = None
        self.baud = 9600

    async def __aenter__(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.link.symlink_to(os.ttyname(self.slave))
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_exc):
        self.task.cancel()
        await asyncio.wait([self.task])
        os.close(self.master)
        os.close(self.slave)
        self.link.unlink()

    async def _run(self):
        while True:
            speed = self.SPEEDS.get(termios.tcgetattr(self.master)[4])
            if speed and self.frame:  # somebody listens
                try:
                    os.write(self.master, heard_at(self.frame, sent_baud=self.baud, heard_baud=speed))
                except BlockingIOError:
                    pass  # nobody takes it
            await asyncio.sleep(self.every_s)
