"""The grid is held: in time, without overshoot, without hunting, and the books close."""

import asyncio
import json
import math
import re
import statistics
import time
from itertools import pairwise
from typing import Any

import pytest

from gateway.rig.chain import Chain, ChainSettings

from .conftest import (
    QUIET,
    TEN_MINUTES,
    OpenChain,
    house,
    stalled_s,
    state,
    status,
    stored_lines,
    until,
    until_controlled,
    utc_ahead_s,
)
from .test_losses import grid_moments

DEAD_TIME_S, RAMP_W_PER_S = 0.8, 2500.0
STEP_W = 3000.0
COUNTERS = {"import": ("grid", "e_import_wh"), "export": ("grid", "e_export_wh"), "pv": ("pv", "e_produced_wh")}
CYCLE_S = 1.25
REST_S = 5.0
TRACE_S = 600.0  # as far back as the house remembers
SETTLED_S = DEAD_TIME_S + STEP_W / RAMP_W_PER_S + 2.0
MOST_LATE_S = 1.5  # a busy machine may excuse no more: later than that the product itself is late


async def grid_after_step(chain: Chain, seconds: float) -> tuple[float, list[tuple[float, float]]]:
    """The moment of a new load, and (seconds after it, grid power) at 10 Hz: as the house itself knows both.

    The load is still there.
    """
    asked = time.monotonic()
    await house(chain, do="step", w=STEP_W, seconds=None)
    while True:
        rows = (await house(chain, do="trace", seconds=TRACE_S))["rows"]
        before_w = next(row[1] for row in reversed(rows) if row[0] < asked)
        begun = next((row[0] for row in rows if row[0] >= asked and row[1] > before_w + STEP_W / 2), math.inf)
        if rows[-1][0] >= begun + seconds:
            return begun, [(row[0] - begun, row[4]) for row in rows if row[0] >= begun]
        await asyncio.sleep(min(max(begun + seconds - rows[-1][0], 0.1), seconds))


