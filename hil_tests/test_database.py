"""A real InfluxDB that is killed and comes back: nothing lost, nothing doubled, counted in the database itself."""

import asyncio
import csv
import io

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.database import Database
from gateway.rig.exchange import exchange
from gateway.rig.part import Part

from .conftest import TEN_MINUTES, OpenChain, house, state, status, stored_lines, until, until_controlled

COUNTERS = {
    "import": ("grid", "e_import_wh", "grid"),
    "export": ("grid", "e_export_wh", "grid"),
    "pv": ("pv", "e_produced_wh", "pv"),
    "charge": ("battery", "e_charge_wh", "battery"),
    "discharge": ("battery", "e_discharge_wh", "battery"),
}
LIVELY = {"load": {"kettle_every_s": 30, "kettle_s": 10}}


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


async def grown(database: Database, measurement: str, field: str, device: str) -> float:
    """From the first to the last stored value of a counter."""
    rows = await ask(
        database,
        f'from(bucket: "{database.bucket}") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)'
        f' |> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}"'
        f' and r.device == "{device}") |> spread()',
    )
    return float(rows[0]["_value"])


@pytest.mark.parametrize("seconds", [20, TEN_MINUTES])
async def test_an_outage_of_the_database_loses_and_doubles_nothing_and_its_counters_agree_with_the_house(
    chain_of: OpenChain, influxd: Part, seconds: int
) -> None:
    async with chain_of(ChainSettings(house=LIVELY, database=True)) as chain:
        await until_controlled(chain)
        database = chain.database
        assert database is not None
        await asyncio.sleep(5)
        await chain.kill("database")

        async def is_shown() -> bool:
            return (await state(chain))["database"]["error"] is not None

        await until(is_shown, "the page tells that the database does not answer")
        assert (await state(chain))["setpoint"]["mode"] == "control"
        await asyncio.sleep(seconds)
        cycles = (await status(chain))["cycle_late_ms"]
        await chain.start("database")
        await until(lambda: _drained(chain), "the outbox is empty")
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
        late_ms = (await status(chain))["cycle_late_ms"]["p99"]  # of a busy machine, as the gateway tells it
        assert int(moments[0]["elapsed"]) < 2000 + late_ms, "no hole while the database was away"
        node = (await status(chain))["nodes"]["cellar"]
        assert (node["lost"], node["duplicated"]) == (0, 0)
        powers = await count(database, "grid", "p_w", "grid")
        assert abs(powers - before) <= 8
        assert cycles["p99"] < 500, "the loop did not wait for the database"
        assert influxd.version.startswith("2")
        await counters_agree(chain, database)


async def _drained(chain: Chain) -> bool:
    return len(stored_lines(chain)) < 20 and (await state(chain))["database"]["error"] is None


async def counters_agree(chain: Chain, database: Database) -> None:
    """The counters in the database have grown as the house's own."""
    before = (await house(chain, do="state"))["energy_wh"]
    found: dict[str, float] = {}
    # The last stored value lies between both moments; the first was read some seconds after the house began
    # (5 kW for 5 s are 7 Wh), and a counter steps by 1 Wh, the meter's by half a percent too much.

    async def has_come() -> bool:  # the slowest counter is read every ten seconds, then stored and forwarded
        for name, place in COUNTERS.items():
            found[name] = await grown(database, *place)
        return all(before[name] - 8 <= wh for name, wh in found.items())

    await until(has_come, "the counters in the database have grown as the house's own")
    after = (await house(chain, do="state"))["energy_wh"]
    for name, wh in found.items():
        assert wh <= 1.01 * after[name] + 1, (name, before[name], wh, after[name])
    assert found["pv"] > 30
