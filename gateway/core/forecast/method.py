"""The parameters of forecasting; `core.planning.method` tells the benches behind the values and where they stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastMethod:
    """How scenarios are drawn from similar past days; chosen on "Many homes" and on scaled records."""

    # Scenarios drawn (1…1000). 24 pairs tell the net energy nearly as well as 96 days drawn apart; with 40 S is equal.
    scenarios: int = 24
    # How many past days the regressions look back (up to 400).
    days: int = 56
    # The latest of them that are candidates for a scenario. 42 instead of 28, weekdays and pairs together: S + 0.0036.
    similar_days: int = 42
    # Age (days) at which the weight of a load candidate has fallen to 1/e.
    load_memory_days: float = 8.0
    # The same for PV candidates: 20 days (with 56 for the regression) cost 0.001 of S.
    pv_memory_days: float = 12.0
    # Exponent of the similarity of the loads before (0: all days alike). No similarity at all, load and PV:
    # S - 0.007.
    load_similarity: float = 0.5
    # The same for the sunshine before.
    pv_similarity: float = 1.5
    # How many times a day counts for the load when it was the same weekday (0…100); see `similar_days`.
    same_weekday: float = 3.0
    # Age (days) at which the weight of a day in the regression of the coming day is 1/e; see `pv_memory_days`.
    regression_memory_days: float = 28.0
    # Days without any relation between today and tomorrow that count beside those seen (the ridge). No figure is
    # recorded for it alone.
    regression_prior_days: float = 10.0
    # Least load of a scenario (W): moved days must not fall below a home on standby. No figure is recorded for it.
    load_floor_w: float = 30.0
    # Time (h) in which the distance between the load of now and a scenario halves. No figure is recorded for it.
    correction_half_life_h: float = 0.5

    def __post_init__(self) -> None:
        """Raises ValueError outside of what can be drawn."""
        if not (1 <= self.scenarios <= 1000 and 1 <= self.similar_days <= self.days <= 400):
            raise ValueError("1 to 1000 scenarios, and 1 to 400 days of which some are candidates")
        memories = (self.load_memory_days, self.pv_memory_days, self.regression_memory_days)
        if min(*memories, self.correction_half_life_h) <= 0.0:
            raise ValueError("memories and the half-life are longer than 0")
        similarities = (self.load_similarity, self.pv_similarity)
        if min(*similarities, self.regression_prior_days, self.load_floor_w) < 0.0:
            raise ValueError("similarities, prior days and the floor are not negative")
        if not 0.0 < self.same_weekday <= 100.0:
            raise ValueError("the same weekday counts more than 0 and at most 100 times")
