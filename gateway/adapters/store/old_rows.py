"""Rows under their old names out of an InfluxDB, hour by hour, and their successors into it: `zen database migrate`.

Writing a row twice changes nothing, so a run that was cut short goes on where it was, or a little before.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gateway.adapters.store.line_protocol import line
from gateway.database.measurements import bucket_of
from gateway.database.migration import OLD, migrated
from gateway.database.schema import Bucket
from gateway.database.tags import RowOrigin
from gateway.ports import Row

HOUR_MS = 3_600_000
BATCH = 5000  # lines in one call
WITHIN_S = 60.0  # for one answer
MOST_LETTERS = 300  # of what a server says


class MigrationError(Exception):
    """The database does not do what it is asked; its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePlace:
    """Where rows come from and go to."""

    url: str
    org: str
    token: str
    buckets: Mapping[Bucket, str]  # the old rows are in that of readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What one hour of one measurement was."""

    measurement: str
    hour_ms: int  # when it began
    read: int  # old rows
    written: int  # rows in their place
    left: int  # old rows whose device is not in the site file


def migrate(place: DatabasePlace, origin: RowOrigin, progress: Path) -> Iterator[Migrated]:
    """Hour by hour, the newest last. `progress` keeps how far it is. Raises MigrationError."""
    done: dict[str, int] = json.loads(progress.read_text("utf-8")) if progress.exists() else {}
    for measurement in OLD:
        span = _span(place, measurement, origin)
        if span is None:
            continue
        hour_ms = max(span[0] // HOUR_MS * HOUR_MS, done.get(measurement, 0))
        while hour_ms <= span[1]:
            yield _hour(place, measurement, origin, hour_ms)
            hour_ms += HOUR_MS
            done[measurement] = min(hour_ms, span[1] // HOUR_MS * HOUR_MS)
            progress.write_text(json.dumps(done), encoding="utf-8")


def _hour(place: DatabasePlace, measurement: str, origin: RowOrigin, hour_ms: int) -> Migrated:
    when = f"time >= {hour_ms}ms AND time < {hour_ms + HOUR_MS}ms"
    texts: dict[str, list[str]] = {}
    read = written = left = 0
    for row in _rows(place, measurement, origin, when):
        read += 1
        found = list(migrated(row, origin))
        left += not found
        written += len(found)
        for one in found:
            texts.setdefault(place.buckets[bucket_of(one.measurement)], []).append(line(one))
    for bucket, lines in texts.items():
        for begin in range(0, len(lines), BATCH):
            query = urlencode({"org": place.org, "bucket": bucket, "precision": "ms"})
            _call(place, f"/api/v2/write?{query}", "\n".join(lines[begin : begin + BATCH]).encode())
    return Migrated(measurement=measurement, hour_ms=hour_ms, read=read, written=written, left=left)


def _rows(place: DatabasePlace, measurement: str, origin: RowOrigin, when: str) -> Iterator[Row]:
    """Rows of a time that have no building: the old ones."""
    text = f'SELECT * FROM "{measurement}" WHERE {when} AND "site" = \'{origin.site}\' GROUP BY *'  # noqa: S608 - ours
    for series in _asked(place, text):
        tags = {name: value for name, value in series.get("tags", {}).items() if value}
        if "building" in tags:
            continue
        for time_ms, *values in series["values"]:
            pairs = zip(series["columns"][1:], values, strict=True)
            fields = {name: float(v) if type(v) is int else v for name, v in pairs if v is not None}
            yield Row(measurement=measurement, tags=tags, fields=fields, time_ms=int(time_ms))


def _span(place: DatabasePlace, measurement: str, origin: RowOrigin) -> tuple[int, int] | None:
    """Moments of the first and the last old row (ms); None without any."""
    moments = []
    for order in ("ASC", "DESC"):
        where = f"\"site\" = '{origin.site}'"
        text = f'SELECT * FROM "{measurement}" WHERE {where} GROUP BY * ORDER BY time {order} LIMIT 1'  # noqa: S608
        found = [one["values"][0][0] for one in _asked(place, text) if not one.get("tags", {}).get("building")]
        if not found:
            return None
        moments.append(min(found) if order == "ASC" else max(found))
    return int(moments[0]), int(moments[1])


def _asked(place: DatabasePlace, text: str) -> list[dict[str, Any]]:
    query = urlencode({"db": place.buckets[Bucket.RAW], "q": text, "epoch": "ms"})
    answer = json.loads(_call(place, f"/query?{query}", None))["results"][0]
    if "error" in answer:
        raise MigrationError(str(answer["error"])[:MOST_LETTERS])
    series: list[dict[str, Any]] = answer.get("series", [])
    return series


def _call(place: DatabasePlace, path: str, body: bytes | None) -> bytes:
    headers = {"Authorization": f"Token {place.token}"}
    request = urllib.request.Request(place.url.rstrip("/") + path, data=body, headers=headers)  # noqa: S310 - of the site file
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:  # noqa: S310
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as error:
        raise MigrationError(f"{error.code}: {error.read().decode(errors='replace')[:MOST_LETTERS]}") from error
    except OSError as error:
        raise MigrationError(f"{place.url} does not answer: {error}") from error
