"""mosquitto, the MQTT broker: installed, or unpacked from the machine's own Debian suite into the user's cache."""

import re
import tempfile
from pathlib import Path

from gateway.rig.debian import machine_apt
from gateway.rig.install import launcher, replacing
from gateway.rig.part import Candidate, FetchError, Machine, Missing, NotWorkingError, Part, Say, ask, choose

NAME = "mosquitto"
REMEDY = "apt-get install mosquitto (as root), or `zen parts fetch mosquitto`, or ZEN_MOSQUITTO=/path/to/mosquitto"
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")  # not in the PATH of ordinary users on Debian


def find(machine: Machine) -> Part | Missing:
    """The broker of ZEN_MOSQUITTO, the machine, or the cache."""
    candidates = machine.in_path(NAME, also=SYSTEM_FOLDERS)
    fetched = _kept(machine)
    if fetched.exists():
        candidates.append(Candidate(path=fetched, how="Debian package, unpacked in the cache"))
    return choose(name=NAME, machine=machine, candidates=candidates, probe=probe, remedy=REMEDY)


def probe(candidate: Candidate) -> Part:
    """Version 2 is needed: its password format and its persistence are what we rely on."""
    found = re.search(r"mosquitto version (\d+)\.(\S+)", ask(candidate.path, "-h"))
    if not found:
        raise NotWorkingError("does not report its version")
    if int(found[1]) < 2:
        raise NotWorkingError(f"version {found[1]}.{found[2]}, needed is 2.0 or later")
    return Part(name=NAME, path=candidate.path, version=f"{found[1]}.{found[2]}", how=candidate.how)


def fetch(machine: Machine, say: Say) -> Part | Missing:
    """Unpack the Debian package with the libraries that this machine lacks."""
    say("mosquitto: downloading the Debian package with the machine's own apt, about 1 MB; nothing is installed")
    try:
        with replacing(_kept(machine).parent) as folder, tempfile.TemporaryDirectory() as work:
            _unpack(Path(work), folder, say)
    except FetchError as error:
        return Missing(name=NAME, why=str(error), remedy=REMEDY)
    return find(machine)


def _unpack(work: Path, folder: Path, say: Say) -> None:
    root = folder / "root"
    try:
        machine_apt(work / "as-is", own_lists=False).unpack(NAME, root)
    except FetchError:
        say("mosquitto: this machine's package lists are empty or old; reading them into a folder of our own")
        apt = machine_apt(work / "updated", own_lists=True)
        apt.update()
        apt.unpack(NAME, root)
    libraries = sorted({library.parent.relative_to(folder) for library in root.rglob("lib*.so.*")})
    search = ":".join(f"$here/{library}" for library in libraries)
    launcher(folder / NAME, f'LD_LIBRARY_PATH="{search}" exec "$here/root/usr/sbin/mosquitto" "$@"')


def _kept(machine: Machine) -> Path:
    return machine.cache / NAME / NAME
