"""Whatever is lost, the battery is back in its own mode within the lease, and no sample is lost or doubled."""

import asyncio
from itertools import pairwise

import pytest

from gateway.rig.chain import Wanted

from .conftest import (
    QUIET,
    OpenChain,
    device,
    house,
    state,
    status,
    stored_lines,
    until,
    until_battery,
    until_controlled,
)

LEASE_S = 10  # config/demo/site.toml
CYCLE_S = 1.25


def stored_samples(chain) -> tuple[int, int]:
    """(samples in the store, distinct ones): each stored line names its series and its moment."""
    keys = []
    for line in stored_lines(chain):
        if line.startswith(("meter,", "pv,", "battery,")):
            head, body, moment = line.split(" ")
            keys += [(head, pair.split("=")[0], moment) for pair in body.split(",")]
    return len(keys), len(set(keys))


async def test_a_stopped_gateway_gives_the_battery_back_first(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        assert await chain.stop("gateway") == 0
        assert (await house(chain, do="state"))["battery_mode"] == "own"


async def test_a_killed_gateway_gives_the_battery_back_within_the_lease(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        await chain.kill("gateway")
        assert await until_battery(chain, "own", LEASE_S + CYCLE_S) <= LEASE_S + CYCLE_S
        await chain.start("gateway")
        await until_battery(chain, "remote", 20)


async def test_a_frozen_gateway_gives_the_battery_back_within_the_lease(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        chain.pause("gateway")
        await until_battery(chain, "own", LEASE_S + CYCLE_S)
        chain.resume("gateway")
        await until_battery(chain, "remote", 20)


@pytest.mark.soak
@pytest.mark.timeout(240)
async def test_a_minute_without_a_broker_costs_no_sample(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        await chain.kill("broker")
        await asyncio.sleep(60)  # the outage itself
        await chain.start("broker")
        await until_controlled(chain)
        await asyncio.sleep(25)
        node = (await status(chain))["nodes"]["cellar"]
        assert (node["lost"], node["undatable"]) == (0, 0)
        await chain.stop("gateway")
        total, distinct = stored_samples(chain)
        assert total == distinct > 100
        moments = grid_moments(chain)
    # the meter is polled each second: without a hole no two samples are further apart than that and its jitter
    assert max(b - a for a, b in pairwise(moments)) < 1500


@pytest.mark.timeout(180)
async def test_a_killed_broker_costs_no_sample_and_no_more_than_5_s(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        for _ in range(3):
            before = (await status(chain))["nodes"]["cellar"]["received"]
            await chain.kill("broker")
            await asyncio.sleep(2)  # an outage, not a race
            await chain.start("broker")

            async def received(count: int = before + 5) -> bool:
                return (await status(chain))["nodes"]["cellar"]["received"] > count

            await until(received, 5, "both sides are back and samples flow")
        await asyncio.sleep(12)  # what was acknowledged but not stored comes again after ten seconds
        node = (await status(chain))["nodes"]["cellar"]
        assert node["lost"] == 0
        assert node["sent"] == node["received"]
        await chain.stop("gateway")
        total, distinct = stored_samples(chain)
        assert total == distinct > 100


@pytest.mark.timeout(180)
async def test_a_killed_gateway_costs_no_sample(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        for _ in range(3):
            await asyncio.sleep(2)
            await chain.kill("gateway")
            await chain.start("gateway")
        await until_controlled(chain)
        await asyncio.sleep(12)
        node = (await status(chain))["nodes"]["cellar"]
        assert node["lost"] == 0
        await chain.stop("gateway")
        moments = grid_moments(chain)
    # the meter is polled each second: without a hole no two samples are further apart than that and its jitter
    assert max(b - a for a, b in pairwise(moments)) < 1500


def grid_moments(chain) -> list[int]:
    """Moments (ms) of all stored grid powers, each once."""
    lines = [line.split(" ") for line in stored_lines(chain) if line.startswith("meter,device=grid")]
    return sorted({int(moment) for _, body, moment in lines if "p_w=" in body and "f_hz" not in body})


async def test_a_killed_node_shows_its_devices_as_stale_within_three_periods(chain_of: OpenChain) -> None:
    async with chain_of(Wanted(house=QUIET)) as chain:
        await until_controlled(chain)
        await chain.kill("node")

        async def stale() -> bool:
            shown = await state(chain)
            return all(device(shown, name)["quality"] == "stale" for name in ("grid", "pv", "battery"))

        assert await until(stale, 3 + 0.5 + CYCLE_S + 0.5, "all devices are stale") > 0
        await chain.start("node")

        async def good() -> bool:
            return device(await state(chain), "grid")["quality"] == "good"

        await until(good, 20, "the grid meter is reported again")
