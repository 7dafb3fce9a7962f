"""Answers that are ones alone: what many a product sends where it has nothing to say.

In the longer types without a sign that is never a value. A signed register would be -1 by it, and one of 16 bits 65535,
which may be true: then the neighbours say so, in the same answer or in the device's other ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.adapters.node.poll_tables import Block
from gateway.adapters.products.points import COILS, Point
from gateway.adapters.products.registers import are_ones
from gateway.core.model.state import Reading

NEAR = 50.0  # times the number that ones stand for (a watt, a tenth of a degree): so near it comes about by itself

Place = tuple[str, int]  # table and first address of a block


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The newest answer of a block. `since_s`: since when it has been ones alone, or something else."""

    measured_s: float
    is_ones: bool
    since_s: float


@dataclass(slots=True)
class BlankAnswers:
    """Remembers the newest answer of each block, by device, and the last value of each point that is read alone."""

    _answers: dict[str, dict[Place, Answer]] = field(default_factory=dict)
    _last: dict[tuple[str, str], float] = field(default_factory=dict)

    def check(self, block: Block, registers: tuple[int, ...], fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
        """The readings of a block's answer, absent where ones alone are no value."""
        first = block.points[0]
        if not isinstance(first, Point) or not registers:
            return fresh
        place = (first.table, block.first)
        known = self._answers.setdefault(block.device, {})
        others = [answer for at, answer in known.items() if at != place]
        if first.table in COILS:
            is_blank = all(abs(reading.value or 0.0) == 1.0 for reading in fresh.values()) and _newest_is_ones(others)
        else:
            answer = _after(known.get(place), fresh, is_ones=are_ones(registers))
            known[place] = answer
            is_blank = answer.is_ones and (
                block.registers > first.count or self._is_doubtful(block, fresh, answer, others)
            )
        if is_blank:
            return {name: Reading.absent("nan", reading.measured_s) for name, reading in fresh.items()}
        self._last |= {(block.device, name): one.value for name, one in fresh.items() if one.value is not None}
        return fresh

    def _is_doubtful(self, block: Block, fresh: Mapping[str, Reading], answer: Answer, others: list[Answer]) -> bool:
        """Whether ones alone in an answer of one value are none: as long as no other answer is known to be sound.

        An answer from before these ones began proves nothing; then a value that was near before may stay.
        """
        if not others:
            return len(block.profile.registers) > len(block.points)
        if _newest_is_ones(others):
            return True
        if any(other.measured_s >= answer.since_s and not other.is_ones for other in others):
            return False
        [(name, reading)] = fresh.items()
        last = self._last.get((block.device, name))
        return last is None or reading.value is None or abs(last) > NEAR * abs(reading.value)


def _after(before: Answer | None, fresh: Mapping[str, Reading], *, is_ones: bool) -> Answer:
    measured_s = next(iter(fresh.values())).measured_s
    is_same = before is not None and before.is_ones == is_ones
    since_s = before.since_s if before is not None and is_same else measured_s
    return Answer(measured_s=measured_s, is_ones=is_ones, since_s=since_s)


def _newest_is_ones(others: list[Answer]) -> bool:
    return bool(others) and max(others, key=lambda answer: answer.measured_s).is_ones
