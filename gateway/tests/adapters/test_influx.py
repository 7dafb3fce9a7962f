"""What a database answers, and what becomes of the lines: a real InfluxDB, and servers that answer anything."""

import asyncio
import csv
import gzip
import io
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.adapters.store.refusals import Refusal, explained
from gateway.rig.database import Database, database_program
from gateway.rig.exchange import exchange
from gateway.rig.processes import Processes
from gateway.tests.adapters.test_delivery import T, quarantined, row


@asynccontextmanager
async def answering(status: int, body: bytes) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that gives one answer to all; its address, and the numbers of its requests."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-l")), 0
        )
        await reader.readexactly(length)
        requests.append(length)
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", requests


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (
            400,
            b'{"code":"invalid","message":"no"}',
            "database_refuses",
            "every line: no; is [database] url an InfluxDB 2?",
        ),
        (400, b"<html>plain HTTP to an HTTPS port</html>", "database_refuses", "refuses every line"),
        (422, b"", "database_refuses", "refuses every line"),
        (401, b'{"message":"unauthorized access"}', "database_token", "check ZEN_INFLUX_TOKEN"),
        (403, b'{"message":"x"}', "database_forbidden", "give it the right"),
        (404, b'{"message":"bucket \\"b\\" not found"}', "database_unknown", "check [database] bucket and org"),
        (405, b"not here", "database_refuses", "refuses every line"),
        (503, b"busy", "database_answers", "503"),
        (301, b"", "database_answers", "301"),
    ],
)
async def test_each_answer_says_what_to_do_and_costs_no_line(
    tmp_path: Path, status: int, body: bytes, code: str, says: str
) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row("meter", i, p_w=1.0, u_v=2.0) for i in range(100)], {})
        async with answering(status, body) as (url, requests):
            forwarder = Forwarder(url=url, org="o", bucket="b", token="t", lines=outbox)  # noqa: S106
            task = asyncio.create_task(forwarder.run())
            async with asyncio.timeout(30):
                while forwarder.trouble is None or len(requests) < 2:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.01)
            assert forwarder.trouble.code == code
            assert says in str(forwarder.error)
            task.cancel()
            await asyncio.wait([task])
            forwarder.close()
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (100, 0, 0)


async def test_a_server_that_is_away_or_cannot_be_trusted_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row("meter", 1, p_w=1.0)], {})
            url = f"http://127.0.0.1:{held.getsockname()[1]}"
            forwarder = Forwarder(url=url, org="o", bucket="b", token="t", lines=outbox)  # noqa: S106
            task = asyncio.create_task(forwarder.run())
            async with asyncio.timeout(30):
                while forwarder.trouble is None:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.01)
            assert forwarder.trouble.code == "database_silent"
            task.cancel()
            await asyncio.wait([task])
            forwarder.close()


@asynccontextmanager
async def with_rules(refuses: Callable[[str], int]) -> AsyncIterator[tuple[str, list[list[str]]]]:
    """A server that answers a batch by the worst of its lines (0: it takes it); its address, and what it took."""
    taken: list[list[str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.startswith(b"content-length"))
        body = await reader.readexactly(length)
        lines = (gzip.decompress(body) if b"gzip" in head else body).decode().splitlines()
        status = max(map(refuses, lines)) or 204
        if status == 204:
            taken.append(lines)
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", taken


async def drained(outbox: Outbox, url: str) -> Forwarder:
    """All lines have left."""
    forwarder = Forwarder(url=url, org="o", bucket="b", token="t", lines=outbox)  # noqa: S106
    task = asyncio.create_task(forwarder.run())
    async with asyncio.timeout(60):
        while outbox.waiting:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    forwarder.close()
    return forwarder


async def test_the_newest_lines_go_first_and_then_the_past_is_filled_in(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.adapters.store.influx.BATCH", 100)
    async with with_rules(lambda _: 0) as (url, taken):
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row("meter", i, p_w=1.0) for i in range(450)], {})
            await drained(outbox, url)
    moments = [{int(text.split()[-1]) - T for text in lines} for lines in taken]
    assert moments == [{*range(i, i + 100)} for i in (350, 250, 150, 50)] + [{*range(50)}]


@pytest.mark.parametrize("status", [409, 413, 415, 431, 500, 501])
async def test_an_answer_that_does_not_change_by_itself_keeps_one_line_only(
    tmp_path: Path, monkeypatch, status: int
) -> None:
    monkeypatch.setattr("gateway.adapters.store.influx.FIRST_PAUSE_S", 0.01)
    async with with_rules(lambda text: status if text.endswith(f" {T + 7}") else 0) as (url, taken):
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row("meter", i, p_w=1.0) for i in range(50)], {})
            await drained(outbox, url)
            assert (outbox.refused, outbox.dropped) == (1, 0)
    assert len({text for lines in taken for text in lines}) == 49


