"""The gateway as it is put together: what it needs of a site file, and what it gives without a broker."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import ntplib
import pytest

from gateway.adapters.clock import SystemClock
from gateway.adapters.sntp import TimeAddressError
from gateway.app import Gateway
from gateway.paths import config_folder
from gateway.site.credentials import Credentials
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile
from gateway.view.schema.status import TimeCountsView

YEAR_S = 365 * 86400


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def file(tmp_path: Path) -> SiteFile:
    text = (config_folder() / "demo" / "site.toml").read_text()
    for old, port in (
        ("port = 1883", free_port(socket.SOCK_STREAM)),
        ("port = 8080", 0),
        ("port = 10123", free_port(socket.SOCK_DGRAM)),
    ):
        assert old in text
        text = text.replace(old, f"port = {port}")
    path = tmp_path / "site.toml"
    path.write_text(text)
    return site_file.read(path)


def credentials(file: SiteFile) -> Credentials:
    keys = dict.fromkeys(file.nodes, bytes(range(32)))
    return Credentials(broker_password=None, node_keys=keys, influx_token=None)


@asynccontextmanager
async def running(file: SiteFile, clock: SystemClock, *, urls: list[str] | None = None) -> AsyncIterator[Gateway]:
    """A gateway that is ready; the address of its page is added to `urls`."""
    gateway = Gateway(file, credentials(file), clock=clock)
    stop, ready = asyncio.Event(), asyncio.Event()
    async with contextlib.AsyncExitStack() as left:
        left.callback(gateway.close)

        def is_ready(url: str) -> None:
            (urls if urls is not None else []).append(url)
            ready.set()

        task = asyncio.create_task(gateway.run(stop, is_ready), name="gateway")
        waiting = asyncio.create_task(ready.wait(), name="ready")
        await asyncio.wait([task, waiting], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            await task  # raises what kept it from starting
        try:
            yield gateway
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)


async def test_nodes_are_sent_the_time_that_the_gateway_lives_by(file: SiteFile, monkeypatch) -> None:
    monkeypatch.setattr("gateway.app.is_settled", lambda _settle_s: True)
    async with running(file, SystemClock(offset_s=-YEAR_S)) as gateway:
        found = await asyncio.to_thread(ntplib.NTPClient().request, "127.0.0.1", 4, file.time.port, 5)
        assert found.offset == pytest.approx(-YEAR_S, abs=0.1)
        assert found.leap == 0
        assert gateway.view.status().time == TimeCountsView(answered=1, ignored=0)


async def test_a_clock_that_nobody_has_set_is_not_sent_before_it_has_settled(file: SiteFile, monkeypatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr("gateway.app.is_settled", lambda settle_s: bool(asked.append(settle_s)))
    async with running(file, SystemClock()):
        found = await asyncio.to_thread(ntplib.NTPClient().request, "127.0.0.1", 4, file.time.port, 5)
    assert (found.leap, found.stratum, asked) == (3, 0, [600])


async def test_a_time_port_that_is_taken_ends_the_start_with_its_place_in_the_site_file(file: SiteFile) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", file.time.port))
        with pytest.raises(TimeAddressError, match=r"\[time\] port"):
            async with running(file, SystemClock()):
                pass


async def test_a_node_that_was_never_heard_is_shown_as_such(file: SiteFile) -> None:
    async with running(file, SystemClock()) as gateway:
        [shown] = gateway.view.state().links.nodes
        assert (shown.id, shown.up, shown.fw, shown.has_table) == ("cellar", False, "", False)
        assert gateway.view.state().links.broker is False
