"""The parameters of forecasting and planning: one set for every building and every bench."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningMethod:
    """How the recursion works; docs/planning.md says what each one does."""

    energy_points: int = 41
    mixing_per_half_hour: float = 0.2
    end_value_share: float = 0.95
    horizon_h: float = 24.0
    max_age_s: float = 2 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastMethod:
    """How scenarios are drawn from what the building did."""

    scenarios: int = 24
    days: int = 28
    load_memory_days: float = 4.0
    pv_memory_days: float = 5.0
    load_floor_w: float = 30.0
    correction_half_life_h: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """All of it."""

    planning: PlanningMethod = field(default_factory=PlanningMethod)
    forecast: ForecastMethod = field(default_factory=ForecastMethod)
