"""What of an observation outlives a restart, and a clock that is set back: marked beside each of its fields.

Keys and units in the store are those of the fields.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

_STEP, _MOMENT = "kept in steps of", "is a moment"
KEPT_WH = 100.0  # energies are kept in steps, so that the disk is not written each second


class Dataclass(Protocol):
    """A dataclass, or an instance of one."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


Observation = TypeVar("Observation", bound=Dataclass)


def moment(*, step_s: float = 0.0) -> dict[str, object]:
    """Metadata of a moment (UTC, None where there is none) that is kept, in steps where they are given."""
    return {_STEP: step_s, _MOMENT: True}


def amount(*, step: float) -> dict[str, object]:
    """Metadata of a number that is kept in such steps, rounded down."""
    return {_STEP: step}


def kept(observation: Dataclass) -> dict[str, float | None]:
    """What is to be kept."""
    return {field.name: _coarse(getattr(observation, field.name), field) for field in _marked(observation)}


def recalled(unseen: Observation, row: Mapping[str, Any]) -> Observation:
    """An observation of which nothing is known yet, with what was kept. TypeError, ValueError for what is no number."""
    found = {field.name: _number(row[field.name]) for field in _marked(unseen) if row.get(field.name) is not None}
    return dataclasses.replace(unseen, **found)


def not_ahead(observation: Observation, utc_s: float) -> Observation:
    """Without moments that have not come yet: the clock was set back."""
    moments = {field.name: getattr(observation, field.name) for field in _marked(observation, _MOMENT)}
    past = {name: min(at_s, utc_s) for name, at_s in moments.items() if at_s is not None}
    return dataclasses.replace(observation, **past)


def _marked(observation: Dataclass, mark: str = _STEP) -> list["dataclasses.Field[Any]"]:
    return [field for field in dataclasses.fields(observation) if mark in field.metadata]


def _coarse(value: float | None, field: "dataclasses.Field[Any]") -> float | None:
    step = float(field.metadata[_STEP])
    return value if value is None or step == 0.0 else value // step * step


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"no number: {value!r}")
    return float(value)
