"""A wired bench: where its house and its page answer. Nothing there is started or stopped.

house = "192.168.1.20:15999"      # control line of the simulated house
page = "http://192.168.1.21:8080"
headers = { Authorization = "Bearer ..." }   # where the page wants one
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.mistakes import Mistake, MistakesError, read_toml, shown, validated
from gateway.rig.exchange import exchange
from gateway.simulator.settings.keys import Endpoint
from gateway.trial.chain_run import Watched, live
from gateway.trial.progress import Tell, unseen
from gateway.trial.scenario.expectation import Row
from gateway.trial.scenario.scenario_file import Scenario

ANSWERS_WITHIN_S = 5.0
LONGEST_LINE = 1 << 24


class Bench(BaseModel):
    """A bench file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    house: Endpoint
    page: Annotated[str, Field(pattern=r"^http://[^/\s]+(:\d+)?/?$")]
    headers: dict[str, str] = Field(default_factory=dict)


def read_bench(path: Path) -> Bench:
    """The bench in a file. Raises MistakesError."""
    raw = read_toml(path, example="docs/trial.md")
    if isinstance(raw, Mistake):
        raise MistakesError(path, [raw])
    bench, mistakes = validated(Bench, raw)
    if bench is None:
        raise MistakesError(path, mistakes)
    return bench


async def run(scenario: Scenario, bench: Bench, progress: Tell = unseen) -> list[Row]:
    """One row for each second from now on.

    Raises MistakesError when another building is wired than the scenario's, OSError when nobody answers.
    """
    watched = Watched(ask=lambda request: _ask(bench.house, request), page=lambda: _page(bench))
    _fits(scenario, await _page(bench))
    await watched.house({"do": "clear"})
    try:
        return await live(scenario, watched, None, progress)
    finally:
        await watched.house({"do": "clear"})


def _fits(scenario: Scenario, page: Mapping[str, Any]) -> None:
    """The devices on the bench are those of the scenario's site."""
    there, wanted = [device["id"] for device in page["devices"]], list(scenario.file.devices)
    if set(there) != set(wanted):
        mistake = Mistake(path="site.devices", found=shown(wanted), allowed=f"the devices of the bench: {shown(there)}")
        raise MistakesError(scenario.path, [mistake])


async def _page(bench: Bench) -> Mapping[str, Any]:
    answer = await exchange(f"{bench.page.rstrip('/')}/api/state", headers=bench.headers)
    found: Mapping[str, Any] = answer.json()
    return found


async def _ask(address: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        reader, writer = await asyncio.open_connection(host, int(port), limit=LONGEST_LINE)
        try:
            writer.write(json.dumps(dict(request)).encode() + b"\n")
            answer: Mapping[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
    return answer
