"""A heat pump in the whole chain: a surplus is offered to it, its own physics takes it, its comfort stays its own."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.rig.chain import ChainSettings
from gateway.rig.programs import GATEWAY

from .conftest import QUIET, OpenChain, decided_at, holds_by, house, state, until
from .test_loads import PARIS, load, setpoint_of

LEASE_S = 5
DEVICE_S = 1.5  # the node writes it, the compressor stops at once
NOON = datetime(2024, 4, 18, 13, 1, tzinfo=PARIS)
NIGHT = datetime(2024, 4, 18, 4, 1, tzinfo=PARIS)
LEAST_W, MOST_W = 600.0, 2500.0
LOW_C = 19.5
TRACE_S = 600.0  # as far back as the house remembers
FULL = QUIET | {
    "pv": {"clouds": False, "kwp": 9.0, "inverter_limit_w": 9000.0},
    "battery": {"soc": 1.0},
}


def wanted(start: datetime, heat_pump: dict[str, Any], **changes: Any) -> ChainSettings:
    """A building with a full battery and a heat pump that can be offered a surplus."""
    physics = {"ramp_w_per_s": 500.0, "run_s": 5.0, "rest_s": 5.0}
    clock = {"start": start.replace(tzinfo=None).isoformat()}
    device = {"role": "load", "profile": "lambda_eu_l", "node": "cellar", "unit": 1}
    section = {
        "kind": "heat_pump",
        "device": "heat-pump",
        "powers_w": [LEAST_W, MOST_W],
        "kwh_per_k": 8.0,
        "loss_w_per_k": 180.0,
        "low_c": LOW_C,
        "run_s": 60.0,
        "rest_s": 60.0,
        **changes,
    }
    return ChainSettings(
        house=FULL | {"clock": clock, "heat_pump": physics | heat_pump},
        site={"devices": {"heat-pump": device}, "loads": {"heating": section}, "control": {"lease_s": LEASE_S}},
        clock_offset_s=(start - datetime.now(UTC)).total_seconds(),
    )


async def test_a_surplus_is_offered_and_taken_and_goes_back_with_the_lease(chain_of: OpenChain) -> None:
    """The rooms are as warm as its own thermostat wants them, so it would not run by itself."""
    async with chain_of(wanted(NOON, {"temp_c": 20.9})) as chain:

        async def takes() -> bool:
            pump = await load(chain, "heat_pump")
            return pump["offered_w"] == MOST_W and pump["power_w"] == pytest.approx(MOST_W, abs=50.0)

        await until(takes, "the pump takes the surplus, beyond its own thermostat")
        setpoint = await setpoint_of(chain, "heat-pump")
        assert (setpoint["mode"], setpoint["power_w"], setpoint["reason"]["code"]) == ("control", MOST_W, "load_takes")

        async def is_shown() -> bool:
            return (await state(chain))["flow"]["loads_w"] == pytest.approx(MOST_W, abs=50.0)

        await until(is_shown, "the page shows what it draws")
        killed = time.monotonic()
        await chain.kill(GATEWAY)

        async def stands() -> bool:
            pump = await load(chain, "heat_pump")
            return pump["offered_w"] == 0.0 and not pump["running"]

        await until(stands, "its own mode, in which it has nothing to do")
        trace = await house(chain, do="trace", seconds=TRACE_S)
        powers = [(row[0], loads["heat_pump"]) for row, loads in zip(trace["rows"], trace["loads_w"], strict=True)]
        stopped = next(moment for moment, power_w in powers if moment > killed and power_w < LEAST_W)
        assert stopped - killed < LEASE_S + 1.0 + DEVICE_S


async def test_cold_rooms_are_the_pump_s_own_until_they_are_warm_and_its_run_has_its_least_time(
    chain_of: OpenChain,
) -> None:
    """It is night, and the plan would let them get colder. These rooms hold so little heat that they warm up soon."""
    rooms = {"temp_c": 19.0, "capacity_wh_per_k": 50.0}
    async with chain_of(wanted(NIGHT, rooms, discomfort_eur_per_kh=0.0)) as chain:
        begun = time.monotonic()

        async def is_its_own() -> bool:
            setpoint, pump = await setpoint_of(chain, "heat-pump"), await load(chain, "heat_pump")
            code = setpoint.get("reason", {}).get("code")
            return (setpoint["mode"], code, pump["running"]) == ("release", "load_cold", True)

        await until(is_its_own, "too cold: its own mode, in which it heats")
        assert (await load(chain, "heat_pump"))["offered_w"] == 0.0

        async def is_ours() -> bool:
            return (await setpoint_of(chain, "heat-pump"))["mode"] == "control"

        await until(is_ours, "warm enough to be commanded")
        commanded = await decided_at(chain, "heat-pump", 'mode="control"', begun)
        assert (await load(chain, "heat_pump"))["temp_c"] == pytest.approx(LOW_C, abs=0.5)
        setpoint = await setpoint_of(chain, "heat-pump")
        assert (setpoint["power_w"], setpoint["reason"]["code"]) == (LEAST_W, "load_runs_on")
        assert setpoint["reason"]["numbers"]["left_s"] > 50.0

        async def runs_on() -> bool:
            return (await load(chain, "heat_pump"))["offered_w"] == LEAST_W

        await holds_by(runs_on, commanded + 5, "a run that has begun goes on for its least time")
        assert (await load(chain, "heat_pump"))["running"]
