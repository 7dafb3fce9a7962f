"""A car and hot water in the whole chain: surplus, limits, leases, and a plan that charges while it is cheap."""

import time
import tomllib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.programs import GATEWAY
from gateway.rig.report import get_json
from gateway.rig.zen_command import config_folder

from .conftest import (
    QUIET,
    OpenChain,
    decisions,
    holds_by,
    house,
    state,
    stored_lines,
    until,
    until_controlled,
    writes,
)
from .test_planning import TARIFF

LEASE_S = 5
LEAST_W = 6 * 230.0
CURRENT, SAFE_A = 5004, 6.0  # the charger's register of its set-point, and what the site file lets it fall back to
PAUSE_S = 5.0  # the charger is written no more often
DEVICE_S = PAUSE_S + 1.5  # and half a second lies between two requests
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2024, 6, 21, 12, 1, tzinfo=PARIS)
LATE_NIGHT = datetime(2024, 11, 6, 5, 31, tzinfo=PARIS)
ADDED = tomllib.loads((config_folder() / "demo" / "loads.toml").read_text(encoding="utf-8"))
LOADS = ADDED["site"]["loads"]


def wanted(start: datetime, *, house_: dict[str, Any], site: dict[str, Any]) -> ChainSettings:
    """The demo's building with a car at its charger and a tank of hot water."""
    control = {"lease_s": LEASE_S, "import_limit_w": 6000.0}
    return ChainSettings(
        house=QUIET | ADDED["house"] | {"clock": {"start": start.replace(tzinfo=None).isoformat()}} | house_,
        site=ADDED["site"] | {"control": control} | site,
        clock_offset_s=(start - datetime.now(UTC)).total_seconds(),
    )


async def load(chain: Chain, name: str) -> dict[str, Any]:
    """A load as the house itself knows it."""
    return (await house(chain, do="state"))["loads"][name]


async def setpoint_of(chain: Chain, device: str) -> dict[str, Any]:
    """The set-point of a device as the page shows it; before the first decision there is none."""
    setpoints = (await state(chain))["setpoints"]
    return next((one for one in setpoints if one["device"] == device), {"mode": None, "power_w": None})


async def test_surplus_goes_into_the_car_and_no_further_than_limits_and_leases_allow(chain_of: OpenChain) -> None:
    sunny = {"pv": {"clouds": False, "kwp": 9.0, "inverter_limit_w": 9000.0}, "battery": {"soc": 1.0}}
    async with chain_of(wanted(NOON, house_=sunny, site={})) as chain:
        await until_controlled(chain)

        async def charges() -> bool:
            car, tank, shown = await load(chain, "car"), await load(chain, "tank"), await state(chain)
            flow = {name: power or 1e9 for name, power in shown["flow"].items()}
            is_taken = car["power_w"] > 2 * LEAST_W and tank["power_w"] > 100.0
            # the house, not what is planned: a load's own report comes up to two seconds after the meter's
            return is_taken and abs(flow["grid_w"]) < 300.0 and 100 < flow["load_w"] < 400

        await until(charges, "surplus goes into car and hot water, and nothing to the grid", patience_s=90)
        car = await load(chain, "car")
        assert car["offered_a"] == 0.0 or 6.0 <= car["offered_a"] <= 16.0
        shown = await state(chain)
        assert shown["flow"]["loads_w"] > 2 * LEAST_W
        assert (await setpoint_of(chain, "car"))["reason"]["code"] in (
            "load_takes",
            "load_surplus",
            "load_due",
            "load_ahead",
        )

        begun = time.monotonic()
        await house(chain, do="step", w=12_000, seconds=None)  # beyond the sun: more than 6 kW from the grid

        async def shed() -> bool:
            return (await load(chain, "car"))["setpoint_a"] == 0.0

        await until(shed, "the car is shed")
        stops = [moment for moment, line in decisions(chain, "car") if moment > begun and ",p_set_w=0.0" in line]
        assert stops[0] - begun < 2.0
        written = await writes(chain, "car", CURRENT)
        assert next(moment for moment, words in written if moment > begun and words == [0]) - begun < 2.0 + DEVICE_S
        gaps_s = [later - earlier for (earlier, _), (later, _) in pairwise(written)]
        assert [gap for gap in gaps_s if gap < PAUSE_S] == []
        assert (await setpoint_of(chain, "car"))["reason"]["code"] in ("load_limit", "load_rests")
        await house(chain, do="clear")

        killed = time.monotonic()
        await chain.kill(GATEWAY)

        async def fallen_back() -> bool:
            return (await load(chain, "car"))["setpoint_a"] == SAFE_A

        await until(fallen_back, "the charger's own mode")
        safe = [moment for moment, words in await writes(chain, "car", CURRENT) if moment > killed]
        assert safe[0] - killed < LEASE_S + 1.0 + DEVICE_S

        await chain.start(GATEWAY)

        async def rests() -> bool:
            setpoint = await setpoint_of(chain, "car")
            return setpoint["mode"] == "control" and setpoint["reason"]["code"] == "load_rests"

        await holds_by(rests, stops[0] + 60, "the least time of rest goes on after the restart")
        assert (await setpoint_of(chain, "car"))["power_w"] == 0.0
        lines = [line for line in stored_lines(chain) if line.startswith("control,") and "device=car" in line]
        assert any('reason="load_limit"' in line for line in lines)


