"""Rows of readings: one of the device as a whole, one of each phase, and one of what is absent."""

import re
from collections.abc import Iterator, Mapping

from gateway.core.model.state import Reading
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row

_PHASE = re.compile(r"([a-z0-9_]+)_l([123])_([a-z]+)")  # p_l1_w


def reading_rows(fresh: Mapping[str, Reading], *, origin: RowOrigin, device: str, time_ms: int) -> Iterator[Row]:
    """Of a device's points that were read together; the measurement is its role."""
    tags = origin.device_tags(device)
    whole: dict[str, FieldValue] = {}
    phases: dict[str, dict[str, FieldValue]] = {}
    for name, reading in fresh.items():
        if reading.value is None:
            continue
        phase, field, value = column_of(name, float(reading.value))
        (whole if phase is None else phases.setdefault(phase, {}))[field] = value
    if whole:
        yield Row(measurement=origin.roles[device], tags=tags, fields=whole, time_ms=time_ms)
    for phase, fields in phases.items():
        yield Row(measurement="phase", tags={**tags, "phase": phase}, fields=fields, time_ms=time_ms)
    absent = {f"{name}_why": reading.why for name, reading in fresh.items() if reading.why is not None}
    if absent:
        yield Row(measurement="health", tags=tags, fields=absent, time_ms=time_ms)


def column_of(point: str, value: float) -> tuple[str | None, str, float]:
    """(phase, field, value) of a point: `p_l1_w` is `p_w` of phase L1, `soc` is `soc_pct`."""
    if point == "soc":
        return None, "soc_pct", 100.0 * value
    found = _PHASE.fullmatch(point)
    return (None, point, value) if found is None else (f"L{found[2]}", f"{found[1]}_{found[3]}", value)
