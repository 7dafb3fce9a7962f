"""A second gateway at the same broker only watches, and takes over when the first is gone."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing

import pytest

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.exchange import exchange
from gateway.rig.processes import Program
from gateway.rig.readiness import JsonLine
from gateway.rig.zen_command import ZEN, own_environment

from .conftest import (
    QUIET,
    OpenChain,
    battery_mode_since,
    decided_at,
    holds_by,
    state,
    status,
    until,
    until_controlled,
)

STORE = "second.sqlite"
SECONDS = 8.0  # of them, within which one controls: a quarrel over one name included
STAYS_S = 12.0  # who commands says so every ten


def second(chain: Chain, *, clock_offset_s: int = 0) -> Program:
    """Another `zen run` on the same site file, with a store, a page and a time server of its own."""
    text = chain.run.site_file.read_text()
    for port in (chain.run.ports.page, chain.run.ports.time):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("store.sqlite", STORE)
    file = chain.folder / "second.toml"
    file.write_text(text)
    return Program(
        name="second",
        command=(*ZEN, "run", str(file), f"--clock-offset-s={clock_offset_s}"),
        folder=chain.folder,
        environment={**own_environment(), **chain.run.gateway_environment()},
        ready=JsonLine(key="ready"),
    )


def copy_store(chain: Chain) -> None:
    """What a copied card holds, taken while the first gateway runs."""
    with (
        closing(sqlite3.connect(chain.folder / "store.sqlite")) as ours,
        closing(sqlite3.connect(chain.folder / STORE)) as copy,
    ):
        ours.backup(copy)


async def mode_of(page: str) -> str:
    """What a gateway shows of the battery: the mode and its reason."""
    setpoint = (await exchange(f"{page}/api/state")).json()["setpoint"]
    return f"{setpoint['mode']} {setpoint['reason']['code']}" if setpoint else "nothing"


class Pair:
    """The chain's gateway and another one beside it."""

    def __init__(self, chain: Chain, program: Program) -> None:
        self.chain, self.program = chain, program

    async def start_second(self) -> None:
        self.child = await self.chain.processes.start(self.program)
        self.page = json.loads(self.child.output.read_text().splitlines()[-1])["page"].rstrip("/")

    async def who(self) -> str:
        """`first` or `second` when that one controls and the other watches and says why; else both modes."""
        modes = [await mode_of(self.chain.page_address), await mode_of(self.page)]
        for name, (ours, theirs) in (("first", modes), ("second", modes[::-1])):
            if ours.startswith("control") and theirs == "watch second_gateway":
                return name
        return " / ".join(modes)

    async def settles(self, what: str) -> str:
        """Who controls: exactly one within seconds, and for as long as another one may be silent the same one."""
        begun = changed = time.monotonic()
        found = ""
        while time.monotonic() < changed + STAYS_S:
            asked, now = time.monotonic(), await self.who()
            if now != found or now not in ("first", "second"):
                found, changed = now, time.monotonic()
                assert asked <= begun + SECONDS, f"{what}: {found}"
            await asyncio.sleep(0.3)
        assert await battery_mode_since(self.chain, "remote", begun + SECONDS) == begun + SECONDS, what
        return found


@pytest.mark.timeout(180)
async def test_of_two_gateways_exactly_one_controls_though_the_clock_of_one_is_an_hour_behind(
    chain_of: OpenChain,
) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        pair = Pair(chain, second(chain, clock_offset_s=-3600))
        await pair.start_second()
        assert await pair.settles("at the start") == "first"
        await chain.kill("gateway")

        async def controls() -> bool:
            return (await mode_of(pair.page)).startswith("control")

        await until(controls, "the second one controls")
        await chain.start("gateway")
        assert await pair.settles("after a restart of the first") == "second"
        orders = (await exchange(f"{pair.page}/api/status")).json()["orders"]
        assert (orders["refused"], orders["failed"]) == (0, 0)


@pytest.mark.timeout(180)
async def test_of_a_card_and_its_copy_exactly_one_controls(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        copy_store(chain)
        pair = Pair(chain, second(chain))
        await pair.start_second()
        assert await pair.settles("at the start") == "first"
        await chain.restart("broker")
        assert await pair.settles("after a restart of the broker") == "first"
        await pair.child.kill()
        await pair.start_second()
        assert await pair.settles("after a restart of the copy") == "first"
        orders = (await status(chain))["orders"]
        assert (orders["refused"], orders["failed"]) == (0, 0)


async def test_the_second_one_watches_and_takes_over_when_the_first_is_killed(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        pair = Pair(chain, second(chain))
        await pair.start_second()
        started = time.monotonic()

        async def watches() -> bool:
            return await mode_of(pair.page) == "watch second_gateway"

        await holds_by(watches, started + 10, "the second one only watches")
        asked = time.monotonic()
        before = (await status(chain))["orders"]["sent"]

        async def goes_on() -> bool:
            return (await status(chain))["orders"]["sent"] > before + 5

        await holds_by(goes_on, asked + 12, "the first one goes on")
        assert await watches()
        assert (await status(chain))["orders"]["refused"] == 0
        assert (await state(chain))["setpoint"]["mode"] == "control"
        killed = time.monotonic()
        await chain.kill("gateway")

        async def controls() -> bool:
            return (await mode_of(pair.page)).startswith("control")

        await until(controls, "the second one controls")
        taken_over = await decided_at(chain, "battery", 'mode="control"', killed, store=STORE)
        assert taken_over - killed <= 15
        assert await battery_mode_since(chain, "remote", taken_over) - taken_over <= 5