async def test_a_load_step_of_3_kw_is_covered_in_time_without_overshoot(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        await until_quiet(chain)
        begun, after = await grid_after_step(chain, 15)
        late_s = await lateness_s(chain, begun)
        assert late_s < MOST_LATE_S
        settled_s = SETTLED_S + late_s
        late = [(t, w) for t, w in after if t > settled_s and abs(w) > 100]
        assert min(w for _, w in after) >= -0.1 * STEP_W
        assert late == []
        latency = (await status(chain))["latency_ms"]
        assert latency["median"] < 1000


async def lateness_s(chain: Chain, begun: float) -> float:
    """How much later than it should a busy machine let things be after a load step: as gateway and node tell it.

    The gateway's cycles and orders at their worst, and from the step on the longest time without a sample beyond the
    second between two.
    """
    figures = await status(chain)
    begun_ms = 1000 * (begun + utc_ahead_s(chain))
    gaps_ms = [later - earlier for earlier, later in pairwise(grid_moments(chain)) if later > begun_ms]
    return (figures["cycle_late_ms"]["p99"] + figures["latency_ms"]["p99"] + max(gaps_ms) - 1000) / 1000


# With a dead time of 3 s a limit cycle turns round every 12 s at most: from second 16 on, 14 s hold more than one. A
# sample that comes 3 s late just after the step may be made up for once before.
@pytest.mark.parametrize("seconds", [30, TEN_MINUTES])
async def test_a_meter_1_to_3_s_late_makes_no_limit_cycle(chain_of: OpenChain, seconds: int) -> None:
    site = {"control": {"meter_delay_max_s": 3.0}}
    async with chain_of(ChainSettings(house=QUIET, site=site)) as chain:
        await until_controlled(chain)
        await house(chain, do="fault", kind="MeterLate", min_s=1.0, max_s=3.0)
        await until_quiet(chain)
        waited_s = stalled_s()
        _, after = await grid_after_step(chain, seconds)
        settled_s = 16 + min(stalled_s() - waited_s, 2.0)
        assert min(w for _, w in after) >= -0.1 * STEP_W
        assert [(t, w) for t, w in after if t > settled_s and abs(w) > 100] == []


async def until_quiet(chain: Chain) -> None:
    """The house has come to rest: from now on, for five seconds hardly anything comes from the grid or goes to it."""
    begun = time.monotonic()

    async def quiet() -> bool:
        rows = (await house(chain, do="trace", seconds=TRACE_S))["rows"]
        now = rows[-1][0]
        return now - begun > REST_S and all(abs(row[4]) < 60 for row in rows if row[0] > now - REST_S)

    await until(quiet, "nothing moves")


@pytest.mark.timeout(180)
async def test_every_stored_state_balances_and_the_counters_of_house_and_store_agree(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house={"load": {"kettle_every_s": 30, "kettle_s": 10}})) as chain:
        await until_controlled(chain)
        begin = (await house(chain, do="state"))["energy_wh"]
        await until(lambda: has_states(chain, 16), "the kettle has boiled meanwhile")
        before = (await house(chain, do="state"))["energy_wh"]
        asked = time.monotonic()

        async def is_read() -> bool:  # the slowest counter is read every ten seconds
            shown = await state(chain)
            ages = [point["age_s"] for name, point in counters_of(shown).items()]
            return None not in ages and max(ages) < time.monotonic() - asked - CYCLE_S

        await until(is_read, "every counter is read after that")
        await until(lambda: has_states(chain, 25), "states to judge by")
        shown = await state(chain)
        readings = {d["id"]: {p["name"]: p["value"] for p in d["points"]} for d in shown["devices"]}
        await chain.stop("gateway")
        after = (await house(chain, do="state"))["energy_wh"]
        rows = stored_lines(chain)
    states = [fields(line) for line in rows if line.startswith("site,")]
    # A step of the load is stored once meter and devices all show it, a second or two later: between steps all is one.
    away_w = [abs(one["grid_w"] - one["pv_w"] - one["battery_w"] - one["load_w"]) for one in states if "load_w" in one]
    assert statistics.median(away_w) < 30.0
    # The first stored value was read between the start of the house and the first decision, the last one between the
    # two later moments. Counters are steps of 1 Wh, and the meter shows half a percent too much.
    for name, (device_id, point) in COUNTERS.items():
        grown_wh = last(rows, device_id, point) - first(rows, device_id, point)
        assert before[name] - begin[name] - 2 <= grown_wh <= 1.01 * after[name] + 1, name
    assert readings["grid"]["p_w"] is not None


async def has_states(chain: Chain, count: int) -> bool:
    """So many states are stored, one for each cycle."""
    return len([line for line in stored_lines(chain) if line.startswith("site,")]) >= count


def counters_of(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The points of the page that count what flows, by the house's names."""
    points = {(one["id"], point["name"]): point for one in shown["devices"] for point in one["points"]}
    return {name: points[place] for name, place in COUNTERS.items()}


def fields(line: str) -> dict[str, float]:
    """The numbers of a stored line."""
    body = re.sub(r'"[^"]*"', '""', line).split(" ")[1]  # texts may hold commas and spaces
    return {k: float(v) for k, v in (pair.split("=") for pair in body.split(",")) if not v.startswith('"')}


def series(rows: list[str], device: str, point: str) -> list[float]:
    found = [fields(line) for line in rows if f"device={device}," in line and f"{point}=" in line.split(" ")[1]]
    return [row[point] for row in found]


def first(rows: list[str], device: str, point: str) -> float:
    return series(rows, device, point)[0]


def last(rows: list[str], device: str, point: str) -> float:
    return series(rows, device, point)[-1]


def test_fields_reads_numbers_only() -> None:
    assert fields('control,site=s mode="hold",p_set_w=3.0 5') == {"p_set_w": 3.0}
    assert json.dumps(fields("m a=1.0,b=-2.5 1")) == '{"a": 1.0, "b": -2.5}'
