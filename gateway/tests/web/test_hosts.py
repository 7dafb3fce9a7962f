"""The page answers to its own names only, or a page elsewhere could read it through somebody's browser."""

import asyncio
import socket

import pytest

from gateway.tests.web.fake_view import FakeView
from gateway.web import create_app, serve
from gateway.web.hosts import own_names

PATHS = ("/", "/api/state", "/api/status", "/api/live", "/api/trend", "/nothing", "/static/0/x.js")


async def ask(address, head: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(head.encode("latin-1"))
    answer = (await asyncio.wait_for(reader.read(4096), 30)).decode("latin-1")
    writer.close()
    return int(answer.split()[1]), answer


def request(path: str, *hosts: str) -> str:
    return f"GET {path} HTTP/1.1\r\n" + "".join(f"Host: {host}\r\n" for host in hosts) + "Connection: close\r\n\r\n"


MACHINE = socket.gethostname().lower().partition(".")[0]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "localhost.", MACHINE, f"{MACHINE}.local:8080",
     f"{MACHINE}.home.arpa", "zen.example.org", "Zen.Example.ORG:80", "192.168.1.10"],
)  # fmt: skip
async def test_our_own_names_are_answered(host: str) -> None:
    app = create_app(FakeView(), names=["zen.example.org", "192.168.1.10"])
    async with serve(app, host="127.0.0.1", port=0) as address:
        assert (await ask(address, request("/api/state", host)))[0] == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example"], ["evil.example:8080"], ["127.0.0.1.evil.example"], ["localhost.evil.example"],
        [f"{MACHINE}.evil.example"], ["192.168.1.11"], ["127.0.0.2"], ["0.0.0.0"], ["[::1]"], [""], ["localhost, evil"],
        ["localhost@evil.example"], ["evil.example/localhost"], ["localhost:80:80"], ["x" * 5000], ["loc\xe4lhost"],
    ],
)  # fmt: skip
async def test_any_other_name_is_refused_at_every_address(path: str, hosts: list[str]) -> None:
    app = create_app(FakeView(), names=["zen.example.org"])
    async with serve(app, host="127.0.0.1", port=0) as address:
        status, answer = await ask(address, request(path, *hosts))
        assert status in (400, 421)
        assert "lens-demo" not in answer
        if status == 421:
            assert "foreign_host" in answer
            assert "content-security-policy" in answer


@pytest.mark.parametrize(
    "head",
    [
        request("/api/state"),  # without a name
        request("/api/state", "localhost", "evil.example"),
        request("/api/state", "evil.example", "localhost"),
        "GET /api/state HTTP/1.0\r\n\r\n",
        "GET http://evil.example/api/state HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ],
)
async def test_a_request_without_one_name_of_ours_is_refused(head: str) -> None:
    async with serve(create_app(FakeView()), host="127.0.0.1", port=0) as address:
        assert (await ask(address, head))[0] in (400, 421)


async def test_on_all_addresses_the_one_that_was_called_is_ours() -> None:
    async with serve(create_app(FakeView()), host="0.0.0.0", port=0) as address:
        assert (await ask(address, request("/api/state", f"127.0.0.1:{address.port}")))[0] == 200
        assert (await ask(address, request("/api/state", "192.168.1.11")))[0] == 421


def test_names_are_written_in_one_way() -> None:
    found = own_names("Zen.Example.org.", "[FE80::1]", "::ffff:10.0.0.1", "")
    assert {"zen.example.org", "fe80::1", "10.0.0.1", "localhost", MACHINE} <= found
    assert "" not in found
