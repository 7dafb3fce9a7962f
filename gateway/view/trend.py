"""The last day in steps of ten seconds, from memory."""

import math
from collections import deque
from collections.abc import Mapping, Sequence

from gateway.adapters.store.history import TREND_S
from gateway.adapters.store.schema import TREND
from gateway.view.schema.trend import TrendView

DAY_S = 86400
MOST_POINTS = 1500  # more than a screen has columns

Step = tuple[float | None, ...]
"""The start of a step (UTC) and the means of `TREND` over it."""

Values = Mapping[str, float | None]


class RecentTrend:
    """Means over steps of ten seconds, a day of them; begins with the steps that the store remembers."""

    def __init__(self, past: Sequence[Step]) -> None:
        self._steps: deque[Step] = deque(past, maxlen=DAY_S // TREND_S + 1)
        self._open: list[Values] = []
        self._open_t = 0

    def add(self, utc_s: float, values: Values) -> tuple[int, Values] | None:
        """Take the values of one cycle in; gives the step that this completes (its start, its means), if it does."""
        t = int(utc_s) // TREND_S * TREND_S
        done = None
        if self._open and t != self._open_t:
            done = self._open_t, {name: _mean([row.get(name) for row in self._open]) for name in TREND}
            self._steps.append((done[0], *done[1].values()))
            self._open = []
        self._open_t = t
        self._open.append(values)
        return done

    def since(self, utc_s: float) -> TrendView:
        """The steps that begin at this moment or later, thinned to what a screen shows."""
        steps = [step for step in self._steps if step[0] is not None and step[0] >= utc_s]
        width = math.ceil(len(steps) / MOST_POINTS) or 1
        groups = [steps[i : i + width] for i in range(0, len(steps), width)]
        means = {
            name: [_mean([step[i] for step in group]) for group in groups] for i, name in enumerate(TREND, start=1)
        }
        return TrendView(t=[t for group in groups if (t := group[0][0]) is not None], **means)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
