"""A node gets a new release by the command, while the battery is under control."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.rig.chain import Chain, ChainSettings, open_chain
from gateway.rig.part import Machine
from gateway.rig.zen_command import config_folder, firmware_folder

from .command_line import zen_beside
from .conftest import QUIET, battery_mode_since, state, status, stored_lines, until, until_controlled
from .test_losses import grid_moments, stored_samples

DAILY_KEY = "release-1.pem"
RESET = 75  # the exit code of a node that wants to be started again (firmware/slot.py)
PROOF_S = 8  # of the new release, in the place of five minutes
HOUSE_TURN_S = 0.5  # the house tells the state of its last turn
AWAY_MS = 3000  # safe values, goodbye, a new start: measured 1.0 to 1.2 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A folder with a signed release, and its number."""

    folder: Path
    build: int


async def built(folder: Path, key: Path, *, root: Path | None = None) -> Release:
    """A release of this checkout, or of the one in `root`, made by the command."""
    arguments = ("node", "release-build", folder, "--key", key, "--board", "unix")
    code, out = await zen_beside(*arguments, cwd=key.parent, root=root)
    assert code == 0, out
    made = Release(folder=folder, build=json.loads((folder / "manifest.json").read_text().splitlines()[0])["build"])
    assert str(made.build) in out
    return made


def hasty_checkout(root: Path) -> Path:
    """A copy of this checkout whose node proves a release sooner."""
    for source in (config_folder(), firmware_folder(), config_folder().parent / "gateway"):
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    file = root / "firmware" / "node" / "trial.py"
    text = file.read_text()
    assert "_PROOF_S = const(300)" in text
    file.write_text(text.replace("_PROOF_S = const(300)", f"_PROOF_S = const({PROOF_S})"))
    return root


@asynccontextmanager
async def chain_with_slots(folder: Path, keys: Path, flashed: Release) -> AsyncIterator[Chain]:
    """The chain with a node that was flashed with a release, and that somebody starts again after a reset."""
    async with open_chain(
        ChainSettings(house=QUIET, site={"tariff": None}), machine=Machine(), folder=folder, start=False
    ) as chain:
        board = chain.run.node_folder("cellar")
        for name in ("node", "wire"):
            shutil.rmtree(board / name)
        shutil.copytree(flashed.folder, board / "a")
        shutil.copy(keys / "keys.json", board / "keys.json")
        conf = json.loads((board / "node.json").read_text())
        (board / "node.json").write_text(json.dumps(conf | {"board": "unix"}))
        await chain.start_all()
        yield chain


class Resets:
    """Starts the node again when it has reset itself; the battery must have its own mode back by then."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.count = 0

    async def run(self) -> None:
        while True:
            if not self.chain.is_running("node"):
                assert self.chain.child("node").exit_code == RESET, self.chain.child("node").last_words()
                noticed = time.monotonic()
                own = await battery_mode_since(self.chain, "own", noticed)
                assert own - noticed <= HOUSE_TURN_S  # not by its own timer: that is much later
                self.count += 1
                await self.chain.start("node")
            await asyncio.sleep(0.02)


async def node_shown(chain: Chain) -> dict:
    """The node as the page shows it."""
    return (await state(chain))["links"]["nodes"][0]


@pytest.mark.timeout(240)
async def test_a_node_is_updated_by_command_while_it_carries_orders(part, tmp_path) -> None:
    for name in ("mosquitto", "micropython"):
        part(name)
    keys = tmp_path / "keys"
    code, out = await zen_beside("node", "release-key", keys, cwd=tmp_path)
    assert code == 0, out
    flashed = await built(tmp_path / "flashed", keys / DAILY_KEY)
    new = await built(tmp_path / "new", keys / DAILY_KEY, root=hasty_checkout(tmp_path / "checkout"))
    assert new.build > flashed.build
    async with chain_with_slots(tmp_path / "run", keys, flashed) as chain, asyncio.TaskGroup() as tasks:
        await until_controlled(chain)
        assert (await node_shown(chain))["build"] == flashed.build
        resets = Resets(chain)
        watch = tasks.create_task(resets.run())
        arguments = ("node", "update", "cellar", "--site", chain.run.site_file, "--release", new.folder)
        sent = tasks.create_task(zen_beside(*arguments, cwd=tmp_path, **chain.run.gateway_environment()))

        async def on_trial() -> bool:
            shown = await node_shown(chain)
            return (shown["build"], shown["mode"], shown["why"]) == (new.build, "trial", "update")

        await until(on_trial, "the new release is on trial")
        await until_controlled(chain)  # control goes on at once, not only when the release is confirmed
        code, out = await sent
        assert (code, "runs and is confirmed" in " ".join(out.split())) == (0, True), out
        for row in (
            "unit 1 on",
            "SunSpec model",
            "broker: a message to itself and back",
            "2 of 2 forged orders refused",
        ):
            assert row in out, out
        assert out.count("✗") == 0, out
        assert resets.count == 1
        shown = await node_shown(chain)
        reported = {
            name: shown[name]
            for name in ("up", "build", "mode", "why", "refused", "heard", "update", "has_table", "test")
        }
        assert reported == {
            "up": True, "build": new.build, "mode": "run", "why": "update", "refused": "", "heard": True, "update": "",
            "has_table": True, "test": "good",
        }  # fmt: skip
        await until_controlled(chain)
        node = (await status(chain))["nodes"]["cellar"]
        assert (node["lost"], node["undatable"], node["unreadable"], node["malformed"]) == (0, 0, 0, 0)
        watch.cancel()
        await chain.stop("gateway")
        total, distinct = stored_samples(chain)
        assert total == distinct > 50
        moments = grid_moments(chain)
        gaps = sorted(b - a for a, b in pairwise(moments))
        assert gaps[-1] < AWAY_MS
        assert gaps[-2] < 1500, "one hole, that of the restart"
        status_lines = [line for line in stored_lines(chain) if line.startswith("node,")]
        assert any(f"build={new.build}.0," in line and 'mode="run"' in line for line in status_lines)
