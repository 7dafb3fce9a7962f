"""Queries in InfluxQL, checked against the schema of the database while they are written.

A wrong name is no error in InfluxQL, only emptiness: so every name in double quotes is looked up here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.database.measurements import MEASUREMENTS
from gateway.database.schema import Bucket

SOURCES: Mapping[Bucket, str] = {Bucket.RAW: "zen-raw", Bucket.QUARTERS: "zen-quarters"}
HERE = '"site" =~ /^${site:regex}$/ AND "building" =~ /^${building:regex}$/'
FOR_NULL = "fill(none)"
DAY = "time(1d)"
EACH = "time($__interval)"
_QUOTED = re.compile(r'"(\w+)"')


class QueryError(ValueError):
    """A name that the schema does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to the database."""

    text: str
    source: str  # uid of the data source
    alias: str = ""  # the name of its series for people; `$tag_device` stands for the device
    is_table: bool = False  # whether the columns of its answer are those of a table


def query(
    measurement: str,
    select: str,
    *,
    by: Sequence[str] = (),
    where: str = "",
    alias: str = "",
    tail: str = "",
    everywhere: bool = False,
    is_table: bool = False,
) -> Query:
    """`select` over the building that is chosen (or all), grouped `by` tags and a time. Raises QueryError."""
    one = MEASUREMENTS[measurement]
    given = f"{select} {where}"
    for name in _QUOTED.findall(re.sub(r' AS "[^"]+"', "", given)):
        if one.kind_of(name) is None and name not in one.tags and name not in ("site", "building"):
            raise QueryError(f"{measurement} has no {name}: {select}")
    groups = [name if name.startswith("time(") else f'"{name}"' for name in by]
    wanted = [part for part in ("" if everywhere else HERE, where, "$timeFilter") if part]
    parts = [f'SELECT {select} FROM "{measurement}" WHERE {" AND ".join(wanted)}']  # noqa: S608 - all of it is ours
    if groups:
        parts.append(f"GROUP BY {', '.join(groups)}")
    if any(name.startswith("time(") for name in by):
        parts.append(FOR_NULL)
    if tail:
        parts.append(tail)
    if DAY in by:
        parts.append("tz('$tz')")
    return Query(text=" ".join(parts), source=SOURCES[one.bucket], alias=alias, is_table=is_table)
