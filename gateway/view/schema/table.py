"""The schema as CSV (RFC 4180): columns as columns, lists as rows, moments in UTC."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from gateway.view.schema.encoder import Json, encode

MOMENTS = {"t": "begin_utc", "since_s": "since_utc", "until_s": "until_utc"}  # of keys in s since 1970: the headings


def csv_text(shown: object) -> str:
    """A view of columns, or one with a list of objects, as a table with a heading."""
    encoded = encode(shown)
    if not isinstance(encoded, Mapping):
        raise TypeError(f"no table: {shown!r}")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(_by_columns(encoded) if "t" in encoded else _by_rows(encoded))
    return out.getvalue()


def _by_columns(encoded: Mapping[str, Json]) -> Iterator[Sequence[object]]:
    columns = dict(_columns(encoded, ""))
    yield [MOMENTS.get(name, name) for name in columns]
    yield from zip(*([_cell(name, one) for one in column] for name, column in columns.items()), strict=True)


def _columns(encoded: Mapping[str, Json], before: str) -> Iterator[tuple[str, Sequence[Json]]]:
    """Each column with its path: `devices.grid.drawn_wh`."""
    for name, value in encoded.items():
        if isinstance(value, Mapping):
            yield from _columns(value, f"{before}{name}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{before}{name}", value


def _by_rows(encoded: Mapping[str, Json]) -> Iterator[Sequence[object]]:
    for found in encoded.values():
        if isinstance(found, Sequence) and not isinstance(found, str):
            rows = [row for row in found if isinstance(row, Mapping)]
            names = list(rows[0]) if rows else []
            yield [MOMENTS.get(name, name) for name in names]
            yield from ([_cell(name, row[name]) for name in names] for row in rows)


def _cell(name: str, value: Json) -> object:
    """A value as it is written in its column."""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if name in MOMENTS and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value
