"""A Linky's telegram as the only grid meter: read with the right sign, counted, told apart when it is ill."""

import time
from typing import Any

import pytest

from gateway.rig.chain import Chain, ChainSettings

from .conftest import (
    QUIET,
    OpenChain,
    battery_mode_since,
    decided_at,
    decisions,
    device,
    holds_by,
    house,
    state,
    until,
    until_battery,
    until_mode,
)
from .test_loads import ADDED, LOADS, NOON, wanted

LINKY = {
    "nodes": {"cellar": {"buses": {"tic": {"kind": "tic"}}}},
    "devices": {"grid": {"profile": "linky_standard", "bus": "tic", "unit": None}, "pv": {"peak_w": 20_000}},
}
# A roof that gives more than battery and house can take, so that the building injects until the test draws power.
BIG_ROOF = QUIET | {"pv": {"clouds": False, "kwp": 20, "inverter_limit_w": 20_000}}
IMPORT_WH, EXPORT_WH = 12_345_678, 2_345_678  # where the meter's counters begin
NAMES_OF_A_PERSON = (b"041876097811", b"19876543210987", b"PAS DE ")  # meter, delivery point, message of the house


async def value(chain: Chain, point: str) -> float | None:
    points = device(await state(chain), "grid")["points"]
    return next((one["value"] for one in points if one["name"] == point), None)


async def until_power(chain: Chain, sign: int) -> None:
    """The page shows the meter's apparent power (a fifth more is reactive: 1.02 times) with the sign of the house's."""

    async def fits() -> bool:
        power_w = await value(chain, "p_w")
        grid_w = (await house(chain, do="state"))["grid_w"]
        return power_w is not None and sign * grid_w > 1000 and abs(power_w - 1.0198 * grid_w) < 0.03 * abs(grid_w)

    await until(fits, f"the power of the grid with the sign {sign:+d}")


async def until_value(chain: Chain, point: str, wanted: float) -> None:
    """The page shows this value: a group that was damaged on a busy machine comes with the next telegram."""

    async def fits() -> bool:
        return await value(chain, point) == wanted

    await until(fits, f"{point} is {wanted:g}")


async def until_counter(chain: Chain, point: str, begin_wh: float, direction: str) -> None:
    """The page's counter lies between what the house had counted when we began to look and what it counts now."""
    before_wh = (await house(chain, do="state"))["energy_wh"][direction]
    assert before_wh > 1, "nothing flowed in this direction"

    async def fits() -> bool:
        shown_wh = await value(chain, point)
        now_wh = (await house(chain, do="state"))["energy_wh"][direction]
        return shown_wh is not None and before_wh - 1 <= shown_wh - begin_wh <= now_wh

    await until(fits, f"{point} follows the house")


def everything_written(chain: Chain) -> bytes:
    return b"".join(path.read_bytes() for path in chain.folder.rglob("*") if path.is_file() and path.suffix != ".py")


@pytest.mark.timeout(180)
async def test_a_telegram_is_the_grid_meter_of_the_whole_chain(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=BIG_ROOF, site=LINKY)) as chain:
        await until_power(chain, -1)
        await until_battery(chain, "remote")
        await until_counter(chain, "e_export_wh", EXPORT_WH, "export")
        await house(chain, do="step", w=30_000, seconds=None)
        await until_power(chain, +1)
        await until_counter(chain, "e_import_wh", IMPORT_WH, "import")
        await until_value(chain, "producer", 1.0)
        await house(chain, do="clear")
        silent = time.monotonic()
        await house(chain, do="fault", kind="TelegramGone")
        await until_mode(chain, "release")
        released = await decided_at(chain, "battery", 'mode="release"', silent)
        assert released - silent <= 20

        async def is_shown() -> bool:
            points = device(await state(chain), "grid")["points"]
            return [p["why"] for p in points if p["name"] == "p_w"] == ["timeout"]

        await holds_by(is_shown, released + 15, "the silence is told")
        assert await battery_mode_since(chain, "own", released) - released <= 5
        await house(chain, do="clear")
        await until_power(chain, -1)
        written = everything_written(chain)
        assert b"e_export_wh" in written
        for name in NAMES_OF_A_PERSON:
            assert name not in written


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "TelegramChecksums", "share": 0.1},
        pytest.param({"kind": "TelegramNoise", "flips": 0.002}, marks=pytest.mark.soak),
    ],
    ids=["checksums", "noise"],
)
async def test_an_ill_telegram_gives_right_values_or_none(chain_of: OpenChain, fault: dict[str, Any]) -> None:
    async with chain_of(ChainSettings(house=BIG_ROOF | {"linky": {"every_s": 0.8}}, site=LINKY)) as chain:
        await until_power(chain, -1)
        await house(chain, do="fault", **fault)
        seen: list[float] = []

        async def enough() -> bool:
            found = await value(chain, "e_export_wh")
            seen.extend([found] if found is not None and found not in seen else [])
            return len(seen) >= 3

        await until(enough, "three counts")
        now_wh = (await house(chain, do="state"))["energy_wh"]["export"]
        assert seen == sorted(seen)
        assert all(EXPORT_WH <= count <= EXPORT_WH + now_wh for count in seen)
        await house(chain, do="clear")
        await until_power(chain, -1)


