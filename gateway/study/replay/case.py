"""A case of a study: a record of a building, its storage, connection and prices, and where the counting starts."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from gateway.core.model.history import History
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`record` is the whole record, gap-free; `usable` marks in it what forecasts may learn from (NaN elsewhere).

    Counted are `steps` steps from the step `first` on. `buy` and `sell` (EUR/kWh) are on the steps of the record.
    `end_price` (EUR/kWh) is paid for what is stored in the end beyond `start_wh`, and owed for what is missing.
    """

    record: History
    usable: History
    first: int
    steps: int
    storage: Storage
    start_wh: float
    buy: Floats
    sell: Floats
    end_price: float = 0.0
    limits: GridLimits = NO_LIMITS
    zone: tzinfo = UTC

    @property
    def hours(self) -> float:
        """Length of a step."""
        return self.record.step_s / 3600.0

    @property
    def days(self) -> float:
        """Length of what is counted."""
        return self.steps * self.hours / 24.0

    @property
    def net_w(self) -> Floats:
        """Load and PV together, counted steps only."""
        span = slice(self.first, self.first + self.steps)
        return self.record.load_w[span] + self.record.pv_w[span]

    @property
    def prices(self) -> tuple[Floats, Floats]:
        """`buy` and `sell`, counted steps only."""
        span = slice(self.first, self.first + self.steps)
        return self.buy[span], self.sell[span]
