"""`make check`: mypy over everything that runs on a node, with the stubs of MicroPython in the place of CPython's."""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

FIRMWARE = Path(__file__).parent.parent
STUBS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
KNOWN = (  # what mypy says that is right all the same, and why
    'Argument 1 to "Partition" has incompatible type "int"',  # BOOT and RUNNING are numbers in the stubs themselves
    'Unsupported operand types for * ("None" and "int")',  # ioctl(4, 0) gives the number of blocks
    'Incompatible import of "NVS"',  # a computer has another one
    '(got "_TicksMs", expected "int")',  # a tick is a number, which the stubs give a name of its own
    'Value of type variable "_Ticks"',
    'Module has no attribute "core"',  # the stubs know less of asyncio than the interpreter has
    '"StreamReader" has no attribute "s"',
    '"Lock" has no attribute "state"',
    '"SSLContext" has no attribute "verify_mode"',
    'module named "termios"',  # a computer's, of which there are no stubs
    'module named "ffi"',
    'incompatible type "type[bool]"; expected "Callable[[UART], None]',  # an interrupt gives nothing to anybody
)


def gather(folder: Path) -> Path:
    """One folder with the stubs of the language, the standard library and the ESP32's own modules, as a typeshed."""
    whole = folder / "whole"
    if not whole.exists():
        for name in STUBS:
            for file in importlib.metadata.files(name) or ():
                if file.suffix == ".pyi" or file.name == "VERSIONS":
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), folder / file)
        (folder / "stubs").mkdir(exist_ok=True)  # where a typeshed has those of other packages
        whole.touch()
    return folder


def complaints(stubs: Path, cache: Path, files: list[Path]) -> list[str]:
    """What mypy says about files of ours; the stubs have mistakes of their own, which are not ours."""
    places = (FIRMWARE, FIRMWARE.parent / "gateway", stubs)
    environment = {"MYPYPATH": ":".join(map(str, places)), "PATH": ""}
    command = [sys.executable, "-m", "mypy", "--config-file", FIRMWARE / "mypy.ini", "--cache-dir", cache]
    command += ["--custom-typeshed-dir", stubs, *files]
    done = subprocess.run(
        command, cwd=FIRMWARE, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line and str(stubs) not in line]
    return [line for line in errors if not any(known in line for known in KNOWN)]


def sources() -> list[Path]:
    """What runs on a board or in its place, and the wire that it shares with the gateway."""
    wire = FIRMWARE.parent / "gateway" / "wire"
    return sorted([*FIRMWARE.glob("*.py"), *(FIRMWARE / "node").glob("*.py"), *wire.glob("*.py")])


def main() -> int:
    cache = FIRMWARE.parent / ".mypy_cache"
    found = complaints(gather(cache / "micropython"), cache / "firmware", sources())
    print("\n".join(found) or f"Success: no issues found in {len(sources())} source files of the node")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
