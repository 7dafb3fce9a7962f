"""Whatever a node says, and whatever is spoiled in the store: the gateway runs, and its page answers with JSON."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.broker import Message
from gateway.adapters.clock import SystemClock
from gateway.adapters.store import schema
from gateway.app import Gateway
from gateway.site.assembly import parts
from gateway.site.file.site_file import SiteFile
from gateway.tests.test_app import credentials, file, running
from gateway.view.schema.encoder import json_text

__all__ = ["file"]

HEALTH = {
    "uptime_s": 12, "free": 48096, "clock": 2, "waiting": 0, "lost": 0, "heard": True, "cfg": "old: 3, newer is 9",
    "update": {"state": "fetching", "why": "x"}, "units": [[1, 0, 0, 0, 4]], "cpu": 0.4,
    "actuators": [[[4000], [4000], [4000], "applied", ""]],
}  # fmt: skip
SAID: dict[str, Any] = {
    "state": {"up": True, "boot": 7, "table": 1, "fw": "0.1.0", "build": 3, "mode": "run", "why": "power"},
    "health": HEALTH,
    "test": {"boot": 7, "table": 1, "rows": [{"step": "unit", "n": 2, "ok": False, "text": "timeout"}]},
    "ack": {"seq": 1, "s": 1, "ms": 0, "act": 0, "done": "applied", "why": "", "w": 1, "v": [4000], "rb": [4000]},
}
STRANGE = (
    "1e999", "-1e999", "Infinity", "-Infinity", "NaN", "1e308", "-0.0", "9" * 30, "-" + "9" * 30, "9" * 5000,
    "18446744073709551615", "9223372036854775808", "1.5", "0", "-1", "true", "null", '""', '"a"', "[]", "{}", "[[]]",
    "[1e999]", '{"x":1e999}', '{"x":{"y":[NaN]}}', "[" * 900 + "]" * 900, "[" * 100_000,
    '{"a":' * 400 + "1" + "}" * 400,
    '"' + "x" * 70_000 + '"', '"\\ud800"', '"\\u0000"', '"\\n"', '"</script>"', '{"":0}', '{"\\ud800":0}', '"1e999"',
)  # fmt: skip
MARK = "@strange@"


def with_mark(value: Any) -> Iterator[Any]:
    """The value with each of its leaves, and each whole of them, replaced by the mark."""
    yield MARK
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        for strange in with_mark(one):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = strange
            yield copy
    if isinstance(value, dict):
        yield {**value, "x": MARK}


def payloads(said: Any) -> Iterator[bytes]:
    for one in with_mark(said):
        text = json.dumps(one)
        for strange in STRANGE:
            yield text.replace(f'"{MARK}"', strange).encode()


def strict(answer: httpx.Response) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    assert answer.status_code == 200, answer.text[:200]
    return json.loads(answer.text, parse_constant=refuse)


def hear(gateway: Gateway, leaf: str, payload: bytes) -> None:
    gateway.nodes.link.receive(Message(topic=f"zev/1/lens-demo/cellar/{leaf}", payload=payload, retained=False))


@pytest.mark.parametrize("leaf", SAID)
async def test_the_page_answers_whatever_a_node_says(file: SiteFile, leaf: str, urls: list[str]) -> None:
    async with running(file, SystemClock(), urls=urls) as gateway, httpx.AsyncClient(base_url=urls[-1]) as client:
        assert gateway.file.site.id == "lens-demo"
        node = gateway.nodes.sessions["cellar"]
        tried = 0
        for payload in payloads(SAID[leaf]):
            if tried % 10 == 0:
                for other, said in SAID.items():
                    hear(gateway, other, json.dumps({**said, "table": node.table.identity}).encode())
            hear(gateway, leaf, payload)
            tried += 1
            if tried % 20 == 0:  # what is refused leaves what was said before: each may show only for a moment
                strict(await client.get("/api/status"))
                strict(await client.get("/api/state"))
            gateway.view.status()
            text = json.dumps(node.health, allow_nan=False)
            assert len(text) < 100_000
        assert tried > 200
        await gateway.nodes.persistence.save([])
        lines = [text for _, text in await gateway.outbox.oldest(100_000)]
        assert not [text for text in lines if "inf" in text.split(" ")[1] or "nan" in text.split(" ")[1]]


@pytest.fixture
def urls() -> list[str]:
    return []


GARBAGE = (
    "abc",
    b"\xff\xfe",
    -1,
    2**62,
    1e300,
    "",
    "9" * 400,
    "[[1, 2, [[1, 4000000000]]]]",
    '{"profiles": 3}',
    "[" * 5000,
)


@pytest.mark.parametrize("table", schema.TABLES)
async def test_the_gateway_starts_whatever_stands_in_its_store(file: SiteFile, table: str) -> None:
    path = parts.store_path(file)
    utc_s = int(SystemClock().utc_s())
    with closing(Gateway(file, credentials(file), clock=SystemClock())):
        pass
    for i, column in enumerate(name for name in schema.columns(table) if name != "rowid"):
        for garbage in GARBAGE[i % 2 :: 2]:
            fill(path, table, column, garbage, utc_s)
            with closing(Gateway(file, credentials(file), clock=SystemClock())) as gateway:
                await gateway.past.quarters(utc_s // 900 * 900, 2)
                hear(gateway, "state", json.dumps(SAID["state"]).encode())
                await gateway.nodes.persistence.save([])
                assert all(isinstance(text, str) for _, text in await gateway.outbox.oldest(100))
                for shown in (gateway.view.state(), gateway.view.status(), gateway.view.trend(24)):
                    json_text(shown)
                assert gateway.outbox.waiting >= 0


def fill(path: Path, table: str, column: str, garbage: object, utc_s: int) -> None:
    """Garbage in one column of a row that the gateway looks for."""
    known = {
        "node": "cellar", "t": utc_s, "name": "lasting", "id": 10**6, "boot": 1, "upto": 1, "identity": 1, "number": 1,
        "device": "grid", "received": 1, "duplicated": 0, "lost": 0, "node_table": 1, "text": "{}", "boots": "[]",
        "line": "m v=1 1", "why": "no", "value": "5",
    }  # fmt: skip
    names = [name for name in schema.columns(table) if name != "rowid"]
    with closing(sqlite3.connect(path)) as database, database:
        for key in ("lasting", "loads") if table == "notes" else ("session", "instance", "dropped"):
            row = [garbage if name == column else key if name == "name" else known.get(name, 1.0) for name in names]
            marks = ", ".join("?" * len(names))
            try:
                sql = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
                database.execute(sql, row)
            except (sqlite3.IntegrityError, OverflowError):
                continue
