"""The whole chain for a test: real broker, interpreter, sockets, serial line; and how to look at it from outside."""

import asyncio
import contextlib
import math
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.rig.chain import Chain, ChainSettings, open_chain
from gateway.rig.part import Machine, Part
from gateway.rig.report import get_json

QUIET = {"pv": {"clouds": False}, "load": {"kettle_every_s": 0, "appliances": False}}
"""A building in which nothing moves unless the test moves it."""

PATIENCE_S = 60.0
STORE = "store.sqlite"
TEN_MINUTES_S = 600
TEN_MINUTES = pytest.param(TEN_MINUTES_S, marks=[pytest.mark.soak, pytest.mark.timeout(900)], id="ten minutes")

Prepare = Callable[[Chain], Awaitable[None]]


class OpenChain(Protocol):
    """`async with chain_of(ChainSettings(...)) as chain:` with the real broker."""

    def __call__(self, wanted: ChainSettings, *, prepare: Prepare | None = None) -> AbstractAsyncContextManager[Chain]:
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
    async def opened(wanted: ChainSettings, *, prepare: Prepare | None = None) -> AsyncIterator[Chain]:
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


async def until(check: Callable[[], Awaitable[Any]], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Ask again and again until the answer is true. Fails with `what` when that does not come at all.

    Nothing that is promised is judged by how long this takes: a busy machine makes a test late, and not the product.
    When things happened is told by the house, the node and the gateway themselves.
    """
    end = time.monotonic() + patience_s
    while not await check():
        if time.monotonic() > end:
            pytest.fail(f"not at all in {patience_s:.0f} s: {what}")
        await asyncio.sleep(0.1)


async def holds_by(check: Callable[[], Awaitable[Any]], by: float, what: str) -> None:
    """As `until`, for what is promised by a moment: a question put after it and answered with no is a failure.

    A test that is late itself asks late, and finds that it holds. Seconds in which the programs stood ready and had no
    processor are not those of the product: the moment moves by them.
    """
    before_s = stalled_s()
    while True:
        asked = time.monotonic()
        if await check():
            return
        if asked > by + stalled_s() - before_s:
            pytest.fail(f"{asked - by:.1f} s too late and not yet: {what}")
        await asyncio.sleep(0.1)


def stalled_s() -> float:
    """For how long so far the programs of this test stood ready and had no processor, one after the other.

    What one waits for the next is late by. Source: Documentation/scheduler/sched-stats.rst of Linux.
    """
    return sum(_waited_ns(path) for pid in _programs(os.getpid()) for path in Path(f"/proc/{pid}/task").glob("*")) / 1e9


def _programs(pid: int) -> Iterator[int]:
    """The ids of all that a process has started, and of what those have."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            for child in path.read_text(encoding="ascii").split():
                yield int(child)
                yield from _programs(int(child))


def _waited_ns(task: Path) -> int:
    with contextlib.suppress(OSError):
        return int((task / "schedstat").read_text(encoding="ascii").split()[1])
    return 0


async def until_controlled(chain: Chain) -> None:
    """The first decision has been sent and executed."""

    async def controlled() -> bool:
        return (await house(chain, do="state"))["battery_mode"] == "remote"

    await until(controlled, "the battery is under control")


async def until_mode(chain: Chain, mode: str) -> None:
    """The page shows this mode of the set-point."""

    async def shown() -> bool:
        setpoint = (await state(chain)).get("setpoint")
        return setpoint is not None and setpoint["mode"] == mode

    await until(shown, f"mode {mode}")


async def until_battery(chain: Chain, mode: str) -> None:
    """The battery of the house is in this mode (`own` or `remote`)."""

    async def reached() -> bool:
        return (await house(chain, do="state"))["battery_mode"] == mode

    await until(reached, f"battery in mode {mode}")


async def plan(chain: Chain) -> dict[str, Any]:
    """What the page shows of it."""
    return await get_json(f"{chain.page_address}/api/plan")


async def until_planned(chain: Chain, *, after_s: float = 0.0) -> dict[str, Any]:
    """The first plan, or the first made after a moment (UTC)."""
    made: dict[str, Any] = {}

    async def planned() -> bool:
        made.update(await plan(chain))
        return bool(made["t"]) and made["made_s"] > after_s

    await until(planned, "a plan")
    return made


async def battery_mode_since(chain: Chain, mode: str, after: float) -> float:
    """When the battery came into a mode after a moment, or that moment if it was in it: the house's own clock.

    Moments are of the machine's monotonic clock, which all programs of a chain share.
    """

    async def reached() -> float | None:
        rows = (await house(chain, do="modes"))["rows"]
        ends = [since for since, _ in rows[1:]] + [math.inf]
        return next(
            (
                max(since, after)
                for (since, found), end in zip(rows, ends, strict=True)
                if found == mode and end > after
            ),
            None,
        )

    await until(reached, f"battery in mode {mode}")
    found = await reached()
    assert found is not None
    return found


async def writes(chain: Chain, name: str, address: int) -> list[tuple[float, list[int]]]:
    """(moment, words) of all that a device of the house took at an address."""
    rows = (await house(chain, do="writes", device=name))["rows"]
    return [(moment, words) for moment, place, words in rows if place == address]


def decisions(chain: Chain, name: str, *, store: str = STORE) -> list[tuple[float, str]]:
    """(moment, line) of all that the gateway has decided for a device and stored, the oldest first."""
    lines = [line for line in stored_lines(chain, store) if line.startswith("control,") and f"device={name}" in line]
    return [(int(line.rpartition(" ")[2]) / 1000 - utc_ahead_s(chain), line) for line in lines]


async def decided_at(chain: Chain, name: str, words: str, after: float, *, store: str = STORE) -> float:
    """When the gateway first decided this for a device after a moment: a decision's line holds these words."""

    async def decided() -> float | None:
        found = decisions(chain, name, store=store)
        return next((moment for moment, line in found if moment > after and words in line), None)

    await until(decided, f"decided for {name}: {words}")
    found = await decided()
    assert found is not None
    return found


def utc_ahead_s(chain: Chain) -> float:
    """By how much the time that the chain's programs store is ahead of the machine's monotonic clock."""
    return time.time() - time.monotonic() + chain.run.clock_offset_s


def device(shown: dict[str, Any], name: str) -> dict[str, Any]:
    """A device of the page's state."""
    return next(one for one in shown["devices"] if one["id"] == name)


def stored_lines(chain: Chain, store: str = STORE) -> list[str]:
    """What waits in the gateway's outbox."""
    with closing(sqlite3.connect(chain.folder / store)) as database:
        return [line for (line,) in database.execute("SELECT line FROM lines")]
