"""The four ways through a case, side by side: no storage, the plain rule, the gateway, and the limit."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from gateway.core.model.levels import Floats, Levels
from gateway.core.planning.method import Method
from gateway.study.replay.case import Case
from gateway.study.replay.limit import perfect_eur
from gateway.study.replay.slots import Decide, cost_eur, replay, rule
from gateway.study.replay.spread import daily_eur, interval
from gateway.study.replay.zen import zen

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """EUR/day of each way, the cost of each day of two of them, and the mean time of one decision of the gateway."""

    none: float
    rule: float
    zen: float
    perfect: float
    plan_ms: float
    rule_daily: Floats
    zen_daily: Floats

    @property
    def less_than_rule(self) -> dict[str, float]:
        """EUR/day by which the gateway is cheaper than the rule, and how low and high other draws of days put it."""
        less = self.rule_daily - self.zen_daily
        low, high = interval(less)
        return {"mean": round(float(less.mean()), 4), "low": round(low, 4), "high": round(high, 4)}

    @property
    def eur_per_day(self) -> dict[str, float]:
        """Rounded to what was published: four digits."""
        ways = {"none": self.none, "rule": self.rule, "zen": self.zen, "perfect": self.perfect}
        return {way: round(eur, 4) for way, eur in ways.items()}

    @property
    def score(self) -> dict[str, float | None]:
        """S: the share of what was possible that was reached; None where a storage could gain nothing."""
        possible = self.none - self.perfect
        if possible <= 1e-9:
            return {"rule": None, "zen": None}
        ways = (("rule", self.rule), ("zen", self.zen))
        return {way: round((self.none - eur) / possible, 4) for way, eur in ways}


def compare(case: Case, method: Method, tick: Tick = lambda: None) -> Outcome:
    """All four; `tick` is called after each decision of the gateway. SolverError without a solver."""
    perfect = perfect_eur(case)
    before_s = perf_counter()
    own = replay(case, _ticking(zen(case, method), tick))
    plan_ms = (perf_counter() - before_s) * 1000.0 / case.steps
    plain = replay(case, rule(case))
    return Outcome(
        none=cost_eur(case, np.zeros(case.steps)) / case.days,
        rule=cost_eur(case, plain) / case.days,
        zen=cost_eur(case, own) / case.days,
        perfect=perfect / case.days,
        plan_ms=plan_ms,
        rule_daily=daily_eur(case, plain),
        zen_daily=daily_eur(case, own),
    )


def _ticking(decide: Decide, tick: Tick) -> Decide:
    def decided(step: int, energy_wh: float) -> Levels:
        levels = decide(step, energy_wh)
        tick()
        return levels

    return decided
