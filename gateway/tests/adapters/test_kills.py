"""Gateway and database are killed at random moments: what was stored is in the database once, and nothing else is."""

import asyncio
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.paths import PACKAGE
from gateway.rig.database import Database, database_program
from gateway.rig.processes import Processes, Program
from gateway.tests.adapters.killed import NAMES, TOKEN
from gateway.tests.adapters.test_influx import counted


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
async def test_kills_of_gateway_and_database_lose_and_double_nothing(influxd, tmp_path: Path, kills: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = Database(url=f"http://127.0.0.1:{port}", org="zen", bucket="zen", token=TOKEN)
    base = database_program(influxd, port=port, folder=tmp_path / "influxd")
    command = (sys.executable, "-m", "gateway.tests.adapters.killed", str(tmp_path / "a.sqlite"), database.url)
    gateway = Program(name="gateway", command=(*command, "count"), folder=PACKAGE.parent)
    rng = random.Random(kills)
    async with Processes(logs=tmp_path) as processes:
        children = {"database": await processes.start(base)}
        await database.set_up()
        children["gateway"] = await processes.start(gateway)
        for i in range(kills):
            await asyncio.sleep(rng.uniform(0.2, 2.0))  # the moment is what is tried
            name = ("gateway", "database")[i % 2]
            assert children[name].exit_code is None
            await children[name].kill()
            children[name] = await processes.start(gateway if name == "gateway" else base)
        await asyncio.sleep(1.0)
        await children["gateway"].kill()
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        last, dropped, refused = map(int, done.stdout.split())
        assert (dropped, refused) == (0, 0)
        found = await counted(database)
    assert last > 20 * kills
    assert found == {(name, "n"): last for name in NAMES}
