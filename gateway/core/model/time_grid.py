"""Equal steps of time, cut where something changes inside them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGrid:
    """Steps of equal length, one after the other."""

    # When the first step begins (UTC).
    start_s: float
    # Length of a step (s).
    step_s: float
    # Number of steps.
    steps: int

    @property
    def end_s(self) -> float:
        """Where the last step ends (UTC)."""
        return self.start_s + self.step_s * self.steps

    def pieces(self, edges: Iterable[float]) -> Iterator[list[tuple[float, float]]]:
        """Of each step its pieces between the edges: the moment a piece begins, and its share of the step (0…1]."""
        inside = sorted({edge for edge in edges if self.start_s < edge < self.end_s})
        at = 0
        for step in range(self.steps):
            begin_s, end_s = self.start_s + step * self.step_s, self.start_s + (step + 1) * self.step_s
            cuts = [begin_s]
            while at < len(inside) and inside[at] < end_s:
                if inside[at] > begin_s:
                    cuts.append(inside[at])
                at += 1
            yield [(a, (b - a) / self.step_s) for a, b in pairwise([*cuts, end_s])]


def mean(values: list[float], shares: list[float]) -> float:
    """The mean weighted by time; of equal values exactly that value."""
    first = values[0]
    if all(value == first for value in values):
        return first
    return sum(value * share for value, share in zip(values, shares, strict=True))
