"""The parameters of planning, and with those of forecasting one set for every building and every bench.

The set is written in `config/planner.toml`; docs/planning.md has the benches behind the values: "Many homes" means 104
windows of up to 28 days of nine homes, and the tables of changes tried on 60 and 90 of them.
"""

from dataclasses import dataclass, field

from gateway.core.forecast.method import ForecastMethod
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
class Method:
    """The parameters with which forecasts and plans of a building are made."""

    # How the storage is planned.
    planning: PlanningMethod = field(default_factory=PlanningMethod)
    # How scenarios are drawn.
    forecast: ForecastMethod = field(default_factory=ForecastMethod)
