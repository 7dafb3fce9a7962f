"""Labels of a telegram as a node ships them, to readings: two registers each, all ones where there was nothing."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.adapters.products.points import Label
from gateway.core.model.state import Reading

REGISTERS = 2  # of a label in a record
ABSENT = 0xFFFFFFFF  # both registers of a label that the telegram did not have

WireLabel = tuple[str, str]  # a label and its form on the wire


def wire_labels(points: Iterable[Label]) -> list[WireLabel]:
    """The labels of some points in the order in which they travel, each once."""
    return list(dict.fromkeys(label for point in points for label in point.wire_labels))


def runs(points: Sequence[Label], *, most: int) -> Iterable[list[Label]]:
    """The points in parts that need no more than so many labels each."""
    run: list[Label] = []
    for point in points:
        if len(wire_labels([*run, point])) > most:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def readings(points: Sequence[Label], registers: Sequence[int], measured_s: float) -> Mapping[str, Reading]:
    """Readings of the points of a block; an optional point without its label has none at all."""
    numbers = (registers[i] << 16 | registers[i + 1] for i in range(0, len(registers), REGISTERS))
    data = dict(zip((label for label, _ in wire_labels(points)), numbers, strict=True))
    present = {label: number for label, number in data.items() if number != ABSENT}
    return {
        point.name: _reading(point, present, measured_s)
        for point in points
        if point.missing or _raw(point, present) is not None or not point.optional
    }


def _raw(point: Label, present: Mapping[str, int]) -> float | None:
    """The number of its label, or of what stands for it in this frame."""
    instead = point.instead
    if point.label in present or instead is None:
        return present.get(point.label)
    parts = [present[label] for label in instead.labels if label in present]
    if len(parts) < len(instead.labels) or instead.unless in present:
        return None
    return instead.scale * sum(parts)


def _reading(point: Label, present: Mapping[str, int], measured_s: float) -> Reading:
    if point.missing:
        return Reading(value=0.0 if point.label in present else 1.0, measured_s=measured_s)
    raw = _raw(point, present)
    opposite = present.get(point.minus) if point.minus else None
    if raw is None or point.unless in present or (point.one_sided and raw == 0 and opposite is None):
        return Reading.absent("nan", measured_s)
    if point.texts is not None:
        text = present[point.label].to_bytes(4, "big").lstrip(b"\0").decode("ascii", "replace")
        if text not in point.texts:
            return Reading.absent("implausible", measured_s)
        raw = point.texts[text]
    if point.bits is not None:
        first, count = point.bits
        raw = present[point.label] >> first & (1 << count) - 1
    value = (raw - (opposite or 0)) * point.scale * point.sign
    if not point.low <= value <= point.high:
        return Reading.absent("implausible", measured_s)
    return Reading(value=value or 0.0, measured_s=measured_s)