async def test_a_server_that_takes_little_at_a_time_is_given_little(tmp_path: Path) -> None:
    """One that breaks off when it is sent more than 200 lines: a slow link, a small proxy."""
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        forwarder = Forwarder(url="http://127.0.0.1:9", org="o", bucket="b", token="t", lines=outbox)  # noqa: S106
        sizes = []
        for _ in range(6):
            sizes.append(forwarder._batch)
            forwarder._learn(TimeoutError())
        forwarder.close()
    assert sizes == [2000, 1000, 500, 250, 125, 100]


@pytest.mark.parametrize(
    ("why", "code", "names"),
    [
        (
            'input field "p_w" on measurement "meter" is type float, already exists as type integer dropped=200',
            "type",
            {"field": "p_w", "measurement": "meter", "ours": "float", "theirs": "integer"},
        ),
        (
            "type for column 'p_w', expected iox::column_type::field::integer, got iox::column_type::field::float",
            "type",
            {"field": "p_w", "measurement": "", "ours": "float", "theirs": "integer"},
        ),
        (
            "partial write: points beyond retention policy dropped=5",
            "retention",
            {},
        ),
        ("unable to parse 'this is no line': missing fields", "unreadable", {}),
        ("Request Entity Too Large", "too_large", {}),
        ("request body too large", "too_large", {}),
        ("", "other", {}),
    ],
)
def test_a_refusal_is_told_by_what_it_means(why: str, code: str, names) -> None:
    assert explained(why) == Refusal(code=code, names=names)


async def test_a_real_database_keeps_what_is_good_beside_a_field_of_another_type(influxd, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = Database(url=f"http://127.0.0.1:{port}", org="zen", bucket="zen", token="chosen-by-us")  # noqa: S106 - a scratch one
    async with Processes(logs=tmp_path) as processes:
        await processes.start(database_program(influxd, port=port, folder=tmp_path / "influxd"))
        await database.set_up()
        headers = {"Authorization": f"Token {database.token}"}
        address = f"{database.url}/api/v2/write?org=zen&bucket=zen&precision=ms"
        before = f"meter,device=grid,site=s p_w=1i {T - 1}".encode()
        assert (await exchange(address, method="POST", body=before, headers=headers)).status == 204
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row("meter", i, p_w=1.0, u_v=2.0, e_wh=float(i)) for i in range(200)], {})
            await outbox.write(lambda db: db.execute("INSERT INTO lines (line) VALUES ('this is no line at all')"))
            await outbox.save([row("pv", i, p_w=1.0) for i in range(200)], {})
            forwarder = Forwarder(url=database.url, org="zen", bucket="zen", token=database.token, lines=outbox)
            task = asyncio.create_task(forwarder.run())
            async with asyncio.timeout(60):
                while await outbox.oldest(1):  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
            forwarder.close()
            assert (outbox.refused, forwarder.trouble) == (201, None)
        found = await counted(database)
        assert found == {("meter", "p_w"): 1, ("meter", "u_v"): 200, ("meter", "e_wh"): 200, ("pv", "p_w"): 200}
        assert {explained(why).code for _, why in quarantined(tmp_path / "a.sqlite")} == {"type", "unreadable"}
        reasons = [why for text, why in quarantined(tmp_path / "a.sqlite") if text.startswith("meter")]
        assert len(reasons) == 200
        assert all("already exists as type integer" in why for why in reasons)


async def counted(database: Database) -> dict[tuple[str, str], int]:
    flux = (
        f'from(bucket:"{database.bucket}") |> range(start: 0) |> group(columns: ["_measurement", "_field"])'
        " |> toString() |> count()"
    )
    headers = {"Authorization": f"Token {database.token}", "Content-Type": "application/json"}
    body = json.dumps({"query": flux, "type": "flux"}).encode()
    answer = await exchange(
        f"{database.url}/api/v2/query?org={database.org}", method="POST", body=body, headers=headers, within_s=30
    )
    assert answer.status == 200, answer.body
    rows = csv.DictReader(line for line in io.StringIO(answer.body.decode()) if line.strip())
    return {(one["_measurement"], one["_field"]): int(one["_value"]) for one in rows if one["_value"].isdigit()}
