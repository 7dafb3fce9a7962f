"""Whatever is lost, the battery is back in its own mode within the lease, and no sample is lost or doubled."""

import asyncio
import time
from itertools import pairwise

import pytest

from gateway.rig.chain import Chain, ChainSettings

from .conftest import (
    QUIET,
    TEN_MINUTES,
    OpenChain,
    battery_mode_since,
    device,
    holds_by,
    house,
    state,
    status,
    stored_lines,
    until,
    until_battery,
    until_controlled,
    utc_ahead_s,
)

LEASE_S = 10  # config/demo/site.toml
CYCLE_S = 1.25


def stored_samples(chain: Chain) -> tuple[int, int]:
    """(samples in the store, distinct ones): each stored line names its series and its moment."""
    keys = []
    for line in stored_lines(chain):
        if line.startswith(("grid,", "phase,", "pv,", "battery,")):
            head, body, moment = line.split(" ")
            keys += [(head, pair.split("=")[0], moment) for pair in body.split(",")]
    return len(keys), len(set(keys))


async def test_a_stopped_gateway_gives_the_battery_back_first(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        assert await chain.stop("gateway") == 0
        assert (await house(chain, do="state"))["battery_mode"] == "own"


async def test_a_killed_gateway_gives_the_battery_back_within_the_lease(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        killed = time.monotonic()
        await chain.kill("gateway")
        assert await battery_mode_since(chain, "own", killed) - killed <= LEASE_S + CYCLE_S
        await chain.start("gateway")
        await until_battery(chain, "remote")


async def test_a_frozen_gateway_gives_the_battery_back_within_the_lease(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        frozen = time.monotonic()
        chain.pause("gateway")
        assert await battery_mode_since(chain, "own", frozen) - frozen <= LEASE_S + CYCLE_S
        chain.resume("gateway")
        await until_battery(chain, "remote")


@pytest.mark.soak
@pytest.mark.parametrize("seconds", [pytest.param(60, marks=pytest.mark.timeout(240), id="a minute"), TEN_MINUTES])
async def test_a_long_time_without_a_broker_costs_no_sample(chain_of: OpenChain, seconds: int) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        await chain.kill("broker")
        await asyncio.sleep(seconds)  # the outage itself
        await chain.start("broker")
        await until_controlled(chain)
        await until(lambda: is_complete(chain), "what the node has kept has come", patience_s=120)
        node = (await status(chain))["nodes"]["cellar"]
        assert (node["lost"], node["undatable"]) == (0, 0)
        await chain.stop("gateway")
        total, distinct = stored_samples(chain)
        assert total == distinct > 100
        moments = grid_moments(chain)
    # the meter is polled each second: without a hole no two samples are further apart than that and its jitter
    assert max(b - a for a, b in pairwise(moments)) < 1500
    assert moments[-1] - moments[0] > 1000 * seconds


@pytest.mark.timeout(180)
async def test_a_killed_broker_costs_no_sample_and_no_more_than_5_s(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        for _ in range(3):
            before = (await status(chain))["nodes"]["cellar"]["received"]
            await chain.kill("broker")
            await asyncio.sleep(2)  # an outage, not a race
            await chain.start("broker")
            started = time.monotonic()

            async def received(count: int = before + 5) -> bool:
                return (await status(chain))["nodes"]["cellar"]["received"] > count

            await holds_by(received, started + 5, "both sides are back and samples flow")
        await until(lambda: is_complete(chain), "what was acknowledged but not stored has come again")
        await chain.stop("gateway")
        total, distinct = stored_samples(chain)
        assert total == distinct > 100


async def is_complete(chain: Chain) -> bool:
    """All that the node has sent has arrived and is stored."""
    node = (await status(chain))["nodes"]["cellar"]
    assert node["lost"] == 0
    return node["sent"] == node["received"] and stored_samples(chain)[0] > 100


@pytest.mark.timeout(180)
async def test_a_killed_gateway_costs_no_sample(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        unanswered_before = await unanswered_polls(chain)
        begun_ms = 1000 * (time.monotonic() + utc_ahead_s(chain))
        for _ in range(3):
            await asyncio.sleep(2)
            await chain.kill("gateway")
            await chain.start("gateway")
        await until_controlled(chain)
        await until(lambda: is_complete(chain), "what was acknowledged but not stored has come again")
        ended_ms = 1000 * (time.monotonic() + utc_ahead_s(chain))
        unanswered = await unanswered_polls(chain) - unanswered_before
        await chain.stop("gateway")
        gaps = [b - a for a, b in pairwise(grid_moments(chain)) if begun_ms < b <= ended_ms]
    # The meter is polled each second: without a hole no two samples are further apart than that and its jitter.
    assert len([gap for gap in gaps if gap >= 1500]) <= unanswered
    assert max(gaps) < 1500 + 1000 * unanswered


async def unanswered_polls(chain: Chain) -> int:
    """How often the meter did not answer in time, as the node counts it in its next report: then no sample is lost."""
    before = (await status(chain))["nodes"]["cellar"]["health"].get("uptime_s")
    units: list[list[int]] = []

    async def is_shown() -> bool:
        health = (await status(chain))["nodes"]["cellar"]["health"]
        units[:] = health.get("units", [])
        return bool(units) and health["uptime_s"] != before

    await until(is_shown, "the node's counts of its units")
    good, *others, _ = units[0]
    assert good > 0
    return sum(others)


def grid_moments(chain: Chain) -> list[int]:
    """Moments (ms) of all stored grid powers, each once."""
    lines = [line.split(" ") for line in stored_lines(chain) if line.startswith("grid,")]
    return sorted({int(moment) for _, body, moment in lines if "p_w=" in body and "f_hz" not in body})


async def test_a_killed_node_shows_its_devices_as_stale_within_three_periods(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        await chain.kill("node")
        killed = time.monotonic()

        async def stale() -> bool:
            shown = await state(chain)
            return all(device(shown, name)["quality"] == "stale" for name in ("grid", "pv", "battery"))

        await holds_by(stale, killed + 3 + 0.5 + CYCLE_S + 0.5, "all devices are stale")
        await chain.start("node")

        async def good() -> bool:
            return device(await state(chain), "grid")["quality"] == "good"

        await until(good, "the grid meter is reported again")
