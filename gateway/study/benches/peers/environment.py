"""Environments of other planners: made once in the user's cache with the exact version, used again after that."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.study.benches.peers.peer import Peer, PeerError

READY = "ready"  # a half-made environment has no such file and is made again
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
COLLECTED = re.compile(r"^Collecting (\S+)")

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A peer's own Python below `root`."""

    peer: Peer
    root: Path
    base: Path = Path(sys.executable)
    """The Python it is made with."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / f"{self.peer.name}-{self.peer.version}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def is_ready(self) -> bool:
        """Made whole."""
        return (self.folder / READY).exists() and self.python.exists()

    def make(self, show: Show) -> None:
        """A virtual environment with the peer in it; `show` gets each package. PeerError in the tools' own words."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PeerError("no_install", self.peer, str(error)) from error
        _run(self.peer, [str(self.base), "-m", "venv", "--clear", str(self.folder)], show)
        _run(self.peer, [str(self.python), *PIP, *self.peer.packages], show)
        (self.folder / READY).touch()


def _run(peer: Peer, command: list[str], show: Show) -> None:
    """A command to its end, line by line."""
    last: list[str] = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as process:
            for line in process.stdout or ():
                last = [*last, line.strip()][-3:]
                if found := COLLECTED.match(line):
                    show(found[1])
    except OSError as error:
        raise PeerError("no_install", peer, str(error)) from error
    if process.returncode:
        raise PeerError("no_install", peer, " / ".join(filter(None, last)) or f"exit {process.returncode}")
