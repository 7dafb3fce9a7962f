"""Child processes that end with us: each in a session of its own, its words in files, every wait with an end."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.rig.readiness import Ready, Running

LOOK_EVERY_S = 0.02
STOP_WITHIN_S = 8.0
LAST_WORDS_LINES = 15


class ProgramError(Exception):
    """A program ended, or did not become ready; the text holds its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How to start one part. `ready_within_s` counts from the start."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    ready: Ready = field(default_factory=Running)
    ready_within_s: float = 20.0


class Child:
    """A started program. Its standard output is in `<name>.out`, its errors in `<name>.log`; restarts append."""

    def __init__(self, *, program: Program, process: asyncio.subprocess.Process, output: Path, log: Path) -> None:
        self.program = program
        self.output = output
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Process id, which is also its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.returncode

    async def wait_ready(self) -> None:
        """Until the program is of use. ProgramError when it ends before, or is too late."""
        program = self.program
        try:
            async with asyncio.timeout(program.ready_within_s):
                while not await program.ready.holds(self.output):
                    self.need_running()
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            late = f"{program.name}: waited {program.ready_within_s:.0f} s for {program.ready}"
            raise ProgramError(f"{late}\n{self.last_words()}") from None
        self.need_running()  # the answer may have been a stranger's

    async def wait_ended(self, within_s: float) -> int:
        """Its exit code. TimeoutError when it still runs then."""
        async with asyncio.timeout(within_s):
            return await self._process.wait()

    async def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """Ask it to end, make it end when it does not; its exit code."""
        self.send(signal.SIGCONT)  # one that is paused could not hear
        self.send(signal.SIGTERM)
        try:
            return await self.wait_ended(within_s)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """As a power cut would: no time for anything."""
        self.send(signal.SIGKILL)
        return await self.wait_ended(STOP_WITHIN_S)

    def send(self, number: signal.Signals) -> None:
        """A signal to the program and what it started; nothing once it has ended: its number may be another's then."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def last_words(self) -> str:
        """The end of what it wrote, for a person who asks why."""
        lines = [line for file in (self.output, self.log) for line in _lines(file)[-LAST_WORDS_LINES:]]
        return "\n".join(f"  {line}" for line in lines) or "  (it wrote nothing)"

    def need_running(self) -> None:
        """ProgramError with its last words when it has ended."""
        if self.exit_code is not None:
            raise ProgramError(f"{self.program.name} ended with {self.exit_code}\n{self.last_words()}")


class Processes:
    """All children of a run; leaving the block ends them, the last started first."""

    def __init__(self, *, logs: Path) -> None:
        self.logs = logs
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C must not leave the rest running: then there is no time for manners.
        try:
            for child in reversed(self._children):
                await child.stop()
        finally:
            for child in self._children:
                if child.exit_code is None:
                    child.send(signal.SIGKILL)

    async def start(self, program: Program) -> Child:
        """Started and ready. ProgramError when it is not ready in time; it has ended then."""
        output, log = (self.logs / f"{program.name}.{kind}" for kind in ("out", "log"))
        output.write_bytes(b"")  # a line of an earlier start must not count for this one
        with output.open("ab") as out, log.open("ab") as err:
            process = await asyncio.create_subprocess_exec(
                *_bound_to_us(program.command),
                cwd=program.folder,
                env={**os.environ, **program.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # Ctrl-C reaches us alone; we end them in order
            )
        child = Child(program=program, process=process, output=output, log=log)
        self._children.append(child)
        try:
            await child.wait_ready()
        except BaseException:
            await child.kill()
            raise
        return child


def _bound_to_us(command: tuple[str, ...]) -> tuple[str, ...]:
    """The kernel ends the child when we are killed ourselves, where util-linux is there to ask for it."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--", *command) if setpriv else command


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
