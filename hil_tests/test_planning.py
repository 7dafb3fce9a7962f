"""Plans in the whole chain: a winter night that is bought for the day, and a building that runs on without a plan."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.programs import GATEWAY

from .conftest import QUIET, OpenChain, holds_by, house, plan, state, until, until_mode, until_planned

TARIFF = {
    "file": "edf_hphc",
    "prices": {"HP": 0.2081, "HC": 0.1635},
    "surplus_price": 0.04,
    "off_peak": [{"hours": ["22:00-06:00"]}],
}
PARIS = ZoneInfo("Europe/Paris")
LATE_NIGHT = datetime(2024, 11, 6, 5, 31, tzinfo=PARIS)
EVENING = datetime(2024, 11, 5, 18, 10, tzinfo=PARIS)


def november(start: datetime, *, soc: float, **site: Any) -> ChainSettings:
    """A dark day in the north of France; `site` are sections beside, or instead of, that of the tariff."""
    clock = {"start": start.replace(tzinfo=None).isoformat()}
    offset_s = (start - datetime.now(UTC)).total_seconds()
    moment = {"clock": clock, "battery": {"soc": soc}}
    return ChainSettings(house=QUIET | moment, site={"tariff": TARIFF, **site}, clock_offset_s=offset_s)


async def test_a_november_night_is_bought_for_the_day_and_the_page_says_why(chain_of: OpenChain) -> None:
    """It is the last cheap half hour: what the day needs is bought as late as it can be."""
    async with chain_of(november(LATE_NIGHT, soc=0.12)) as chain:
        made = await until_planned(chain)
        assert made["names"][0] == "HC"
        assert made["charge"][0] > 0.2
        assert max(made["charge"][2:60]) == 0  # dear from six to ten
        assert made["reasons"][0]["code"] == "grid_charge"
        numbers = made["reasons"][0]["numbers"]
        assert numbers["buy_price"] < numbers["worth_price"]
        assert made["notes"] == []

        async def bought() -> bool:
            now = await state(chain)
            return now["setpoint"]["reason"]["code"] == "plan_charges" and (now["flow"]["battery_w"] or 0) > 2000

        await until(bought, "the night's charging")
        now = await state(chain)
        assert now["flow"]["grid_w"] > now["flow"]["load_w"]
        numbers = now["setpoint"]["reason"]["numbers"]
        assert numbers["now_price"] < numbers["worth_price"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, "plan_failed"), (signal.SIGSTOP, "plan_late")])
async def test_a_planner_that_dies_or_hangs_costs_the_plan_and_nothing_else(
    chain_of: OpenChain, number: int, code: str
) -> None:
    async with chain_of(november(EVENING, soc=0.5)) as chain:
        await until_mode(chain, "control")
        await chain.stop(GATEWAY)
        hunter = asyncio.create_task(_signal_the_planner(chain, number))
        await chain.start(GATEWAY)
        await hunter

        async def is_shown() -> bool:
            why = (await plan(chain))["why"]
            return why is not None and why["code"] == code

        await until(is_shown, "why there is no plan")
        begun = time.monotonic()
        await house(chain, do="step", w=1500, seconds=None)

        async def holds() -> bool:
            flow = (await state(chain))["flow"]
            return flow["load_w"] is not None and flow["load_w"] > 1200 and abs(flow["grid_w"]) < 60

        await holds_by(holds, begun + 15, "the plain rule at work")
        await until_planned(chain)


async def _signal_the_planner(chain: Chain, number: int) -> None:
    """Sends it to the first planner that the gateway starts."""
    async with asyncio.timeout(30):
        while not (found := _planners(chain)):  # noqa: ASYNC110 - nobody tells when a process begins
            await asyncio.sleep(0.002)
    os.kill(found[0], number)


def _planners(chain: Chain) -> list[int]:
    if not chain.is_running(GATEWAY):
        return []
    own = str(chain.child(GATEWAY).pid)
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[1] == own and b"gateway.planning.worker" in command:
            found.append(int(path.name))
    return found
