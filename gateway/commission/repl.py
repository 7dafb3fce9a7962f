"""The application over the interpreter's own prompt, for a board that has one already: mpremote as a program.

mpremote gives up on a board whose program runs or prints (micropython/micropython#16142): it is stopped here first,
as a person would, so that actuators go back to their safe values. The watchdog cannot be stopped; it is given time.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import serial

from gateway.commission.console import BAUD
from gateway.commission.faults import CommissionError

CTRL_C, CTRL_B = b"\x03", b"\x02"  # interrupt; out of the raw prompt
PROMPT = b">>> "
GOODBYE_S = 8.0  # safe values and their acknowledgement may take 6 s
_PATIENT_WATCHDOG = "try:\n import machine\n machine.WDT(timeout=600000)\nexcept Exception: pass\n"
_OPEN = """import os
for d in {folders!r}:
 try: os.mkdir(d)
 except OSError: pass
for f in {bootable!r}:
 try: os.remove(f)
 except OSError: pass
"""
_OWN = """for f, text in {own!r}.items():
 try: os.stat(f)
 except OSError:
  with open(f, 'w') as file: file.write(text)
"""
_CHOOSE = (
    "import slot\nm = slot.memory()\nfor k in ('trial', 'tries', 'short', 'mode'): m.put(k, 0)\nm.put('slot', 1)\n"
)


def stop(port: str) -> None:
    """Ends the program on a board, with its safe values, and leaves the prompt. CommissionError when none comes."""
    try:
        with serial.Serial(port, BAUD, timeout=0.1, write_timeout=5) as line:
            for _ in range(2):  # once more, but never into a goodbye
                line.write(CTRL_B + b"\r" + CTRL_C)
                end = time.monotonic() + GOODBYE_S
                heard = b""
                while time.monotonic() < end:
                    heard = (heard + line.read(256))[-256:]
                    if heard.endswith(PROMPT):
                        return
    except (serial.SerialException, OSError) as error:
        raise CommissionError("port", port=port, why=str(error)) from error
    raise CommissionError("no_prompt", port=port, wait_s=2 * GOODBYE_S)


def install(
    port: str, files: Mapping[str, bytes], own: Mapping[str, bytes], progress: Callable[[int], None], *, reset: bool
) -> None:
    """Copies files (path -> content) in their order and makes slot a the one that starts; `progress(files done)`.

    Of `own`, texts are only written where the board has none.
    """
    folders = sorted({"/".join(path.split("/")[:i]) for path in files for i in range(1, path.count("/") + 1)})
    bootable = [path for path in files if path.endswith("manifest.json")]
    with tempfile.TemporaryDirectory(prefix="zen-copy-") as scratch:
        steps = [["exec", _PATIENT_WATCHDOG + _OPEN.format(folders=folders, bootable=bootable)]]
        for number, (path, content) in enumerate(files.items()):
            source = Path(scratch) / f"{number}"
            source.write_bytes(content)
            steps.append(["fs", "cp", str(source), f":{path}"])
        steps.append(["exec", _OWN.format(own={path: content.decode() for path, content in own.items()}) + _CHOOSE])
        if reset:
            steps.append(["reset"])
        command = [sys.executable, "-m", "mpremote", "connect", port, "resume"]
        for number, step in enumerate(steps):
            command += [*(["+"] if number else []), *step]
        _run(command, progress)


def _run(command: list[str], progress: Callable[[int], None]) -> None:
    said, done = "", 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in process.stdout:
            said += line
            if line.startswith("cp "):
                done += 1
                progress(done)
    if process.returncode != 0:
        word = "no_mpremote" if "No module named" in said else "mpremote"
        lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
        raise CommissionError(word, why=" / ".join(lines[-5:]))
