"""What is expected of a quantity, and whether it held: a pure function of the seconds of a run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Value = float | str | tuple[str, ...] | None
"""A power or another number, a word, the codes of a list; None where there is none."""

Row = Mapping[str, Value]
"""One second of a run: each quantity by its name, and `t`, its seconds since the start."""

Moment = Annotated[float, Field(ge=0.0, le=1e7, allow_inf_nan=False)]
AT_LEAST_ROWS = 1


class Expectation(BaseModel):
    """An `[[expect]]` table.

    `near`: another quantity, at most `by` away. `or_absent`: a number that is not there is as good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    quantity: str
    low: float | None = None
    high: float | None = None
    is_: str | None = Field(default=None, alias="is")
    is_not: str | None = None
    has: str | None = None
    near: str | None = None
    by: Annotated[float, Field(ge=0.0)] = 0.0
    or_absent: bool = False
    from_s: Moment = 0.0
    to_s: Moment | None = None
    within_s: Moment | None = None
    after: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        numbers = self.low is not None or self.high is not None
        if numbers + sum(one is not None for one in (self.is_, self.is_not, self.has, self.near)) != 1:
            raise ValueError("low or high (or both), or one of is, is_not, has and near")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low at most high")
        if self.to_s is not None and self.to_s < self.from_s:
            raise ValueError("to_s at or after from_s")
        return self

    def holds(self, row: Row) -> bool:
        """Whether it is so in one second; without a value nothing is, unless it may be absent."""
        value = row.get(self.quantity)
        if self.has is not None:
            return self.has in value if isinstance(value, tuple) else value == self.has
        if self.is_ is not None or self.is_not is not None:
            word = "" if value is None else str(value)
            return word == self.is_ if self.is_ is not None else word != self.is_not
        if not isinstance(value, int | float):
            return self.or_absent and value is None
        if self.near is not None:
            other = row.get(self.near)
            return isinstance(other, int | float) and abs(value - other) <= self.by
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def beyond(self, row: Row) -> float:
        """How far outside the value of a second is; infinite for one that is no number."""
        value = row.get(self.quantity)
        if self.near is not None and isinstance(value, int | float):
            other = row.get(self.near)
            return abs(value - other) - self.by if isinstance(other, int | float) else math.inf
        if not isinstance(value, int | float):
            return math.inf
        below = -math.inf if self.low is None else self.low - value
        above = -math.inf if self.high is None else value - self.high
        return max(below, above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an expectation. `settled_s`: from its beginning until it held for good, None if it never did.

    `worst_t`, `worst`: the moment and the value farthest from what was expected, of the seconds that did not hold.
    """

    expectation: Expectation
    held: bool
    share: float  # of the seconds that counted
    settled_s: float | None
    worst_t: float | None = None
    worst: Value = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        wanted = self.expectation.model_dump(by_alias=True, exclude_none=True)
        figures = {"held": self.held, "share": round(self.share, 4), "settled_s": self.settled_s}
        return {**wanted, **figures, "worst_t": self.worst_t, "worst": self.worst}


def judge(expectation: Expectation, rows: Sequence[Row], *, faults_at_s: Sequence[float]) -> Verdict:
    """Whether an expectation held. `rows` are in the order of time; `faults_at_s`: when each fault began."""
    begin_s = expectation.from_s
    if expectation.after is not None:
        begin_s = max(begin_s, faults_at_s[expectation.after - 1])
    end_s = math.inf if expectation.to_s is None else expectation.to_s
    seen = [row for row in rows if begin_s <= _t(row) <= end_s]
    counted = [row for row in seen if _t(row) >= begin_s + (expectation.within_s or 0.0)]
    bad = [row for row in counted if not expectation.holds(row)]
    share = 1.0 - len(bad) / len(counted) if counted else 0.0
    worst = max(bad, key=expectation.beyond, default=None)
    return Verdict(
        expectation=expectation,
        held=len(counted) >= AT_LEAST_ROWS and share >= expectation.share,
        share=share,
        settled_s=_settled_s(expectation, seen, begin_s),
        worst_t=None if worst is None else _t(worst),
        worst=None if worst is None else worst.get(expectation.quantity),
    )


def _settled_s(expectation: Expectation, seen: Sequence[Row], begin_s: float) -> float | None:
    """From the beginning to the first second from which on it always held."""
    settled: float | None = None
    for row in reversed(seen):
        if not expectation.holds(row):
            break
        settled = round(max(_t(row) - begin_s, 0.0), 3)
    return settled


def _t(row: Row) -> float:
    t = row["t"]
    assert isinstance(t, int | float)  # noqa: S101 - every row has its moment
    return float(t)
