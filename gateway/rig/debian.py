"""Debian packages unpacked into a folder of the user: apt's own resolver and signatures, no root, nothing installed."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.rig.part import FetchError

APT_WITHIN_S = 300.0
SOURCES = Path("/etc/apt")
KEYRINGS = tuple(Path("/usr/share/keyrings") / f"debian-archive-keyring.{kind}" for kind in ("gpg", "pgp"))
MIRROR_VARIABLE = "ZEN_DEBIAN_MIRROR"

# Our cache, no locks on the system's files, and no change of user: `_apt` may not write below a home.
PRIVATE = """\
Dir::Cache "{work}/cache";
Dir::Cache::archives "{work}/cache/archives";
Debug::NoLocking "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
"""
OWN_LISTS = 'Dir::State::lists "{work}/lists";\n'
# An empty dpkg status makes apt bring every library along, down to libc: the program then runs beside the machine's.
FOREIGN = """\
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Update::Error-Mode "any";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apt:
    """apt with a configuration of its own in a working folder that only we use."""

    work: Path

    def update(self) -> None:
        """Read the package lists again. FetchError when no list came."""
        self._run("update")

    def unpack(self, package: str, root: Path) -> None:
        """Package and what it depends on, unpacked below `root`. FetchError says what apt said."""
        self._run("install", "--download-only", "--yes", "--no-install-recommends", package)
        archives = sorted((self.work / "cache" / "archives").glob("*.deb"))
        if not archives:
            raise FetchError(f"apt-get had nothing to download for {package}")
        for archive in archives:
            run(["dpkg-deb", "-x", str(archive), str(root)])

    def _run(self, *arguments: str) -> None:
        environment = {**os.environ, "APT_CONFIG": str(self.work / "apt.conf"), "LC_ALL": "C"}
        run(["apt-get", "-qq", *arguments], environment=environment)


def machine_apt(work: Path, *, own_lists: bool) -> Apt:
    """Packages of the machine's own suites, only those it does not have.

    With `own_lists` the lists are kept in `work`, for machines whose own are empty.
    """
    text = PRIVATE + (OWN_LISTS if own_lists else "")
    return _written(work, text.format(work=work))


def foreign_apt(work: Path, *, suite: str, architecture: str, environment: Mapping[str, str]) -> Apt:
    """Packages of another suite or architecture of Debian, complete with their libraries."""
    keyring = next((f" signed-by={path}" for path in KEYRINGS if path.exists()), "")
    apt = _written(work, (PRIVATE + OWN_LISTS + FOREIGN).format(work=work, architecture=architecture))
    source = f"deb [arch={architecture}{keyring}] {mirror(environment)} {suite} main\n"
    (work / "sources.list").write_text(source, encoding="utf-8")
    (work / "status").touch()
    return apt


def mirror(environment: Mapping[str, str]) -> str:
    """The Debian mirror: what ZEN_DEBIAN_MIRROR says, else the one this machine uses. FetchError when it uses none."""
    if wish := environment.get(MIRROR_VARIABLE):
        return wish
    for text in _source_texts(SOURCES):
        if found := re.search(r"(?m)^[^#\n]*?\b((?:https?|file)://\S+/debian)/?(?=\s|$)", text):
            return found[1]
    raise FetchError(f"this machine's apt knows no Debian mirror; {MIRROR_VARIABLE}=… names one")


def run(command: list[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command. FetchError with its last words when it fails, is missing or does not end."""
    try:
        done = subprocess.run(  # noqa: PLW1510 - a failure is reported in the program's own words
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APT_WITHIN_S, env=environment
        )
    except FileNotFoundError:
        raise FetchError(f"{command[0]} is not on this machine") from None
    except subprocess.TimeoutExpired:
        raise FetchError(f"{command[0]} did not end within {APT_WITHIN_S:.0f} s") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise FetchError(f"{command[0]} failed: {' / '.join(words) or f'exit {done.returncode}'}")
    return done.stdout


def _written(work: Path, text: str) -> Apt:
    for folder in ("cache/archives/partial", "lists/partial", "state"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    (work / "apt.conf").write_text(text, encoding="utf-8")
    return Apt(work=work)


def _source_texts(folder: Path) -> Iterable[str]:
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