async def test_the_plan_charges_the_car_in_the_cheap_hour_and_says_so(chain_of: OpenChain) -> None:
    """Half an hour is left of the cheap time; the car is to have 3 kWh in the morning."""
    loads = {"car": LOADS["car"] | {"wanted_kwh": 3.0, "departure": "08:30"}, "water": LOADS["water"]}
    night = wanted(LATE_NIGHT, house_={"battery": {"soc": 0.3}}, site={"tariff": TARIFF, "loads": loads})
    async with chain_of(night) as chain:

        async def planned() -> dict[str, Any] | None:
            rows = (await get_json(f"{chain.page_address}/api/plan")).get("loads", [])
            return next((row for row in rows if row["name"] == "car"), None)

        async def charges() -> bool:  # because it is setpoint_of to: in its own mode it charges as well
            is_commanded = ((await setpoint_of(chain, "car"))["power_w"] or 0.0) > LEAST_W
            return is_commanded and (await load(chain, "car"))["power_w"] > LEAST_W

        await until(planned, "a plan with the car")
        row = await planned()
        assert row is not None
        cheap_wh, dear_wh = sum(row["power_w"][:2]) / 4, sum(row["power_w"][2:]) / 4
        assert cheap_wh > dear_wh
        assert row["reasons"][0]["code"] in ("load_due", "load_ahead")
        await until(charges, "the car charges")
        setpoint = await setpoint_of(chain, "car")
        assert setpoint["reason"]["code"] == row["reasons"][0]["code"]
        assert setpoint["reason"]["numbers"]["buy_price"] == pytest.approx(0.1635, abs=1e-4)
        assert (await state(chain))["flow"]["grid_w"] > LEAST_W


async def test_pv_that_nothing_takes_is_curtailed_at_the_export_limit_and_let_go_again(chain_of: OpenChain) -> None:
    inverter = {"profile": "sma_sunny_tripower", "unit": 3, "inverter": {"rated_w": 5000.0}}
    sunny = {"battery": {"soc": 1.0}, "serve": {"pv": {"profile": "sma_tripower", "unit": 3}}}
    site = {"devices": {"pv": inverter}, "control": {"export_limit_w": 1000.0, "lease_s": LEASE_S}}
    clock = {"start": NOON.replace(tzinfo=None).isoformat()}
    offset_s = (NOON - datetime.now(UTC)).total_seconds()
    async with chain_of(
        ChainSettings(house=QUIET | sunny | {"clock": clock}, site=site, clock_offset_s=offset_s)
    ) as chain:
        started = time.monotonic()

        async def held() -> bool:
            return -1020.0 <= (await house(chain, do="state"))["grid_w"] <= -800.0

        await holds_by(held, started + 30, "no more than 1 kW goes to the grid")
        assert (await setpoint_of(chain, "pv"))["reason"]["code"] == "pv_curtailed"
        begun = time.monotonic()
        await house(chain, do="step", w=4500, seconds=None)

        async def let_go() -> bool:
            state_ = await house(chain, do="state")
            return not state_["pv"]["throttled"] and (await setpoint_of(chain, "pv"))["reason"]["code"] == "pv_free"

        await holds_by(let_go, begun + 20, "all the sun is taken")
