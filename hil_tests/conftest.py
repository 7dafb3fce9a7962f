"""The whole chain for a test: real broker, interpreter, sockets, serial line; and how to look at it from outside."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.rig.chain import Chain, Wanted, open_chain
from gateway.rig.part import Machine, Part
from gateway.rig.report import get_json

QUIET = {"pv": {"clouds": False}, "load": {"kettle_every_s": 0, "appliances": False}}
"""A building in which nothing moves unless the test moves it."""

TEN_MINUTES_S = 600
TEN_MINUTES = pytest.param(TEN_MINUTES_S, marks=[pytest.mark.soak, pytest.mark.timeout(900)], id="ten minutes")

Prepare = Callable[[Chain], Awaitable[None]]


class OpenChain(Protocol):
    """`async with chain_of(Wanted(...)) as chain:` with the real broker."""

    def __call__(self, wanted: Wanted, *, prepare: Prepare | None = None) -> AbstractAsyncContextManager[Chain]:
        """`prepare` finds all files written and nothing started."""
        ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs real parts."""
    for item in items:
        item.add_marker("hil")


@pytest.fixture
def chain_of(part: Callable[[str], Part], tmp_path: Path) -> OpenChain:
    """A chain with the real broker.

    Without a tariff unless the test asks for one: then the plan is the plain rule.
    """
    for name in ("mosquitto", "micropython"):
        part(name)

    @asynccontextmanager
    async def opened(wanted: Wanted, *, prepare: Prepare | None = None) -> AsyncIterator[Chain]:
        wanted = replace(wanted, site={"tariff": None, **wanted.site})
        async with open_chain(wanted, machine=Machine(), folder=tmp_path, start=False) as chain:
            if prepare is not None:
                await prepare(chain)
            await chain.start_all()
            yield chain

    return opened


async def state(chain: Chain) -> dict[str, Any]:
    """What the page shows."""
    return await get_json(f"{chain.page_address}/api/state")


async def status(chain: Chain) -> dict[str, Any]:
    """The gateway's own figures."""
    return await get_json(f"{chain.page_address}/api/status")


async def house(chain: Chain, **request: Any) -> dict[str, Any]:
    """One request to the house."""
    answer = await chain.house_request(request)
    assert "error" not in answer, answer
    return answer


async def until(check: Callable[[], Awaitable[Any]], within_s: float, what: str) -> float:
    """Ask again and again until the answer is true; the seconds it took. Fails with `what` after `within_s`."""
    begun = time.monotonic()
    while not await check():
        if time.monotonic() - begun > within_s:
            pytest.fail(f"not within {within_s} s: {what}")
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def until_controlled(chain: Chain) -> None:
    """The first decision has been lent and taken."""

    async def controlled() -> bool:
        return (await house(chain, do="state"))["battery_mode"] == "remote"

    await until(controlled, 20, "the battery is under control")


async def until_mode(chain: Chain, mode: str, within_s: float) -> float:
    """The page shows this mode of the set-point."""

    async def shown() -> bool:
        setpoint = (await state(chain)).get("setpoint")
        return setpoint is not None and setpoint["mode"] == mode

    return await until(shown, within_s, f"mode {mode}")


async def until_battery(chain: Chain, mode: str, within_s: float) -> float:
    """The battery of the house is in this mode (`own` or `remote`)."""

    async def reached() -> bool:
        return (await house(chain, do="state"))["battery_mode"] == mode

    return await until(reached, within_s, f"battery in mode {mode}")


async def plan(chain: Chain) -> dict[str, Any]:
    """What the page shows of it."""
    return await get_json(f"{chain.page_address}/api/plan")


async def until_planned(chain: Chain, within_s: float = 30, *, after_s: float = 0.0) -> dict[str, Any]:
    """The first plan, or the first made after a moment (UTC)."""
    made: dict[str, Any] = {}

    async def planned() -> bool:
        made.update(await plan(chain))
        return bool(made["t"]) and made["made_s"] > after_s

    await until(planned, within_s, "a plan")
    return made


def device(shown: dict[str, Any], name: str) -> dict[str, Any]:
    """A device of the page's state."""
    return next(one for one in shown["devices"] if one["id"] == name)


def stored_lines(chain: Chain) -> list[str]:
    """What waits in the gateway's outbox."""
    with closing(sqlite3.connect(chain.folder / "store.sqlite")) as database:
        return [line for (line,) in database.execute("SELECT line FROM lines")]
