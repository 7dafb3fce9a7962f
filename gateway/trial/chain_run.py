"""A scenario on real parts: simulated house, broker, nodes on their interpreter, and the gateway, each a program."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.rig.chain import Chain, ChainSettings, open_chain
from gateway.rig.part import Machine
from gateway.rig.processes import ProgramError
from gateway.rig.programs import BROKER, DATABASE, GATEWAY, NODE
from gateway.rig.report import get_json
from gateway.rig.toml_text import toml
from gateway.simulator.fault import Fault
from gateway.trial.progress import Tell, unseen
from gateway.trial.scenario.events import (
    BrokerStopped,
    CarPlugged,
    CarUnplugged,
    DatabaseDown,
    Event,
    GatewayFrozen,
    GatewayKilled,
    GatewayStopped,
    LoadStep,
    NodeHung,
    NodeWithoutPower,
    StoreSpoiled,
    WaterDrawn,
)
from gateway.trial.scenario.expectation import Row
from gateway.trial.scenario.happenings import Happening
from gateway.trial.scenario.quantities import belief, truth
from gateway.trial.scenario.scenario_file import Scenario

Ask = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""One request to the house; its answer."""
Do = Callable[[Chain, Any], Awaitable[object]]
SPOILED_BYTES = 4096


class HouseRefusedError(Exception):
    """The house does not do what was asked."""


async def run(scenario: Scenario, folder: Path, progress: Tell = unseen) -> list[Row]:
    """One row for each second, from the moment when all parts are ready.

    Raises PartsMissingError and ProgramError when they cannot be started, OSError when the house does not answer.
    """
    for name, table in (("house", scenario.house), ("site", scenario.site)):
        (folder / f"scenario-{name}.toml").write_text(toml(table), encoding="utf-8")
    for beside in ("devices", "tariffs"):  # own profiles and price lists
        if (scenario.path.parent / beside).is_dir():
            shutil.copytree(scenario.path.parent / beside, folder / beside)
    settings = ChainSettings(
        house_file=folder / "scenario-house.toml",
        site_file=folder / "scenario-site.toml",
        database=any(isinstance(one.what, DatabaseDown) for one in scenario.happenings),
        clock_offset_s=_clock_offset_s(scenario),
    )
    async with open_chain(settings, machine=Machine(), folder=folder) as chain:
        watched = Watched(ask=chain.house_request, page=lambda: get_json(f"{chain.page_address}/api/state"))
        return await live(scenario, watched, chain, progress)


class Watched:
    """A house and a page that can be asked; the page may be away."""

    def __init__(self, *, ask: Ask, page: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self._ask = ask
        self._page = page

    async def house(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One request to the house. Raises HouseRefusedError, OSError."""
        answer = await self._ask(request)
        if "error" in answer:
            raise HouseRefusedError(f"{request}: {answer['error']}")
        return answer

    async def row(self, begun_s: float) -> Row:
        """The house and the page now; `begun_s` is the start of the run on the house's clock."""
        house = await self.house({"do": "state"})
        shown: Mapping[str, Any] | None = None
        with contextlib.suppress(OSError, ValueError):
            shown = await self._page()
        return {
            "t": round(house["monotonic"] - begun_s, 2),
            **truth(house),
            **(belief(shown) if shown is not None else {}),
        }


async def live(scenario: Scenario, watched: Watched, chain: Chain | None, progress: Tell) -> list[Row]:
    """The seconds of a run that has begun; without a chain nothing is started or stopped."""
    begun_s = (await watched.house({"do": "state"}))["monotonic"]
    start_s = time.monotonic()
    rows: list[Row] = []
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_happen(one, watched, chain, start_s), name=type(one.what).__name__)
            for one in scenario.happenings
        ]
        for second in range(1, round(scenario.run.seconds) + 1):
            await asyncio.sleep(max(start_s + second - time.monotonic(), 0.0))
            rows.append(await watched.row(begun_s))
            progress(float(second))
        for task in tasks:
            task.cancel()
    return rows


