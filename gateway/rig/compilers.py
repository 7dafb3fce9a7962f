"""What compiling a program of Go and Rust needs of a machine, found out before minutes are spent on it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from gateway.rig.part import NotWorkingError, ask

GO = (1, 23)
ROOM_BYTES = 4 * 2**30  # for sources, Rust's build and Go's cache
NEEDS = (
    "go 1.23 or newer, cargo with a toolchain that is set up (`rustup default stable`), cc, 4 GB of disk, "
    "and the network for the sources"
)


def lacking(scratch: Path) -> Iterator[str]:
    """What is not there, each with its remedy; nothing on a machine that can compile."""
    if not shutil.which("cc"):
        yield "cc is missing: apt-get install gcc (as root)"
    yield from _go()
    yield from _cargo()
    free = shutil.disk_usage(scratch).free
    if free < ROOM_BYTES:
        yield f"{scratch} has {free / 2**30:.1f} GB free, needed are 4: set TMPDIR to a place with more"


def _go() -> Iterator[str]:
    said = _version_of("go", "version")
    found = re.search(r"go(\d+)\.(\d+)", said or "")
    if said is None:
        yield "go is missing: https://go.dev/dl, 1.23 or newer"
    elif found is None:
        yield f"go does not work: {said}"
    elif (int(found[1]), int(found[2])) < GO:
        yield f"go is {found[1]}.{found[2]}, needed is 1.23 or newer: https://go.dev/dl"


def _cargo() -> Iterator[str]:
    """Cargo may be there as rustup's stand-in, which has no compiler behind it before a toolchain is chosen."""
    said = _version_of("cargo", "--version")
    if said is None:
        yield "cargo is missing: https://rustup.rs, or apt-get install cargo (as root)"
    elif not re.match(r"cargo \d", said):
        remedy = "rustup default stable" if shutil.which("rustup") else "install it anew"
        yield f"cargo does not work ({said}): {remedy}"


def _version_of(program: str, argument: str) -> str | None:
    """The first line that it prints; None where it is not there."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        return (ask(Path(path), argument).strip().splitlines() or [""])[0]
    except NotWorkingError as error:
        return str(error)
