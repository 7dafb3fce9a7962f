"""A conversation with a peer's script: one JSON line there, one back."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import IO, Any

from gateway.study.benches.peers.peer import Peer, PeerError

START_WITHIN_S = 120.0  # the first import compiles a thousand modules
PLAN_WITHIN_S = 60.0
LAST_WORDS = 300  # characters of what it said before it died


class PeerProcess:
    """A peer that runs: one question, one answer."""

    def __init__(self, peer: Peer, process: "subprocess.Popen[str]", errors: IO[str]) -> None:
        self._peer, self._process, self._errors = peer, process, errors

    def ask(self, question: Mapping[str, Any], *, within_s: float = PLAN_WITHIN_S, code: str = "no_plan") -> Any:
        """Its answer. PeerError when it does not answer in time, has died, or says what is no plan."""
        assert self._process.stdin is not None, "made with pipes"  # noqa: S101 - for the type checker
        assert self._process.stdout is not None, "made with pipes"  # noqa: S101
        guard = Timer(within_s, self._process.kill)
        guard.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            guard.cancel()
        return self._understood(line, code)

    def _understood(self, line: str, code: str) -> Any:
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise PeerError(code, self._peer, self._last_words() or line.strip() or "no answer") from error
        if "error" in answer:
            raise PeerError(code, self._peer, str(answer["error"]))
        return answer

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()[-3:]
        return " / ".join(lines)[-LAST_WORDS:]


@contextmanager
def started(peer: Peer, python: Path, plant: Mapping[str, Any]) -> Iterator[PeerProcess]:
    """The peer with its plant, ready to plan; ended with the block. PeerError when it does not start."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "stderr").open("w+", encoding="utf-8") as errors:
        try:
            process = subprocess.Popen(
                [str(python), "-I", str(peer.script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
                env=environment,
            )
        except OSError as error:
            raise PeerError("no_start", peer, str(error)) from error
        with process:
            try:
                running = PeerProcess(peer, process, errors)
                running.ask(plant, within_s=START_WITHIN_S, code="no_start")
                yield running
            finally:
                process.kill()
