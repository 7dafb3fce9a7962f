"""Rows as release 0.1.0 named them, and what they are called now.

| before | now |
|---|---|
| `meter` | `grid` or `load`, by the role of the device; its phases in `phase` |
| `pv`, `battery` | the same, with building and role; phases in `phase` |
| `state` with `<device>_w` | `site`, with sums by role |
| `control` | the same, with building and role |
| `health` of a device | `health`; counters that go on elsewhere in `event` |
| `health` of a node | `node` |
"""

from collections.abc import Callable, Iterator, Mapping

from gateway.database.measurements import MEASUREMENTS
from gateway.database.reading_rows import column_of
from gateway.database.schema import Kind
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row

NODE_STATES = {"up": "is_up", "heard": "is_heard", "twin": "is_twin", "build": "build"}
ROLE_SUMS = {"pv": "pv_w", "battery": "battery_w", "load": "loads_w"}


def migrated(row: Row, origin: RowOrigin) -> Iterator[Row]:
    """The rows that stand for an old one; none where its device is not in the site file any more."""
    make = _MAKERS.get(row.measurement)
    if make is not None:
        yield from make(row, origin)


def _reading(row: Row, origin: RowOrigin) -> Iterator[Row]:
    device = row.tags.get("device", "")
    if device not in origin.roles:
        return
    tags = origin.device_tags(device)
    parts: dict[str | None, dict[str, FieldValue]] = {}
    for name, value in row.fields.items():
        if not isinstance(value, str):
            phase, field, number = column_of(name, float(value))
            parts.setdefault(phase, {})[field] = number
    for phase, fields in parts.items():
        measurement = origin.roles[device] if phase is None else "phase"
        whole = tags if phase is None else {**tags, "phase": phase}
        yield Row(measurement=measurement, tags=whole, fields=fields, time_ms=row.time_ms)


def _state(row: Row, origin: RowOrigin) -> Iterator[Row]:
    """Sums by role, each only where all of its devices are known; the load and its range keep their names."""
    fields = _fitting("site", row.fields)
    grid = next((device for device, role in origin.roles.items() if role == "grid"), "")
    if isinstance(power_w := row.fields.get(f"{grid}_w"), float):
        fields["grid_w"] = power_w
    for role, name in ROLE_SUMS.items():
        found = [row.fields.get(f"{device}_w") for device, its in origin.roles.items() if its == role]
        known = [power_w for power_w in found if isinstance(power_w, float)]
        if found and len(known) == len(found):
            fields[name] = sum(known)
        else:
            fields.pop(name, None)
    if fields:
        yield Row(measurement="site", tags=origin.site_tags(), fields=fields, time_ms=row.time_ms)


def _control(row: Row, origin: RowOrigin) -> Iterator[Row]:
    device = row.tags.get("device", "")
    fields = _fitting("control", row.fields)
    if device in origin.roles and fields:
        yield Row(measurement="control", tags=origin.device_tags(device), fields=fields, time_ms=row.time_ms)


def _health(row: Row, origin: RowOrigin) -> Iterator[Row]:
    if node := row.tags.get("node"):
        said = {name.removeprefix("node_"): value for name, value in row.fields.items()}
        fields = _fitting("node", said)
        fields |= {now: float(said[name]) for name, now in NODE_STATES.items() if name in said}
        if fields:
            yield Row(measurement="node", tags=origin.tags(node, "node"), fields=fields, time_ms=row.time_ms)
        return
    device = row.tags.get("device", "")
    if device not in origin.roles:
        return
    tags = origin.device_tags(device)
    if fields := _fitting("health", row.fields):
        yield Row(measurement="health", tags=tags, fields=fields, time_ms=row.time_ms)
    for name, what in row.fields.items():
        if name.endswith("_event"):
            point = name.removesuffix("_event")
            fields = {"code": str(what), "point": point}
            for end in ("before", "after"):
                if f"{point}_{end}" in row.fields:
                    fields[f"{end}_wh"] = float(row.fields[f"{point}_{end}"])
            yield Row(measurement="event", tags=tags, fields=fields, time_ms=row.time_ms)


def _fitting(measurement: str, fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Those that the measurement still has, with the types that it has now."""
    one, found = MEASUREMENTS[measurement], dict[str, FieldValue]()
    for name, value in fields.items():
        kind = one.kind_of(name)
        if kind is Kind.TEXT:
            found[name] = str(value)
        elif kind is Kind.NUMBER and not isinstance(value, str):
            found[name] = float(value)
    return found


_MAKERS: Mapping[str, Callable[[Row, RowOrigin], Iterator[Row]]] = {
    "meter": _reading,
    "pv": _reading,
    "battery": _reading,
    "state": _state,
    "control": _control,
    "health": _health,
}
OLD = tuple(_MAKERS)
