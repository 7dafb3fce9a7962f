"""A board on a USB cable: the node's own process with its terminal on a pty, and a second pty that the tool opens."""

import fcntl
import os
import select
import subprocess
import termios
import threading
import tty
from pathlib import Path

import slot
from node_rig import compiled_firmware


def install(directory: Path) -> None:
    """The firmware as it lies on a board."""
    for path in compiled_firmware().iterdir():
        (directory / path.name).symlink_to(path)


class Cable:
    """Carries bytes between two raw ptys until closed; `far` is what a program on the board's side opens."""

    def __init__(self, link: Path):
        self.ends = [os.openpty(), os.openpty()]
        for pair in self.ends:
            for handle in pair:
                tty.setraw(handle)
        self.far = self.ends[0][1]
        self.link = link
        link.symlink_to(os.ttyname(self.ends[1][1]))
        self.heard = bytearray()  # all that the board has said
        self.wake, self.stop = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self) -> None:
        board, tool = self.ends[0][0], self.ends[1][0]
        other = {board: tool, tool: board}
        waiting = {board: b"", tool: b""}  # bytes on their way to each
        for handle in other:
            os.set_blocking(handle, False)
        while True:
            sources = [end for end in other if not waiting[other[end]]]
            targets = [end for end in other if waiting[end]]
            ready, free, _ = select.select([*sources, self.wake], targets, [])
            if self.wake in ready:
                return
            for end in free:
                waiting[end] = waiting[end][os.write(end, waiting[end]) :]
            for end in ready:
                data = os.read(end, 4096)
                waiting[other[end]] += data
                if end == board:
                    self.heard += data

    def close(self) -> None:
        os.write(self.stop, b"x")
        self.thread.join()
        self.link.unlink()
        for handle in (*self.ends[0], *self.ends[1], self.wake, self.stop):
            os.close(handle)


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Board:
    """Runs a command with its terminal on the cable, and again when it ends: that is what a reset does."""

    def __init__(self, command: list[str], directory: Path, cable: Cable, environment: dict):
        self.command = command
        self.directory = directory
        self.cable = cable
        self.environment = environment
        self.starts = 0
        self.off = False
        self.process = None
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def _live(self) -> None:
        while not self.off:
            self.starts += 1
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env={**os.environ, **self.environment},
                stdin=self.cable.far,
                stdout=self.cable.far,
                stderr=self.cable.far,
                start_new_session=True,
                preexec_fn=_own_terminal,  # noqa: PLW1509  so that Ctrl-C reaches it
            )
            self.process.wait()
            if self.process.returncode != slot.RESET:
                return

    def close(self) -> None:
        self.off = True
        while self.thread.is_alive():  # it may be just about to start once more
            if self.process:
                self.process.kill()
            self.thread.join(0.1)
