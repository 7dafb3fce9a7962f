"""A case of a study: a record of a building, its storage, connection and prices, and where the counting starts."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from gateway.core.model.history import History
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A recorded building with a storage, some steps of which are counted."""

    # The whole record, without gaps.
    record: History
    # The same with NaN where forecasts must not learn.
    usable: History
    # The first counted step of the record.
    first: int
    # How many steps are counted.
    steps: int
    storage: Storage
    # What it holds before the first counted step (Wh above empty).
    start_wh: float
    # Price of imported energy (EUR/kWh), on the steps of the record.
    buy: Floats
    # Price of exported energy (EUR/kWh), on the same steps.
    sell: Floats
    # Paid (EUR/kWh) for what is stored in the end beyond `start_wh`, and owed for what is missing.
    end_price: float = 0.0
    # What the grid connection bears.
    limits: GridLimits = NO_LIMITS
    # The local clock, which loads follow.
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
