"""A node gets a new release by the command, while the battery is under control."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from gateway import paths
from gateway.release.build import Release, build, compile_file, pack, read
from gateway.release.keys import NewPair, read_key
from gateway.rig.chain import Chain, Wanted, open_chain
from gateway.rig.part import Machine

from .conftest import QUIET, state, status, stored_lines, until, until_battery, until_controlled
from .test_losses import grid_moments, stored_samples

RESET = 75  # the exit code of a node that wants to be started again (firmware/slot.py)
PROOF_S = 8  # of the new release, in the place of five minutes
HOUSE_TURN_S = 0.5  # the house tells the state of its last turn
AWAY_MS = 3000  # safe values, goodbye, a new start: measured 1.0 to 1.2 s


async def zen_node(*arguments: object, cwd: Path, **environment: str) -> tuple[int, str]:
    """(exit code, all that was printed) of a command of `zen node`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from gateway.cli import main; main()", "node", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": paths.python_path(), "COLUMNS": "200", "LC_ALL": "C.UTF-8", **environment},
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 100)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def built_by_command(folder: Path, keys: NewPair) -> Release:
    """A release of this checkout, that has proven itself sooner."""
    arguments = ("release-build", folder / "release", "--key", keys.private[0], "--board", "unix")
    code, out = await zen_node(*arguments, cwd=folder)
    assert code == 0, out
    made = read(folder / "release")
    assert str(made.build) in out
    text = (paths.firmware_folder() / "node" / "trial.py").read_text()
    assert "_PROOF_S = const(300)" in text
    (folder / "trial.py").write_text(text.replace("_PROOF_S = const(300)", f"_PROOF_S = const({PROOF_S})"))
    compile_file(folder / "trial.py", made.folder / "node" / "trial.mpy", "trial.py")
    return pack(made.folder, made.boards, read_key(keys.private[0]), number=made.build)


@asynccontextmanager
async def chain_with_slots(folder: Path, keys: NewPair) -> AsyncIterator[Chain]:
    """The chain with a node that was flashed with build 1, and that somebody starts again after a reset."""
    async with open_chain(
        Wanted(house=QUIET, site={"tariff": None}), machine=Machine(), folder=folder, start=False
    ) as chain:
        board = chain.run.node_folder("cellar")
        for name in ("node", "wire"):
            shutil.rmtree(board / name)
        build(board / "a", "unix", keys.private[0], number=1)
        shutil.copy(keys.public, board / "keys.json")
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
                await until_battery(self.chain, "own", HOUSE_TURN_S)  # not by its own timer: that is much later
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
    code, out = await zen_node("release-key", tmp_path / "keys", cwd=tmp_path)
    assert code == 0, out
    names = ("release-1.pem", "release-2.pem")
    keys = NewPair(
        private=(tmp_path / "keys" / names[0], tmp_path / "keys" / names[1]), public=tmp_path / "keys/keys.json"
    )
    new = await built_by_command(tmp_path, keys)
    async with chain_with_slots(tmp_path / "run", keys) as chain, asyncio.TaskGroup() as tasks:
        await until_controlled(chain)
        assert (await node_shown(chain))["build"] == 1
        resets = Resets(chain)
        watch = tasks.create_task(resets.run())
        arguments = ("update", "cellar", "--site", chain.run.site_file, "--release", new.folder)
        sent = tasks.create_task(zen_node(*arguments, cwd=tmp_path, **chain.run.gateway_environment()))

        async def on_trial() -> bool:
            shown = await node_shown(chain)
            return (shown["build"], shown["mode"], shown["why"]) == (new.build, "trial", "update")

        await until(on_trial, 90, "the new release is on trial")
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
        told = {
            name: shown[name]
            for name in ("up", "build", "mode", "why", "refused", "heard", "update", "has_table", "test")
        }
        assert told == {
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
        told_lines = [line for line in stored_lines(chain) if line.startswith("health,node=cellar")]
        assert any(f"node_build={new.build}.0," in line and 'node_mode="run"' in line for line in told_lines)
