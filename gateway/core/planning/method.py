"""The parameters of forecasting and planning: one set for every building and every bench (`config/planner.toml`).

docs/planning.md has the benches behind the values: "Many homes" means 104 windows of up to 28 days of nine homes, and
the tables of changes tried on 60 and 90 of them.
"""

from dataclasses import dataclass, field

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningMethod:
    """How the dynamic program of the storage works."""

    # Points of the grid of stored energy, from empty to full. 41: a finer grid finds the same levels (test_planner).
    energy_points: int = 41
    # Share 0…1 of what each scenario knows of its own future that is forgotten in half an hour (rho). "Many homes":
    # 0.4 costs 0.003 of the score S, 0.05 changes nothing.
    mixing_per_half_hour: float = 0.1
    # Energy stored behind the horizon is valued at this share 0…1 of the least price. "Many homes": 1.0 costs 0.001.
    end_value_share: float = 0.95
    # How far a plan of a study reaches (h, 1…96). "Many homes": 32 or 44 h cost 0.001.
    horizon_h: float = 24.0

    def __post_init__(self) -> None:
        """Raises ValueError outside of what the dynamic program can work with."""
        if not (2 <= self.energy_points <= 1001 and 1.0 <= self.horizon_h <= 96.0):
            raise ValueError("2 to 1001 energy points and a horizon of 1 to 96 h")
        if not (0.0 <= self.mixing_per_half_hour <= 1.0 and 0.0 <= self.end_value_share <= 1.0):
            raise ValueError("mixing and end value are shares 0 to 1")

    def mixing(self, hours: float) -> float:
        """How much is forgotten in a step of this length (0…1)."""
        return float(1.0 - (1.0 - self.mixing_per_half_hour) ** (hours / 0.5))

    def end_value(self, buy: Floats) -> float:
        """EUR/kWh of what is stored behind the horizon, from the prices before it."""
        return self.end_value_share * float(buy.min())


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastMethod:
    """How scenarios are drawn from similar past days; chosen on "Many homes" and on scaled records."""

    # Scenarios drawn (1…1000). 24 pairs describe the net energy nearly as well as 96 days drawn separately; with 40
    # S is equal.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What forecasts and plans of a building are made with."""

    # How the storage is planned.
    planning: PlanningMethod = field(default_factory=PlanningMethod)
    # How scenarios are drawn.
    forecast: ForecastMethod = field(default_factory=ForecastMethod)
