"""esptool as a program of its own (its licence, GPL-2, stays its own): writes flash, and its progress is shown."""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.commission.faults import CommissionError

_PERCENT = re.compile(r"at 0x([0-9a-f]+)\D.*?(\d+(?:\.\d+)?)\s*%")
_LAST = 8  # lines of its output that may explain a failure


def write(
    port: str,
    chip: str,
    parts: Mapping[int, Path],
    progress: Callable[[int, float], None],
    *,
    baud: int,
    reset: bool,
) -> str:
    """Writes and verifies files (offset -> file); `progress(part, percent)`. Gives what it said.

    Without `reset` the board was put into its loader by hand, and stays there. Raises CommissionError.
    """
    resets = ("default-reset", "hard-reset") if reset else ("no-reset", "no-reset")
    command = [*("--chip", chip, "--port", port, "--baud", str(baud), "--before", resets[0], "--after", resets[1])]
    command += ["write-flash", *(text for offset, file in parts.items() for text in (hex(offset), str(file)))]
    said = _run(command, lambda at, percent: progress(_part(list(parts), at), percent))
    if said.count("Hash of data verified") != len(parts):
        raise CommissionError("esptool", why=_tail(said))
    return said


def _run(arguments: Sequence[str], progress: Callable[[int, float], None]) -> str:
    command = [sys.executable, "-m", "esptool", *arguments]
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        line = b""
        assert process.stdout is not None  # noqa: S101 - asked for above
        while byte := process.stdout.read(1):
            line += byte
            if byte not in b"\r\n":
                continue
            text = line.decode("utf-8", "replace")
            said += text
            if found := _PERCENT.search(text):
                progress(int(found[1], 16), float(found[2]))
            line = b""
        said += line.decode("utf-8", "replace")
    if process.returncode != 0:
        word = "no_esptool" if "No module named" in said else "esptool"
        raise CommissionError(word, why=_tail(said))
    return said


def _part(offsets: Sequence[int], at: int) -> int:
    """The number of the part that an address is in."""
    return max(sum(offset <= at for offset in sorted(offsets)) - 1, 0)


def _tail(said: str) -> str:
    lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
    return " / ".join(lines[-_LAST:])
