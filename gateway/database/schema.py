"""What a measurement of the database is made of, and whether a row fits one.

Numbers are always floats: the type of a field is fixed by the first value that a database ever got. The unit of a field
is the ending of its name, and powers follow the sign rule of the whole gateway (drawn from the building: positive).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.ports import Row


class Bucket(StrEnum):
    """How long rows are kept."""

    RAW = "raw"  # readings and cycles: 90 days
    QUARTERS = "quarters"  # what is looked up years later: for ever


class Kind(StrEnum):
    """What a field holds."""

    NUMBER = "number"
    TEXT = "text"


# Longest ending first, so that `buy_eur_per_kwh` is not a number of `kwh`.
UNITS: Mapping[str, str] = {
    "eur_per_kwh": "EUR/kWh",
    "g_per_kwh": "g/kWh",
    "var": "var",
    "eur": "EUR",
    "pct": "%",
    "wh": "Wh",
    "va": "VA",
    "hz": "Hz",
    "ms": "ms",
    "mb": "MiB",
    "kb": "KiB",
    "w": "W",
    "v": "V",
    "a": "A",
    "c": "°C",
    "g": "g",
    "s": "s",
}
ROLES = ("grid", "pv", "battery", "load", "node", "gateway")
PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of a measurement."""

    name: str  # its unit is its ending
    what: str  # for people who write queries
    kind: Kind = Kind.NUMBER

    @property
    def unit(self) -> str:
        """The unit, "" for texts, counts and states."""
        return unit_of(self.name) if self.kind is Kind.NUMBER else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFamily:
    """Fields that come of a list elsewhere, such as the points of devices."""

    pattern: str  # of their names, a regular expression
    shown: str  # the same for people
    what: str
    texts: tuple[str, ...] = ()  # those that hold a text; the others are numbers
    kind: Kind = Kind.NUMBER

    def kind_of(self, name: str) -> Kind:
        """What the field of this name holds."""
        return Kind.TEXT if name in self.texts else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """All rows of one kind."""

    name: str
    what: str
    when: str  # a row is written, in words; the time of the row
    bucket: Bucket
    tags: tuple[str, ...]  # beside `site` and `building`, which every row has; all are there in each row
    columns: tuple[Column, ...]
    families: tuple[ColumnFamily, ...] = field(default=())
    is_of_building: bool = True  # whether it has the tag `building`: what went may have been of several

    def kind_of(self, name: str) -> Kind | None:
        """What a field holds; None for one that does not belong here."""
        for column in self.columns:
            if column.name == name:
                return column.kind
        return next((one.kind_of(name) for one in self.families if re.fullmatch(one.pattern, name)), None)

    def mistakes(self, row: Row) -> Iterator[str]:
        """What does not fit, in words; nothing for a row that does."""
        wanted = {"site", *(["building"] if self.is_of_building else []), *self.tags}
        if set(row.tags) != wanted:
            yield f"{self.name}: tags {', '.join(sorted(row.tags))} instead of {', '.join(sorted(wanted))}"
        yield from (f"{self.name}: tag {name} is empty" for name, value in row.tags.items() if not value)
        if row.tags.get("role", ROLES[0]) not in ROLES:
            yield f"{self.name}: role {row.tags['role']} is none of {', '.join(ROLES)}"
        if row.tags.get("phase", PHASES[0]) not in PHASES:
            yield f"{self.name}: phase {row.tags['phase']} is none of {', '.join(PHASES)}"
        if not row.fields:
            yield f"{self.name}: a row without fields"
        for name, value in row.fields.items():
            kind = self.kind_of(name)
            if kind is None:
                yield f"{self.name}: no field {name}"
            elif not isinstance(value, float if kind is Kind.NUMBER else str):
                yield f"{self.name}.{name}: {kind} is needed, {type(value).__name__} came"


def unit_of(name: str) -> str:
    """The unit that a name ends with; "" where it ends with none."""
    return next((unit for ending, unit in UNITS.items() if name == ending or name.endswith(f"_{ending}")), "")
