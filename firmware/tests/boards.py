"""A whole board: slots with compiled releases, started again after each reset, with the real broker around it."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import slot
from node_rig import FIRMWARE, KEY, NODE, SITE, Node

from gateway.adapters.broker import BrokerAddress
from gateway.release.build import Release, build, compile_file, pack
from gateway.release.keys import NewPair, read_key
from gateway.release.send import Outcome, send


def edited(module: str, old: str, new: str, folder: Path) -> Path:
    """The source of a module of the node in which one piece is another."""
    text = (FIRMWARE / "node" / f"{module}.py").read_text()
    assert old in text, old
    source = folder / f"{module}.py"
    source.write_text(text.replace(old, new, 1))
    return source


@dataclass
class Workshop:
    """Makes releases for boards that are none, good ones and bad ones."""

    folder: Path
    keys: NewPair

    @cached_property
    def stock(self) -> Release:
        """What boards leave the workshop with: build 1."""
        return build(self.folder / "stock", "unix", self.keys.private[0], number=1)

    def good(
        self,
        number: int,
        boards: tuple[str, ...] = ("unix",),
        key: Path | None = None,
        more: Mapping[str, int] = MappingProxyType({}),
    ) -> Release:
        """`more` are files of so many bytes that nothing loads."""
        out = self.folder / str(number)
        shutil.copytree(self.stock.folder, out)
        for path, size in more.items():
            (out / path).write_bytes(bytes(size))
        return pack(out, boards, read_key(key or self.keys.private[0]), number=number)

    def changed(self, number: int, module: str, old: str, new: str) -> Release:
        """A release in which a piece of one module is another."""
        source = edited(module, old, new, self.folder)
        release = self.good(number)
        compile_file(source, release.folder / "node" / f"{module}.mpy", f"{module}.py")
        return pack(release.folder, ("unix",), read_key(self.keys.private[0]), number=number)


class Board(Node):
    """`boots` counts; a reset starts it again, a power cut (`kill`) does not."""

    boots = 0
    watcher = None

    def install(self, release: Release, keys: NewPair) -> None:
        for name in ("node", "wire"):
            (self.directory / name).unlink()
        shutil.copytree(release.folder, self.directory / "a")
        shutil.copy(keys.public, self.directory / "keys.json")
        self.conf["board"] = "unix"

    def start(self, poll: dict | None = None, **conf) -> None:
        super().start(poll, **conf)
        self.boots += 1
        self.watcher = asyncio.create_task(self._watch(self.process))

    async def _watch(self, process) -> None:
        while process.poll() is None:
            await asyncio.sleep(0.02)
        if process.returncode == slot.RESET and process is self.process:
            self.start()

    def kill(self) -> None:
        if self.watcher:
            self.watcher.cancel()
        super().kill()

    def kept(self) -> dict:
        return json.loads((self.directory / "nvs.json").read_text())


class Sending:
    """`zen node update`, in the background."""

    def __init__(self, release: Release, port: int, **how):
        self.progress: list[tuple[int, int]] = []
        self.said: list[tuple[str, str]] = []
        address = BrokerAddress(
            host="127.0.0.1", port=port, identity="update", keeps_session=False, user=None, password=None, ca=None
        )
        self.task = asyncio.create_task(
            send(
                release,
                broker=address,
                site=SITE,
                node=NODE,
                key=how.pop("key", KEY),
                progress=lambda done, total: self.progress.append((done, total)),
                say=lambda state, why: self.said.append((state, why)),
                **how,
            )
        )

    async def end(self, patience_s: float = 60) -> Outcome:
        return await asyncio.wait_for(self.task, patience_s)
