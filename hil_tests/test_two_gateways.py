"""A second gateway at the same broker only watches, and takes over when the first is gone."""

import json
import time

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


def second(chain: Chain) -> Program:
    """Another `zen run` on the same site file, with a store, a page and a time server of its own."""
    text = chain.run.site_file.read_text()
    for port in (chain.run.ports.page, chain.run.ports.time):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("store.sqlite", STORE)
    file = chain.folder / "second.toml"
    file.write_text(text)
    return Program(
        name="second",
        command=(*ZEN, "run", str(file)),
        folder=chain.folder,
        environment={**own_environment(), **chain.run.gateway_environment()},
        ready=JsonLine(key="ready"),
    )


async def test_the_second_one_watches_and_takes_over_when_the_first_is_killed(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings(house=QUIET)) as chain:
        await until_controlled(chain)
        child = await chain.processes.start(second(chain))
        started = time.monotonic()
        page = json.loads(child.output.read_text().splitlines()[0])["page"].rstrip("/")

        async def mode_of_second() -> str:
            setpoint = (await exchange(f"{page}/api/state")).json()["setpoint"]
            return f"{setpoint['mode']} {setpoint['reason']['code']}" if setpoint else "nothing"

        async def watches() -> bool:
            return await mode_of_second() == "watch second_gateway"

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
            return (await mode_of_second()).startswith("control")

        await until(controls, "the second one controls")
        taken_over = await decided_at(chain, "battery", 'mode="control"', killed, store=STORE)
        assert taken_over - killed <= 15
        assert await battery_mode_since(chain, "remote", taken_over) - taken_over <= 5
