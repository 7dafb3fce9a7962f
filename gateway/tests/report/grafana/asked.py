"""The dashboards' own queries with their macros filled in as Grafana does it, asked of a real database."""

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gateway.adapters.store.line_protocol import line
from gateway.database.measurements import bucket_of
from gateway.database.schema import Bucket
from gateway.ports import Row
from gateway.rig.database import Database, database_program
from gateway.rig.exchange import exchange
from gateway.rig.part import Part
from gateway.rig.processes import Processes

PARIS = ZoneInfo("Europe/Paris")
BUCKETS = {Bucket.RAW: "zen", Bucket.QUARTERS: "zen-quarters"}
SOURCES = {"zen-raw": "zen", "zen-quarters": "zen-quarters"}
POINTS = 800  # of a panel's width
BATCH = 5000
# @grafana/data, rangeUtil.roundInterval: below the first number (ms) the second one is taken.
LADDER = (
    (15_000, 10_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
)
UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of time (ms since 1970)."""

    start_ms: int
    end_ms: int


async def opened(database: Database) -> None:
    """Make the second bucket beside the one of the set-up."""
    headers = {"Authorization": f"Token {database.token}"}
    orgs = (await exchange(f"{database.url}/api/v2/orgs", headers=headers)).json()["orgs"]
    wish = {"orgID": orgs[0]["id"], "name": BUCKETS[Bucket.QUARTERS], "retentionRules": []}
    answer = await exchange(
        f"{database.url}/api/v2/buckets", method="POST", body=json.dumps(wish).encode(), headers=headers
    )
    assert answer.status == 201, answer.body


async def fill(database: Database, rows: Iterable[Row]) -> int:
    """Each row into its bucket, as the gateway's own lines."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(BUCKETS[bucket_of(row.measurement)], []).append(line(row))
    for bucket, texts in lines.items():
        for begin in range(0, len(texts), BATCH):
            answer = await exchange(
                f"{database.url}/api/v2/write?{urlencode({'org': database.org, 'bucket': bucket, 'precision': 'ms'})}",
                method="POST",
                body="\n".join(texts[begin : begin + BATCH]).encode(),
                headers={"Authorization": f"Token {database.token}"},
                within_s=60,
            )
            assert answer.status == 204, answer.body
    return sum(len(texts) for texts in lines.values())


@asynccontextmanager
async def scratch(influxd: Part, folder: Path, port: int) -> AsyncIterator[Database]:
    """A database with both buckets."""
    database = Database(url=f"http://127.0.0.1:{port}", org="zen", bucket="zen", token="chosen-by-us")  # noqa: S106
    async with Processes(logs=folder) as processes:
        await processes.start(database_program(influxd, port=port, folder=folder / "influxd"))
        await database.set_up()
        await opened(database)
        yield database


async def ask(database: Database, source: str, text: str) -> dict[str, Any]:
    """The first result; one with an error in its body raises ValueError."""
    query = urlencode({"db": SOURCES[source], "q": text, "epoch": "ms"})
    headers = {"Authorization": f"Token {database.token}"}
    answer = await exchange(f"{database.url}/query?{query}", headers=headers, within_s=60)
    found = answer.json()
    if answer.status != 200 or "error" in found or "error" in found["results"][0]:
        raise ValueError(f"{answer.status} {answer.body.decode()[:300]}: {text}")
    result: dict[str, Any] = found["results"][0]
    return result


def interval_ms(span: Span, least: str) -> int:
    """As Grafana rounds a range over a panel's points, never under the panel's own interval."""
    floor = milliseconds(least or "1s")
    wanted = max((span.end_ms - span.start_ms) / POINTS, floor)
    return max(next((step for top, step in LADDER if wanted < top), 86_400_000), floor)


def milliseconds(text: str) -> int:
    return int(text[:-1]) * UNITS_MS[text[-1]]


def duration(ms: int) -> str:
    return next(f"{ms // size}{unit}" for unit, size in UNITS_MS.items() if ms % size == 0)


def filled(text: str, variables: Mapping[str, str], span: Span, every_ms: int) -> str:
    """The query that goes out. A macro that is left is an error."""
    text = text.replace("$timeFilter", f"time >= {span.start_ms}ms and time <= {span.end_ms}ms")
    text = text.replace("$__interval", duration(every_ms))

    def one(match: re.Match[str]) -> str:
        value = variables[match[1] or match[3]]
        return re.sub(r"[\\^$*+?.()|[\]{}/]", lambda m: "\\" + m[0], value) if match[2] == "regex" else value

    text = re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$(tz)\b", one, text)
    if "$" in text.replace("$/", ""):
        raise ValueError(f"a macro is left: {text}")
    return text


def at(text: str, now: datetime, *, end: bool) -> datetime:
    """`now-12h`, `now+12h`, `now/d`, `now-1M/M`; rounded to the end of its unit where it is the end of a range."""
    found = re.fullmatch(r"now(?:([+-]\d+)([hdMy]))?(?:/([dMy]))?", text)
    assert found, text
    count, unit, whole = int(found[1] or 0), found[2], found[3]
    if unit in ("h", "d"):
        now += timedelta(hours=count) if unit == "h" else timedelta(days=count)
    elif unit == "M":
        month = now.year * 12 + now.month - 1 + count
        now = now.replace(year=month // 12, month=month % 12 + 1, day=1)
    elif unit == "y":
        now = now.replace(year=now.year + count)
    if whole is None:
        return now
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = begin if whole == "d" else begin.replace(day=1) if whole == "M" else begin.replace(day=1, month=1)
    if not end:
        return begin
    later = {"d": begin + timedelta(days=1), "M": (begin + timedelta(days=32)).replace(day=1)}
    return later.get(whole, begin.replace(year=begin.year + 1)) - timedelta(milliseconds=1)


def span_of(board: Mapping[str, Any], panel: Mapping[str, Any], now: datetime) -> Span:
    """The range of a panel when its board is opened."""
    since, until = board["time"]["from"], board["time"]["to"]
    if own := panel.get("timeFrom"):
        since, until = (own, "now") if own.startswith("now") else (f"now-{own}", "now")
    return Span(
        start_ms=round(at(since, now, end=False).timestamp() * 1000),
        end_ms=round(at(until, now, end=True).timestamp() * 1000),
    )


def targets(board: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """(panel, target) of a dashboard."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel, target


async def answers(
    database: Database, board: Mapping[str, Any], now: datetime, building: str = "lens"
) -> dict[int, dict[str, Any]]:
    """By panel and target: what the database says when the board is opened at that moment."""
    variables = {"site": building, "building": building, "tz": "Europe/Paris"}
    found: dict[int, dict[str, Any]] = {}
    for panel, target in targets(board):
        span = span_of(board, panel, now)
        text = filled(target["query"], variables, span, interval_ms(span, panel.get("interval", "")))
        result = await ask(database, target["datasource"]["uid"], text)
        found.setdefault(panel["id"], {})[target["refId"]] = result
    return found
