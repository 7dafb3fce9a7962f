"""Every measurement of the database: the one place for its names. docs/database.md is written from it."""

from collections.abc import Iterable, Iterator, Mapping

from gateway.database.accounted import ACCOUNTED
from gateway.database.measured import MEASURED
from gateway.database.schema import Bucket, Measurement
from gateway.ports import Row

MEASUREMENTS: Mapping[str, Measurement] = {one.name: one for one in (*MEASURED, *ACCOUNTED)}


def bucket_of(measurement: str) -> Bucket:
    """Where rows of this name go; one that nobody knows is of an older release, and those wrote readings."""
    found = MEASUREMENTS.get(measurement)
    return Bucket.RAW if found is None else found.bucket


def mistakes(rows: Iterable[Row]) -> Iterator[str]:
    """What in these rows does not fit the schema, in words."""
    for row in rows:
        measurement = MEASUREMENTS.get(row.measurement)
        if measurement is None:
            yield f"no measurement {row.measurement}"
        else:
            yield from measurement.mistakes(row)
