"""A real InfluxDB that is killed and comes back: nothing lost, nothing doubled, counted in the database itself."""

import asyncio
import csv
import io
import sqlite3

import pytest

from gateway.bench.chain import Chain, Wanted
from gateway.bench.database import Database
from gateway.bench.exchange import exchange
from gateway.bench.part import Part

from .conftest import QUIET, TEN_MINUTES, OpenChain, house, state, status, until, until_controlled


async def ask(database: Database, query: str) -> list[dict[str, str]]:
    """Rows of a Flux query."""
    headers = {
        "Authorization": f"Token {database.token}",
        "Content-Type": "application/vnd.flux",
        "Accept": "application/csv",
    }
    address = f"{database.url}/api/v2/query?org={database.org}"
    answer = await exchange(address, method="POST", body=query.encode(), headers=headers, within_s=30)
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


async def count(database: Database, measurement: str, field: str, device: str) -> int:
    rows = await ask(
        database,
        f'from(bucket: "{database.bucket}") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)'
        f' |> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}"'
        f' and r.device == "{device}") |> count()',
    )
    return sum(int(row["_value"]) for row in rows)


async def last(database: Database, measurement: str, field: str, device: str) -> float:
    rows = await ask(
        database,
        f'from(bucket: "{database.bucket}") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)'
        f' |> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}"'
        f' and r.device == "{device}") |> last()',
    )
    return float(rows[0]["_value"])


def waiting(chain: Chain) -> int:
    """Lines still in the outbox."""
    database = sqlite3.connect(chain.folder / "store.sqlite")
    return int(database.execute("SELECT COUNT(*) FROM lines").fetchone()[0])


@pytest.mark.parametrize("seconds", [20, TEN_MINUTES])
async def test_an_outage_of_the_database_loses_and_doubles_nothing(
    chain_of: OpenChain, influxd: Part, seconds: int
) -> None:
    async with chain_of(Wanted(house=QUIET, database=True)) as chain:
        await until_controlled(chain)
        database = chain.database
        assert database is not None
        await asyncio.sleep(5)
        await chain.kill("database")

        async def told() -> bool:
            return (await state(chain))["database"]["error"] is not None

        await until(told, 30, "the page tells that the database does not answer")
        assert (await state(chain))["setpoint"]["mode"] == "control"
        await asyncio.sleep(seconds)
        cycles = (await status(chain))["cycle_late_ms"]
        await chain.start("database")
        await until(lambda: _drained(chain), 60, "the outbox is empty")
        # every cycle of the gateway wrote one decision; every second one sample of the grid meter
        before = await count(database, "control", "mode", "battery")
        number = (await state(chain))["cycle"]
        assert number - 5 <= before <= number
        moments = await ask(
            database,
            f'from(bucket: "{database.bucket}") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)'
            ' |> filter(fn: (r) => r._measurement == "control" and r._field == "mode")'
            ' |> elapsed(unit: 1ms) |> max(column: "elapsed")',
        )
        assert int(moments[0]["elapsed"]) < 2000, "no hole while the database was away"
        node = (await status(chain))["nodes"]["cellar"]
        assert (node["lost"], node["duplicated"]) == (0, 0)
        powers = await count(database, "meter", "p_w", "grid")
        assert abs(powers - before) <= 8
        assert cycles["p99"] < 500, "the loop did not wait for the database"
        assert influxd.version.startswith("2")


async def _drained(chain: Chain) -> bool:
    return waiting(chain) < 20 and (await state(chain))["database"]["error"] is None


async def test_counters_of_the_database_and_of_the_house_agree(chain_of: OpenChain, influxd: Part) -> None:
    async with chain_of(Wanted(database=True)) as chain:
        await until_controlled(chain)
        database = chain.database
        assert database is not None
        await asyncio.sleep(25)
        truth = (await house(chain, do="state"))["energy_wh"]
        await asyncio.sleep(12)  # slow counters are read every ten seconds
        points = (await state(chain))["devices"]
        shown = {(d["id"], p["name"]): p["value"] for d in points for p in d["points"]}
        for measurement, device, field in (
            ("meter", "grid", "e_import_wh"),
            ("pv", "pv", "e_produced_wh"),
            ("battery", "battery", "e_charge_wh"),
        ):
            stored = await last(database, measurement, field, device)
            # what the database holds is what the device counted; a new reading may have come in between
            assert stored == pytest.approx(shown[device, field], abs=60)
        assert truth["pv"] > 0
        assert influxd.path.exists()
