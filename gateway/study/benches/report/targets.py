"""What was set out to be reached, as rows: each names the figure, the bound and which side of it is good."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.study.benches.report.benches import HOME_STARTS, MINUTE_STARTS
from gateway.study.benches.report.results import Results

SUMMER = ("2024-05-01", "2024-06-01", "2024-07-01", "2024-08-01")
NO_PEERS = ("zen", "zen_loads", "highs", "emhass_loads")

Figure = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`figure` is None where its bench, or one of them, did not run."""

    name: str
    words: str
    figure: Figure
    bound: float
    is_floor: bool
    digits: int = 3

    def reached(self, results: Results) -> bool | None:
        """None: not known."""
        found = self.figure(results)
        if found is None:
            return None
        return found >= self.bound - 1e-9 if self.is_floor else found <= self.bound + 1e-9


def worst(figures: Iterable[float | None]) -> float | None:
    """The least; None where one is missing."""
    known = list(figures)
    return None if not known or None in known else min(one for one in known if one is not None)


def _home(results: Results, starts: Iterable[str]) -> float | None:
    return worst(results.number(f"home-{start}", "S", "zen") for start in starts)


def _over_rule(results: Results) -> float | None:
    """The least lead of S over the plain rule's, over all windows."""
    return worst(
        _less(results.number(f"home-{start}", "S", "zen"), results.number(f"home-{start}", "S", "rule"))
        for start in HOME_STARTS
    )


def _over_emhass(results: Results) -> float | None:
    """The least lead of S over the best EMHASS of the same window."""
    windows = results.at("peers", "windows") or []
    return worst(_lead(window["S"]) for window in windows)


def _lead(scores: dict[str, float]) -> float | None:
    theirs = [score for way, score in scores.items() if way.startswith("emhass")]
    return scores["zen"] - max(theirs) if theirs else None


def _faster(results: Results) -> float | None:
    """Processor time of the fastest library of others as a multiple of ours, both with the battery alone.

    HiGHS without a library is no peer but a floor.
    """
    ways = results.at("peers", "times", "ways") or {}
    return worst(row["ratio"] for way, row in ways.items() if way not in NO_PEERS)


def _minute(results: Results, kind: str = "") -> float | None:
    return worst(results.number(f"minute-{start}{kind}", "S", "zen") for start in MINUTE_STARTS)


def _ratio(results: Results) -> float | None:
    """The greatest of all ratios of means, metric by metric and law by law."""
    rows = results.at("closed-loop", "ratio") or {}
    known = [ratio for row in rows.values() for ratio in row.values() if ratio is not None]
    return max(known, default=None)


def _undominated(results: Results) -> float | None:
    """Share of the buildings in which no law is better on both avoidable energy and travel; the least of the laws."""
    buildings = results.at("closed-loop", "scenarios")
    counts = results.at("closed-loop", "not_worse", "avoidable_or_travel")
    return worst(count / len(buildings) for count in counts.values()) if buildings and counts else None


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


TARGETS = (
    Target(
        name="solarhome-published",
        words="solar home, EUR/day: below the best published method",
        figure=lambda results: results.number("solarhome", "eur_per_day", "zen"),
        bound=0.5086,
        is_floor=False,
        digits=4,
    ),
    Target(
        name="solarhome-target",
        words="solar home, EUR/day: our own target",
        figure=lambda results: results.number("solarhome", "eur_per_day", "zen"),
        bound=0.505,
        is_floor=False,
        digits=4,
    ),
    Target(
        name="home-worst",
        words="French home, S of the worst window",
        figure=lambda results: _home(results, HOME_STARTS),
        bound=0.88,
        is_floor=True,
    ),
    Target(
        name="home-summer",
        words="French home, S of the worst window May to August",
        figure=lambda results: _home(results, SUMMER),
        bound=0.95,
        is_floor=True,
    ),
    Target(
        name="home-rule",
        words="French home, least lead of S over the plain rule",
        figure=_over_rule,
        bound=-0.02,
        is_floor=True,
    ),
    Target(
        name="peers-ahead",
        words="French home, least lead of S over the best EMHASS of the window",
        figure=_over_emhass,
        bound=0.0,
        is_floor=True,
    ),
    Target(
        name="minute-ideal",
        words="one minute, S of the worst window, without delay",
        figure=lambda results: _minute(results, "-ideal"),
        bound=0.97,
        is_floor=True,
    ),
    Target(
        name="minute-anchor",
        words="one minute, S of the worst window, with the delay of the chain",
        figure=_minute,
        bound=0.95,
        is_floor=True,
    ),
    Target(
        name="closed-loop-metrics",
        words="closed loop, the worst of our means to those of any other law, over all metrics",
        figure=_ratio,
        bound=1.02,
        is_floor=False,
    ),
    Target(
        name="closed-loop-ahead",
        words="closed loop, share of the buildings in which no law is better on both energy and travel",
        figure=_undominated,
        bound=1.0,
        is_floor=True,
    ),
    Target(
        name="citylearn-target",
        words="CityLearn 2022, mean of price, CO2 and grid, power fixed before each hour",
        figure=lambda results: results.number("citylearn", "ours", "mean"),
        bound=0.805,
        is_floor=False,
        digits=4,
    ),
    Target(
        name="citylearn-inside",
        words="CityLearn 2022, the same mean, grid set-point held in the hour",
        figure=lambda results: results.number("citylearn-inside", "ours_inside", "mean"),
        bound=0.73,
        is_floor=False,
        digits=4,
    ),
    Target(
        name="plan-loads",
        words="plan of 96 steps with battery, car and tank, median ms",
        figure=lambda results: results.number("plan", "plans", "solver", "battery, car, tank", "median_ms"),
        bound=20.0,
        is_floor=False,
        digits=1,
    ),
    Target(
        name="plan-worst",
        words="the same, worst, ms",
        figure=lambda results: results.number("plan", "plans", "solver", "battery, car, tank", "worst_ms"),
        bound=1000.0,
        is_floor=False,
        digits=1,
    ),
    Target(
        name="peers-speed",
        words="plan of 96 steps, processor time of the fastest peer library as a multiple of ours",
        figure=_faster,
        bound=1.0,
        is_floor=True,
        digits=1,
    ),
    Target(
        name="study-year",
        words="study of a year at one minute, four sizes, from CSV to page, s",
        figure=lambda results: results.number("study", "wall_s"),
        bound=60.0,
        is_floor=False,
        digits=1,
    ),
)
