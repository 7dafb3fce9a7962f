"""A second gateway at the same broker only watches, and takes over when the first is gone."""

import json

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.exchange import exchange
from gateway.rig.processes import Program
from gateway.rig.readiness import JsonLine
from gateway.rig.zen_command import ZEN, own_environment

from .conftest import QUIET, OpenChain, state, status, until, until_battery, until_controlled


def second(chain: Chain) -> Program:
    """Another `zen run` on the same site file, with a store, a page and a time server of its own."""
    text = chain.run.site_file.read_text()
    for port in (chain.run.ports.page, chain.run.ports.time):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("store.sqlite", "second.sqlite")
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
        page = json.loads(child.output.read_text().splitlines()[0])["page"].rstrip("/")

        async def mode_of_second() -> str:
            setpoint = (await exchange(f"{page}/api/state")).json()["setpoint"]
            return f"{setpoint['mode']} {setpoint['reason']['code']}" if setpoint else "nothing"

        async def watches() -> bool:
            return await mode_of_second() == "watch second_gateway"

        await until(watches, "the second one only watches")
        before = (await status(chain))["orders"]["sent"]

        async def goes_on() -> bool:
            return (await status(chain))["orders"]["sent"] > before + 5

        await until(goes_on, "the first one goes on")
        assert await watches()
        assert (await status(chain))["orders"]["refused"] == 0
        assert (await state(chain))["setpoint"]["mode"] == "control"
        await chain.kill("gateway")

        async def controls() -> bool:
            return (await mode_of_second()).startswith("control")

        await until(controls, "the second one controls")
        await until_battery(chain, "remote")
