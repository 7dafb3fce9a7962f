"""The database is away for long, at 1 Hz with 20 devices: nothing lost, nothing doubled, the cycle does not notice.

`make outage` lives a whole day; the test among all others lives ten minutes.
"""

import asyncio
import csv
import io
import socket
import time
from pathlib import Path

import pytest

from gateway.rig.database import Database, database_program
from gateway.rig.exchange import exchange
from gateway.rig.processes import Processes
from gateway.tests.adapters.outage import FIELDS, ROLES, Building

DAY_S = 86_400
CALM_S = 60  # of real time in each phase of the day


@pytest.mark.parametrize(
    ("outage_s", "calm_s"),
    [
        (600, 3),
        pytest.param(DAY_S, CALM_S, marks=[pytest.mark.soak, pytest.mark.timeout(3 * 3600)]),
    ],
)
async def test_an_outage_loses_and_doubles_nothing_and_is_made_up_for_within_an_hour(
    influxd, tmp_path: Path, outage_s: int, calm_s: int
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = Database(url=f"http://127.0.0.1:{port}", org="zen", bucket="zen", token="chosen-by-us")  # noqa: S106
    program = database_program(influxd, port=port, folder=tmp_path / "influxd")
    building = Building(tmp_path, database)
    async with Processes(logs=tmp_path) as processes:
        child = await processes.start(program)
        await database.set_up()
        async with building.running():
            await building.live("before", calm_s)
            await child.kill()
            began_s = building.seconds
            await building.skip("during, seconds skipped", outage_s - calm_s)
            await building.live("during, in real time", calm_s)
            assert building.seconds - began_s >= outage_s
            most = building.outbox.waiting
            await processes.start(program)
            drained_s = await building.drain("while the past is filled in")
            await building.live("after", calm_s)
            await stopped(building)
            assert (building.outbox.waiting, building.outbox.dropped, building.outbox.refused) == (0, 0, 0)
            found = await settled(database, building)
    print(*building.table(), sep="\n")  # noqa: T201
    print(f"{most} lines waited; made up for in {drained_s:.0f} s")  # noqa: T201
    assert found == wanted(building)
    assert drained_s <= 3600
    assert building.persistence.error is None
    if calm_s < CALM_S:  # too few cycles to tell the database's part from that of whatever else the machine does
        return
    phases = {phase.name: sorted(phase.late_ms) for phase in building.phases}
    for name in ("during, in real time", "while the past is filled in", "after"):
        late, before = phases[name], phases["before"]
        assert late[len(late) // 2] < before[len(before) // 2] + 250, (name, late)


def wanted(building: Building) -> dict[tuple[str, str], int]:
    """Points of each field by what was lived: one a second of each device, and one of each cycle."""
    roles = [role for _, role in building.devices]
    found = {(role, name): roles.count(role) * building.seconds for role in ROLES for name in FIELDS}
    return found | {("site", name): building.cycles for name in ("grid_w", "load_w", "is_curtailed")}


async def settled(database: Database, building: Building) -> dict[tuple[str, str], int]:
    """The counts of the database, asked again while it moves points from its memory to its files."""
    for _ in range(20):
        found = await points(database)
        if found == wanted(building):
            break
        print("counted:", found)  # noqa: T201
        await asyncio.sleep(1)
    return found


async def points(database: Database) -> dict[tuple[str, str], int]:
    """How many the database has of each measurement and field; counted where they are, millions in seconds."""
    flux = (
        f'from(bucket:"{database.bucket}") |> range(start: 0) |> count()'
        ' |> group(columns: ["_measurement", "_field"]) |> sum()'
    )
    headers = {"Authorization": f"Token {database.token}", "Content-Type": "application/vnd.flux"}
    address = f"{database.url}/api/v2/query?org={database.org}"
    answer = await exchange(address, method="POST", body=flux.encode(), headers=headers, within_s=600)
    assert answer.status == 200, answer.body
    rows = csv.DictReader(line for line in io.StringIO(answer.body.decode()) if line.strip())
    return {(one["_measurement"], one["_field"]): int(one["_value"]) for one in rows if one["_value"].isdigit()}


async def stopped(building: Building) -> None:
    """No more cycles; what they stored is in the database."""
    await building.stop()
    began_s = time.monotonic()
    while building.outbox.waiting:
        assert time.monotonic() - began_s < 60, "the last lines never left"
        await asyncio.sleep(0.05)
