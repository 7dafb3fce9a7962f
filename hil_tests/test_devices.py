"""What a device does wrong is an absence with its reason, seen on the page; it is never a number."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.zen_command import config_folder

from .conftest import (
    QUIET,
    OpenChain,
    battery_mode_since,
    decided_at,
    device,
    holds_by,
    house,
    state,
    until,
    until_battery,
    until_controlled,
    until_mode,
)

CLOUD: dict[str, Any] = {"seed": 96, "pv": {"clouds": True}}
"""The first cloud comes 24 s after the start, for 33 s, and lets a sixth of the beam through."""


async def shows_why(chain: Chain, name: str, point: str, why: str, by: float) -> None:
    """By this moment the page shows this reason for the absence of a point."""

    async def shown() -> bool:
        points = {p["name"]: p for p in device(await state(chain), name)["points"]}
        return point in points and points[point]["why"] == why and points[point]["value"] is None

    await holds_by(shown, by, f"{name}.{point} is absent: {why}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("kind", "held", "released"), [("MeterGone", "wait", "lost_meter"), ("MeterFrozen", "frozen_wait", "frozen_meter")]
)
async def test_a_meter_that_is_gone_or_frozen_is_held_then_released(
    chain_of: OpenChain, kind: str, held: str, released: str
) -> None:
    async with chain_of(ChainSettings(house=QUIET | CLOUD)) as chain:
        await until_controlled(chain)
        clear_w = (await house(chain, do="state"))["pv_w"]

        async def sun_moves() -> bool:
            return abs((await house(chain, do="state"))["pv_w"] - clear_w) > 50.0

        if kind == "MeterFrozen":  # something that is seen must move for a frozen number to be seen as frozen
            await until(sun_moves, "the rim of the first cloud, which then comes within 10 s", patience_s=90)
        begun = time.monotonic()
        await house(chain, do="fault", kind=kind)
        await house(chain, do="step", w=1500, seconds=None)  # the world moves on, the meter does not show it

        async def is_held() -> bool:
            setpoint = (await state(chain))["setpoint"]
            return setpoint["mode"] == "hold" and setpoint["reason"]["code"] == held

        await until(is_held, f"the set-point is held: {held}")
        await until_mode(chain, "release")
        assert (await state(chain))["setpoint"]["reason"]["code"] == released
        held_at = await decided_at(chain, "battery", f'reason="{held}"', begun)
        assert held_at - begun <= 20
        given_back = await decided_at(chain, "battery", f'reason="{released}"', held_at)
        assert given_back - held_at <= 20
        assert await battery_mode_since(chain, "own", given_back) - given_back <= 5
        await house(chain, do="clear")
        await until_battery(chain, "remote")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": "WrongCount", "device": "meter"}, "wrong_reply"),
        ({"kind": "WrongFunction", "device": "meter"}, "wrong_reply"),
        ({"kind": "WrongCount", "device": "battery"}, "wrong_reply"),
        ({"kind": "WrongFunction", "device": "pv"}, "wrong_reply"),
    ],
)
async def test_a_wrong_answer_is_no_value(chain_of: OpenChain, fault: dict[str, Any], why: str) -> None:
    name = {"meter": "grid", "pv": "pv", "battery": "battery"}[fault["device"]]
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        begun = time.monotonic()
        await house(chain, do="fault", **fault)
        await shows_why(chain, name, "p_w", why, begun + 10)
        ended = time.monotonic()
        await house(chain, do="clear")

        async def back() -> bool:
            return device(await state(chain), name)["quality"] == "good"

        await holds_by(back, ended + 20, "the device is good again")


async def test_a_not_available_value_is_absent_and_not_a_number(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        begun = time.monotonic()
        await house(chain, do="fault", kind="NanSentinel", device="battery", point="soc_pct")
        await shows_why(chain, "battery", "soc", "nan", begun + 15)
        begun = time.monotonic()
        await house(chain, do="fault", kind="NanSentinel", device="pv", point="active_power_w")
        await shows_why(chain, "pv", "p_w", "nan", begun + 10)
        assert (await state(chain))["flow"]["pv_w"] is None


@pytest.mark.parametrize("name", ["eastron_sdm630", "sma_sunny_boy_storage"])
async def test_swapped_words_in_a_profile_give_no_number_at_all(chain_of: OpenChain, tmp_path: Path, name: str) -> None:
    profile = json.loads((config_folder() / "devices" / f"{name}.json").read_text())
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / f"{name}.json").write_text(json.dumps(profile | {"word_order": "little"}))
    shown_as = "grid" if name == "eastron_sdm630" else "battery"
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await shows_why(chain, shown_as, "f_hz", "implausible", time.monotonic() + 20)
        for _ in range(20):
            points = device(await state(chain), shown_as)["points"]
            assert [p for p in points if p["value"] is not None] == []
            await asyncio.sleep(0.3)
        assert (await state(chain))["setpoint"]["mode"] == "watch"
        assert (await house(chain, do="state"))["battery_mode"] == "own"


async def test_a_battery_that_refuses_is_reported_and_stays_in_its_own_mode(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        begun = time.monotonic()
        await house(chain, do="fault", kind="BatteryRefuses")

        async def failed() -> bool:
            log = (chain.folder / "gateway.log").read_text()  # refused where even its own mode could not be written
            return "failed: device" in log or "refused: device" in log

        await holds_by(failed, begun + 20, "the gateway's log names the refusal")
        assert (await house(chain, do="state"))["battery_mode"] == "own"
