"""A store of no use, a disk that takes nothing, a crowd at the page: the building is controlled all the same."""

import resource
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest

from gateway.rig.chain import Chain, ChainSettings

from .conftest import (
    QUIET,
    STORE,
    OpenChain,
    battery_mode_since,
    holds_by,
    state,
    status,
    stored_lines,
    until,
    until_controlled,
)

LEASE_S = 10  # config/demo/site.toml
CROWD = 1200
PID = "gateway.pid"
SPOILED = b"spoiled" * 1000
QUIET_LOG_BYTES = 20_000


def limited(chain: Chain, limit: str) -> None:
    """The gateway will be started with a limit of the shell's `ulimit`, and its process id be in a file."""
    program = chain.programs["gateway"]
    script = f'ulimit {limit} && echo $$ > {chain.folder / PID} && exec "$@"'
    gateway = replace(program, command=("sh", "-c", script, "sh", *program.command))
    chain.programs = {**chain.programs, "gateway": gateway}


@pytest.mark.timeout(180)
async def test_a_spoiled_store_on_a_full_disk_leaves_the_building_controlled_and_heals_by_itself(
    chain_of: OpenChain,
) -> None:
    async def spoil(chain: Chain) -> None:
        (chain.folder / STORE).write_bytes(SPOILED)
        limited(chain, "-S -f 60")  # no file may have more than 30 kB: the store cannot be made

    async with chain_of(ChainSettings(house=QUIET), prepare=spoil) as chain:
        await until_controlled(chain)

        async def tells() -> list[str]:
            return [one["code"] for one in (await state(chain))["database"].get("troubles", [])]

        await until(lambda: _has(tells, "store_broken", "store_full"), "the page says that nothing is on disk")
        shown = await state(chain)
        assert shown["setpoint"]["mode"] == "control"
        assert shown["database"]["waiting"] >= 0
        lost = (await status(chain))["nodes"]["cellar"]["lost"]
        pid = int((chain.folder / PID).read_text())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(lambda: _has_only(tells, "store_aside"), "all is on disk again")
        assert (await state(chain))["setpoint"]["mode"] == "control"
        await until(lambda: _is_complete(chain, lost), "what was not acknowledged has come again")
        waiting = (await state(chain))["database"]["waiting"]
        assert abs(len(stored_lines(chain)) - waiting) < 30
        assert (await status(chain))["database"]["dropped"] == 0
        aside = chain.folder / (await status(chain))["database"]["aside"][0]
        assert aside.read_bytes() == SPOILED
        written = [aside, *(chain.folder / f"{STORE}{side}" for side in ("", "-wal", "-shm"))]
        assert {stat.S_IMODE(one.stat().st_mode) for one in written} == {0o600}
        await chain.stop("gateway")
        with closing(sqlite3.connect(chain.folder / STORE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def _has(ask, *wanted: str) -> bool:
    return bool(set(await ask()) & set(wanted))


async def _has_only(ask, *wanted: str) -> bool:
    return set(await ask()) == set(wanted)


async def _is_complete(chain: Chain, lost: int) -> bool:
    node = (await status(chain))["nodes"]["cellar"]
    assert node["lost"] == lost
    return node["sent"] == node["received"] + lost and (await state(chain))["links"]["nodes"][0]["heard"]


@contextmanager
def crowd(port: int) -> Iterator[None]:
    """Half-open connections to the page, while the context is open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CROWD + 300:
        pytest.skip(f"a process may open {hard} files here: too few for a crowd")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CROWD + 300), hard))
    with ExitStack() as stack:
        for i in range(CROWD):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            if i % 2:
                try:
                    one.send(b"GET /api/state HTTP/1.1\r\nHost: ")
                except OSError:
                    continue
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timeout(180)
async def test_a_crowd_at_the_page_keeps_neither_the_broker_nor_people_away(chain_of: OpenChain) -> None:
    async def limit(chain: Chain) -> None:
        limited(chain, "-n 256")

    async with chain_of(ChainSettings(house=QUIET), prepare=limit) as chain:
        await until_controlled(chain)
        log = chain.folder / "gateway.log"
        before = log.stat().st_size
        with crowd(chain.run.ports.page):
            assert (await state(chain))["links"]["broker"] is True
            await chain.kill("broker")
            await chain.start("broker")
            started = time.monotonic()

            async def is_back() -> bool:
                return bool((await state(chain))["links"]["broker"])

            await holds_by(is_back, started + 5, "the gateway is back at the broker")
            await until_controlled(chain)
            assert await battery_mode_since(chain, "remote", started) - started <= LEASE_S
        assert log.stat().st_size - before < QUIET_LOG_BYTES
