"""A program of the chain that is not ours: found with its version, or missing with the reason and what to do."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway import paths

ASK_WITHIN_S = 20.0
SWITCHED_OFF = "none"

Say = Callable[[str], None]
"""Takes one line about what is being done, for whoever waits."""


class NotWorkingError(Exception):
    """A program that is there and does not do; the text says why."""


class FetchError(Exception):
    """A part that could not be fetched; the text says why in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program that answered when asked for its version."""

    name: str
    path: Path
    version: str
    how: str
    """Where it came from, in words for people."""
    bits: int | None = None
    """Size of a pointer, where it matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A program that cannot be had as things are."""

    name: str
    why: str
    remedy: str
    """A sentence: what to do to have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may be the program."""

    path: Path
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the search depends on."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cache: Path = field(default_factory=paths.cache_folder)

    def in_path(self, *names: str, also: Iterable[str] = ()) -> list[Candidate]:
        """Every program of one of these names: folders of PATH in their order, then those of `also`."""
        folders = [*self.environment.get("PATH", "").split(os.pathsep), *also]
        tried = ((name, folder) for folder in dict.fromkeys(folders) if folder for name in names)
        found = (shutil.which(name, path=folder) for name, folder in tried)
        return [Candidate(path=Path(path), how="installed on this machine") for path in found if path]


Probe = Callable[[Candidate], Part]
"""Asks the program; NotWorkingError when it is not what we need."""


def choose(
    *, name: str, machine: Machine, candidates: Iterable[Candidate], probe: Probe, remedy: str
) -> Part | Missing:
    """The first candidate that works. `ZEN_<NAME>` decides alone when it is set: a path, or `none`."""
    decisive = variable(name)
    wish = machine.environment.get(decisive, "")
    if wish == SWITCHED_OFF:
        return Missing(name=name, why=f"switched off by {decisive}={SWITCHED_OFF}", remedy=f"unset {decisive}")
    if wish:
        candidates = [Candidate(path=Path(wish), how=decisive)]
    refused = []
    for candidate in candidates:
        try:
            return probe(candidate)
        except NotWorkingError as error:
            refused.append(f"{candidate.path}: {error}")
    return Missing(name=name, why="; ".join(refused) or "not found", remedy=remedy)


def variable(name: str) -> str:
    """The environment variable that decides about a part."""
    return f"ZEN_{name.upper()}"


def ask(path: Path, *arguments: str) -> str:
    """What the program prints, both streams together. NotWorkingError when it cannot be run or does not end."""
    command = [str(path), *arguments]
    try:
        answer = subprocess.run(  # noqa: PLW1510 - some print their version and still exit with 1 or 3
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=ASK_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        raise NotWorkingError(f"no answer to {' '.join(arguments)} in {ASK_WITHIN_S:.0f} s") from None
    except OSError as error:
        raise NotWorkingError(error.strerror or str(error)) from error
    return answer.stdout + answer.stderr
