"""A real InfluxDB: started, set up once, killed and back with everything it had acknowledged."""

import csv
import io
import json

import pytest

from gateway.rig.database import Database, database_program
from gateway.rig.exchange import exchange
from gateway.rig.processes import ProgramError

POINTS = 2000


@pytest.fixture
def program(influxd, tmp_path, free_port):
    return database_program(influxd, port=free_port, folder=tmp_path / "influxd")


@pytest.fixture
def database(free_port):
    return Database(url=f"http://127.0.0.1:{free_port}", org="zen", bucket="zen", token="chosen-by-us")  # noqa: S106 - a scratch one


async def ask(database, path, body, **headers):
    headers = {"Authorization": f"Token {database.token}", **headers}
    return await exchange(f"{database.url}{path}", method="POST", body=body.encode(), headers=headers)


async def count(database):
    flux = f'from(bucket:"{database.bucket}") |> range(start: 0) |> count()'
    body = json.dumps({"query": flux, "type": "flux"})
    answer = await ask(database, f"/api/v2/query?org={database.org}", body, **{"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    return [int(row["_value"]) for row in csv.DictReader(io.StringIO(answer.body.decode())) if row.get("_value")]


async def test_what_was_acknowledged_is_there_after_a_kill(processes, program, database):
    first = await processes.start(program)
    await database.set_up()
    lines = "\n".join(f"meter,device=grid p_w={n}.0 {1_700_000_000 + n}" for n in range(POINTS))
    written = await ask(database, f"/api/v2/write?org={database.org}&bucket={database.bucket}&precision=s", lines)
    assert written.status == 204, written.body
    await first.kill()
    await processes.start(program)
    await database.set_up()  # nothing to do the second time
    assert await count(database) == [POINTS]


async def test_a_refused_set_up_is_reported(processes, program, free_port):
    await processes.start(program)
    nameless = Database(url=f"http://127.0.0.1:{free_port}", org="", bucket="", token="chosen-by-us")  # noqa: S106 - a scratch one
    with pytest.raises(ProgramError, match="refused its set-up with 4"):
        await nameless.set_up()
