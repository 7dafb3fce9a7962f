"""The measurements of the database, from their schema."""

from collections.abc import Iterator

from gateway.database.measurements import MEASUREMENTS
from gateway.database.schema import ROLES, Bucket, Kind, Measurement
from pages.tables import markdown_table

KEPT = {Bucket.RAW: "90 days are enough (`bucket`)", Bucket.QUARTERS: "for ever (`quarters_bucket`)"}


def database_page() -> Iterator[str]:
    """A table of all measurements, then one of the fields of each."""
    yield "How to use it stands in [database.md](../database.md). Every row has the tags `site` and"
    yield "`building` (a gap has no `building`);"
    yield f"`role` is one of {', '.join(ROLES)}. Numbers are floats, their unit is the end of their name, powers are"
    yield "positive when they are drawn from the building (the grid's when the building imports). What is not known is"
    yield "left out of a row.\n"
    rows = (
        (f"[`{one.name}`](#{one.name})", ", ".join(f"`{tag}`" for tag in one.tags) or "–", one.when, KEPT[one.bucket])
        for one in MEASUREMENTS.values()
    )
    yield from markdown_table(("measurement", "further tags", "a row", "kept"), rows)
    for one in MEASUREMENTS.values():
        yield f"\n## {one.name}\n\n{one.what}\n"
        yield from markdown_table(("field", "unit", "what it is"), _fields(one))


def _fields(one: Measurement) -> Iterator[tuple[str, str, str]]:
    for column in one.columns:
        yield f"`{column.name}`", column.unit or ("text" if column.kind is Kind.TEXT else "–"), column.what
    for family in one.families:
        unit = "text" if family.kind is Kind.TEXT else "by its ending"
        yield family.shown, unit, family.what