async def _happen(one: Happening, watched: Watched, chain: Chain | None, start_s: float) -> None:
    """Let it happen at its moment, and end when it is over."""
    await asyncio.sleep(max(start_s + one.at_s - time.monotonic(), 0.0))
    request = request_of(one.what)
    if request is not None:
        await watched.house(request)
        return
    assert chain is not None and isinstance(one.what, Event)  # noqa: S101, PT018 - else the file was refused
    begin, end = PROCESSES[type(one.what)]
    await begin(chain, one.what)
    if one.until_s is not None:
        await asyncio.sleep(max(start_s + one.until_s - time.monotonic(), 0.0))
        with contextlib.suppress(ProgramError):  # what does not start again is seen in the expectations
            await end(chain, one.what)


def request_of(what: Fault | Event) -> dict[str, Any] | None:
    """What the house is asked for; None for what befalls a program."""
    match what:
        case Fault():
            values = {field.name: getattr(what, field.name) for field in fields(what)}
            return {"do": "fault", "kind": type(what).__name__, **values}
        case LoadStep():
            return {"do": "step", "w": what.w, "seconds": what.for_s}
        case CarPlugged():
            return {"do": "plug", "soc": what.soc}
        case CarUnplugged():
            return {"do": "unplug"}
        case WaterDrawn():
            return {"do": "draw", "litres": what.litres, "seconds": what.for_s}
        case _:
            return None


def _clock_offset_s(scenario: Scenario) -> float:
    """From this machine's clock to the building's."""
    clock = scenario.config.clock
    return (clock.start.replace(tzinfo=ZoneInfo(clock.time_zone)) - datetime.now(UTC)).total_seconds()


def _nodes(chain: Chain, what: NodeWithoutPower | NodeHung) -> list[str]:
    """Programs of the nodes that are meant."""
    names = {node: NODE if place == 0 else f"{NODE}-{node}" for place, node in enumerate(chain.run.nodes)}
    return list(names.values()) if what.node is None else [names[what.node]]


async def _kill_nodes(chain: Chain, what: Any) -> None:
    for name in _nodes(chain, what):
        await chain.kill(name)


async def _start_nodes(chain: Chain, what: Any) -> None:
    for name in _nodes(chain, what):
        await chain.start(name)


async def _pause_nodes(chain: Chain, what: Any) -> None:
    for name in _nodes(chain, what):
        chain.pause(name)


async def _resume_nodes(chain: Chain, what: Any) -> None:
    for name in _nodes(chain, what):
        chain.resume(name)


async def _pause_gateway(chain: Chain, _what: Any) -> None:
    chain.pause(GATEWAY)


async def _resume_gateway(chain: Chain, _what: Any) -> None:
    chain.resume(GATEWAY)


async def _spoil_store(chain: Chain, what: StoreSpoiled) -> None:
    await chain.stop(GATEWAY)
    for file in chain.folder.glob("store.sqlite-*"):
        file.unlink()
    store = chain.folder / "store.sqlite"
    size = store.stat().st_size
    with store.open("r+b") as opened:
        if what.how == "truncated":
            opened.truncate(size // 2)
        else:
            opened.write(b"no database " * (SPOILED_BYTES // 12))
    with contextlib.suppress(ProgramError):
        await chain.start(GATEWAY)


async def _nothing(_chain: Chain, _what: Any) -> None:
    """It ends by itself."""


PROCESSES: Mapping[type[Event], tuple[Do, Do]] = {
    NodeWithoutPower: (_kill_nodes, _start_nodes),
    NodeHung: (_pause_nodes, _resume_nodes),
    BrokerStopped: (lambda chain, _: chain.kill(BROKER), lambda chain, _: chain.start(BROKER)),
    GatewayKilled: (lambda chain, _: chain.kill(GATEWAY), lambda chain, _: chain.start(GATEWAY)),
    GatewayStopped: (lambda chain, _: chain.stop(GATEWAY), lambda chain, _: chain.start(GATEWAY)),
    GatewayFrozen: (_pause_gateway, _resume_gateway),
    DatabaseDown: (lambda chain, _: chain.kill(DATABASE), lambda chain, _: chain.start(DATABASE)),
    StoreSpoiled: (_spoil_store, _nothing),
}
"""How each begins and ends."""
