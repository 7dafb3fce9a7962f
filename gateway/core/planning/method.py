"""The parameters of forecasting and planning: one set for every building and every bench (`config/planner.toml`)."""

from dataclasses import dataclass, field

from gateway.core.model.levels import Floats
from gateway.core.planning.storage.grid_goal import GridMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningMethod:
    """How the recursion works.

    `energy_points`: grid of stored energy. `mixing_per_half_hour`: how much of what the scenarios know is forgotten in
    half an hour (rho). `end_value_share`: what is stored behind the horizon is worth this share of the least price.
    """

    energy_points: int = 41
    mixing_per_half_hour: float = 0.1
    end_value_share: float = 0.95
    horizon_h: float = 24.0

    def __post_init__(self) -> None:
        """Raises ValueError outside of what the recursion bears."""
        if not (2 <= self.energy_points <= 1001 and 1.0 <= self.horizon_h <= 96.0):
            raise ValueError("2 to 1001 energy points and a horizon of 1 to 96 h")
        if not (0.0 <= self.mixing_per_half_hour <= 1.0 and 0.0 <= self.end_value_share <= 1.0):
            raise ValueError("mixing and end value are shares 0 to 1")

    def mixing(self, hours: float) -> float:
        """How much is forgotten in a step (0…1)."""
        return float(1.0 - (1.0 - self.mixing_per_half_hour) ** (hours / 0.5))

    def end_worth(self, buy: Floats) -> float:
        """EUR/kWh of what is stored behind the horizon, from the prices before."""
        return self.end_value_share * float(buy.min())


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastMethod:
    """How scenarios are drawn from similar past days.

    `days`: how far back is looked; `similar_days`: the nearest of them are candidates. `*_memory_days`: weights fall by
    1/e in this time. `*_similarity`: exponents of the similarity kernels (0: all days alike). `same_weekday`: how many
    times a day counts as candidate for the load when it was the same weekday. `regression_prior_days`: how many days
    without any relation between today and tomorrow are counted beside those seen.
    """

    scenarios: int = 24
    days: int = 56
    similar_days: int = 42
    load_memory_days: float = 8.0
    pv_memory_days: float = 12.0
    load_similarity: float = 0.5
    pv_similarity: float = 1.5
    same_weekday: float = 3.0
    regression_memory_days: float = 28.0
    regression_prior_days: float = 10.0
    load_floor_w: float = 30.0
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
    """All of it."""

    planning: PlanningMethod = field(default_factory=PlanningMethod)
    forecast: ForecastMethod = field(default_factory=ForecastMethod)
    grid_goal: GridMethod = field(default_factory=GridMethod)
