"""A pool pump in the whole chain: its relay is a coil on the meter's line, its power comes from a meter beside it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.rig.chain import ChainSettings
from gateway.rig.programs import GATEWAY

from .conftest import QUIET, OpenChain, holds_by, state, until
from .test_loads import PARIS, load, setpoint_of

LEASE_S = 5
DEVICE_S = 1.5  # the node writes the coil
NOON = datetime(2024, 6, 21, 13, 1, tzinfo=PARIS)
POWER_W = 900.0


def wanted() -> ChainSettings:
    """A sunny building with a full battery and a pool pump."""
    board = {"role": "load", "profile": "waveshare_relay", "node": "cellar", "bus": "rs485", "unit": 2}
    meter = {"role": "load", "profile": "eastron_sdm630", "node": "cellar", "bus": "rs485", "unit": 3}
    section: dict[str, Any] = {
        "kind": "pool_pump", "device": "relay", "meter": "pump-meter", "power_w": POWER_W, "daily_run_h": 4.0,
        "run_s": 60.0, "rest_s": 60.0,
    }  # fmt: skip
    return ChainSettings(
        house=QUIET
        | {
            "clock": {"start": NOON.replace(tzinfo=None).isoformat()},
            "battery": {"soc": 1.0},
            "pool_pump": {"power_w": POWER_W},
            "serve": {"pool_pump": {}},
        },
        site={
            "devices": {"relay": board, "pump-meter": meter},
            "loads": {"pool": section},
            "control": {"lease_s": LEASE_S},
        },
        clock_offset_s=(NOON - datetime.now(UTC)).total_seconds(),
    )


@pytest.mark.timeout(150)
async def test_a_surplus_runs_the_pump_and_its_relay_opens_with_the_lease(chain_of: OpenChain) -> None:
    async with chain_of(wanted()) as chain:

        async def runs() -> bool:
            return (await load(chain, "pool_pump"))["power_w"] == POWER_W

        await until(runs, "the relay is closed")
        setpoint = await setpoint_of(chain, "relay")
        assert (setpoint["mode"], setpoint["power_w"]) == ("control", POWER_W)
        assert setpoint["reason"]["code"] in ("load_takes", "load_surplus")

        async def is_shown() -> bool:
            return (await state(chain))["flow"]["loads_w"] == pytest.approx(POWER_W, abs=10.0)

        await until(is_shown, "the page shows what its meter tells")
        await chain.kill(GATEWAY)
        killed = time.monotonic()

        async def is_open() -> bool:
            return not (await load(chain, "pool_pump"))["closed"]

        await holds_by(is_open, killed + LEASE_S + 1.0 + DEVICE_S, "the relay is open")
