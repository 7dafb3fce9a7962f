"""A site that 0.1.0 ran goes on under this gateway: its site file, its store, and its node, which is not touched."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.processes import Program
from gateway.rig.programs import GATEWAY

from .conftest import QUIET, OpenChain, house, state, status, stored_lines, until, until_controlled

ROOT = Path(__file__).parents[1]
RELEASE = "a1e3b1e"  # the commit that was 0.1.0
INSTALL = "import sys, pathlib; from gateway.release.build import install_firmware as i; i(pathlib.Path(sys.argv[1]))"
LOADS = tomllib.loads((ROOT / "config" / "demo" / "loads.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of 0.1.0, from the history of this repository."""
    folder = tmp_path_factory.mktemp("0.1.0")
    archive = folder / "files.tar"
    command = ["git", "-C", str(ROOT), "archive", "-o", str(archive), RELEASE, "gateway", "firmware", "config"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"no {RELEASE} in this checkout ({error}). To have it: a whole clone, git fetch --unshallow"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    shutil.unpack_archive(archive, folder)
    return folder


def notes(chain: Chain) -> dict[str, Any]:
    """What the gateway keeps over a restart, by its name."""
    with closing(sqlite3.connect(chain.folder / "store.sqlite")) as database:
        return {name: json.loads(text) for name, text in database.execute("SELECT name, text FROM notes")}


def since(kept: dict[str, Any]) -> tuple[float, float]:
    """When the car came and when the water was last heated through (UTC): a gateway that forgets them says now."""
    return kept["loads"]["car"]["since_s"], kept["loads"]["water"]["hygiene_s"]


def imported_from(folder: Path, program: Program) -> Program:
    """The same command with the package of another folder."""
    return replace(program, environment={**program.environment, "PYTHONPATH": str(folder)})


async def test_the_site_of_0_1_0_goes_on_with_its_store_and_its_node(chain_of: OpenChain, released: Path) -> None:
    present: dict[str, Program] = {}

    async def as_released(chain: Chain) -> None:
        present.update(chain.programs)
        chain.programs = present | {GATEWAY: imported_from(released, present[GATEWAY])}
        for node in chain.run.nodes:
            folder = chain.run.node_folder(node)
            for package in ("node", "wire"):
                shutil.rmtree(folder / package)
            command = [sys.executable, "-c", INSTALL, str(folder)]
            environment = os.environ | {"PYTHONPATH": str(released)}
            await asyncio.to_thread(subprocess.run, command, check=True, cwd=released, env=environment, timeout=60)

    async with chain_of(ChainSettings(house=QUIET | LOADS["house"], site=LOADS["site"]), prepare=as_released) as chain:
        await until_controlled(chain)

        async def is_kept() -> bool:
            is_noted = {"lasting", "loads"} <= set(notes(chain)) and None not in since(notes(chain))
            return is_noted and len(stored_lines(chain)) > 100

        await until(is_kept, "0.1.0 has kept what outlives a restart")
        await chain.stop(GATEWAY)
        before, kept = stored_lines(chain), notes(chain)
        chain.programs = present
        await chain.start(GATEWAY)
        await until_controlled(chain)

        async def goes_on() -> bool:
            return len(stored_lines(chain)) > len(before) + 100

        await until(goes_on, "the store goes on")
        assert stored_lines(chain)[: len(before)] == before
        [node] = (await state(chain))["links"]["nodes"]
        counts = (await status(chain))["nodes"][node["id"]]
        assert (node["lost"], counts["unreadable"], counts["malformed"]) == (0, 0, 0)
        orders = (await status(chain))["orders"]
        assert orders["applied"] > 0
        assert orders["failed"] == 0
        assert (await house(chain, do="state"))["battery_mode"] == "remote"
        await chain.stop(GATEWAY)
        assert since(notes(chain)) == since(kept)
        assert set(notes(chain)["lasting"]) == set(kept["lasting"])