async def test_a_telegram_in_the_mode_historique_is_read_as_well(chain_of: OpenChain) -> None:
    site = LINKY | {"devices": {"grid": {"profile": "linky_historique", "bus": "tic", "unit": None}}}
    dark = QUIET | {"pv": {"clouds": False, "kwp": 0}, "battery": {"soc": 0.05}, "linky": {"mode": "historique"}}
    async with chain_of(ChainSettings(house=dark, site=site)) as chain:
        await house(chain, do="step", w=4000, seconds=None)
        await until_power(chain, +1)
        await until_counter(chain, "e_import_peak_wh", round(0.6 * IMPORT_WH), "import")  # 12 h is in the day tariff
        await until_value(chain, "tariff", 2.0)


async def test_above_the_setting_of_a_three_phase_meter_loads_are_shed_and_the_battery_goes_on(
    chain_of: OpenChain,
) -> None:
    """Short frames with nothing but currents: 230 V times their sum is the power, a fiftieth above the true one."""
    car = LOADS["car"] | {"departure": "14:00"}  # it is short of time, and must charge now
    settings = wanted(
        NOON,
        house_={"pv": {"clouds": False, "kwp": 0}, "battery": {"soc": 0.9}}
        | {"linky": {"mode": "historique", "phases": 3, "subscribed_a": 20}},
        site={"nodes": LINKY["nodes"], "loads": {"car": car}}
        | {"devices": ADDED["site"]["devices"] | {"grid": {"profile": "linky_historique", "bus": "tic", "unit": None}}},
    )
    async with chain_of(settings) as chain:
        await house(chain, do="step", w=4_000, seconds=None)  # so that it never exports, which this meter does not tell

        async def charges() -> bool:
            shown = await house(chain, do="state")
            return shown["loads"]["car"]["power_w"] > 1000 and shown["battery_w"] < -4500

        await until_battery(chain, "remote")
        await until(charges, "the car charges and the battery gives all it can")
        begun = time.monotonic()
        await house(chain, do="step", w=12_000, seconds=None)

        async def is_shed() -> bool:
            return (await house(chain, do="state"))["loads"]["car"]["setpoint_a"] == 0.0

        await until(is_shed, "the car is shed")
        assert any(",p_set_w=0.0" in line for at, line in decisions(chain, "car") if at > begun)

        async def is_told() -> bool:
            grid_w = (await house(chain, do="state"))["grid_w"]
            power_w = await value(chain, "p_w")
            parts_w = [await value(chain, f"p_l{phase}_w") for phase in (1, 2, 3)]
            if power_w is None or None in parts_w or await value(chain, "p_from_current") != 1:
                return False
            return power_w == sum(part_w for part_w in parts_w if part_w) and abs(power_w - 1.02 * grid_w) < 500

        await until(is_told, "the power of the currents")
        seen = decisions(chain, "battery")

        async def a_while() -> bool:
            return len(decisions(chain, "battery")) > len(seen) + 10

        await until(a_while, "ten more decisions")
        modes = {
            line.partition('mode="')[2].partition('"')[0] for at, line in decisions(chain, "battery") if at > begun
        }
        assert modes <= {"control", "hold"}
        assert (await house(chain, do="state"))["battery_w"] < -4500
