"""How well a law holds the grid: thirty buildings, several seeds, ours beside the simple laws of others."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

from gateway.study.benches.closed_loop.laws import Simple, Zen
from gateway.study.benches.closed_loop.scenarios import SCENARIOS, Scenario, consumers, requests, site, virtual_building
from gateway.study.benches.closed_loop.virtual_building import STEP_S, Controller, Moment

SECONDS = 1200.0
NEAR_W = 100.0  # so near is settled
CALM_S = 3.0  # when it lasts so long
BAND_W = 50.0  # a crossing goes from beyond the one side to beyond the other
STEP_W = 800.0  # a change of the net load by so much within a second is an event
LONGEST_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Less is better; energies, travel and counts are per hour.

    Avoidable is what the batteries had headroom for, overshoot a flow at the grid that a battery made itself.
    """

    avoidable_import_wh: float
    avoidable_export_wh: float
    overshoot_wh: float
    crossings: float
    settling_p95_s: float
    travel_kw: float
    switches: float


LAWS = ("zen", "integral_1s", "ten_seconds", "round_robin_30s")
PERFECT = "perfect"  # no law: batteries that know the grid at once and answer at once


def law(name: str, scenario: Scenario) -> Controller:
    """A law for that building."""
    building, others = site(scenario), consumers(scenario)
    if name == "zen":
        return Zen(site=building, requests=requests(scenario))
    every_s = {"integral_1s": 0.0, "ten_seconds": 10.0, "round_robin_30s": 30.0}[name]
    return Simple(
        site=building,
        every_s=every_s,
        in_turn=name == "round_robin_30s",
        consumers=others,
        supplied_from_soc=scenario.supplied_from_soc,
    )


def score(name: str, scenario: Scenario, seed: int, seconds: float = SECONDS) -> Score:
    """One law in one building."""
    return _run(name, scenario, seed, seconds)[0]


def _run(name: str, scenario: Scenario, seed: int, seconds: float) -> tuple[Score, list[Moment]]:
    building = virtual_building(scenario, seconds, seed)
    moments = building.run(seconds, law(name, scenario))
    return measured(moments, scenario.target_w, sum(load.switches for load in building.loads)), moments


def measured(moments: Sequence[Moment], target_w: float, switches: int) -> Score:
    """The score of what happened."""
    hours = len(moments) * STEP_S / 3600.0
    imported = exported = overshoot = travel = 0.0
    for moment in moments:
        over_w = moment.grid_w - target_w
        low_w, high_w = moment.headroom_w
        imported += min(max(over_w, 0.0), low_w)
        exported += min(max(-over_w, 0.0), high_w)
        battery_w = sum(moment.battery_w)
        overshoot += min(max(battery_w, 0.0), max(over_w, 0.0)) + min(max(-battery_w, 0.0), max(-over_w, 0.0))
    for before, after in pairwise(moments):
        travel += sum(abs(b - a) for a, b in zip(before.battery_w, after.battery_w, strict=True))
    per_hour = STEP_S / 3600.0 / hours
    return Score(
        avoidable_import_wh=imported * per_hour,
        avoidable_export_wh=exported * per_hour,
        overshoot_wh=overshoot * per_hour,
        crossings=_crossings([m.grid_w - target_w for m in moments]) / hours,
        settling_p95_s=_settling(moments, target_w),
        travel_kw=travel / 1000.0 / hours,
        switches=switches / hours,
    )


def perfect(moments: Sequence[Moment], target_w: float) -> Sequence[Moment]:
    """The same moments with batteries that leave nothing avoidable to the grid: what following must move at least."""
    return [_perfect(moment, target_w) for moment in moments]


def _perfect(moment: Moment, target_w: float) -> Moment:
    over_w = moment.grid_w - target_w
    low_w, high_w = moment.headroom_w
    step_w = min(max(-over_w, 0.0), high_w) - min(max(over_w, 0.0), low_w)
    return replace(
        moment, grid_w=moment.grid_w + step_w, battery_w=(sum(moment.battery_w) + step_w,), headroom_w=(0.0, 0.0)
    )


def _crossings(over_w: Sequence[float]) -> int:
    sides = [1 if w > 0 else -1 for w in over_w if abs(w) > BAND_W]
    return sum(a != b for a, b in pairwise(sides))


def _settling(moments: Sequence[Moment], target_w: float) -> float:
    """95th percentile of the time from a jump of the net load until the grid is near its target, or cannot be (s)."""
    second = round(1.0 / STEP_S)
    jumps = [i for i in range(second, len(moments)) if abs(moments[i].net_w - moments[i - 1].net_w) > STEP_W]
    times = []
    for jump, following in pairwise([*jumps, len(moments)]):
        end = min(following, jump + round(LONGEST_S / STEP_S))
        times.append(_first_calm(moments[jump:end], target_w) * STEP_S)
    return sorted(times)[min(round(0.95 * len(times)), len(times) - 1)] if times else 0.0


def _first_calm(moments: Sequence[Moment], target_w: float) -> int:
    """How many steps until the grid is near for `CALM_S`; all of them when it never is."""
    calm = 0
    for i, moment in enumerate(moments):
        calm = calm + 1 if _is_near(moment, target_w) else 0
        if calm * STEP_S >= CALM_S:
            return i + 1 - calm
    return len(moments)


def _is_near(moment: Moment, target_w: float) -> bool:
    over_w = moment.grid_w - target_w
    return abs(over_w) <= NEAR_W or min(abs(over_w), moment.headroom_w[0 if over_w > 0 else 1]) <= NEAR_W


def bench(
    scenarios: Sequence[Scenario] = SCENARIOS, seeds: Sequence[int] = (1, 2, 3, 4, 5), seconds: float = SECONDS
) -> dict[str, dict[str, dict[str, float]]]:
    """Scenario -> law (and `PERFECT`) -> metric, means over the seeds."""
    return {scenario.name: _compared(scenario, seeds, seconds) for scenario in scenarios}


def _compared(scenario: Scenario, seeds: Sequence[int], seconds: float) -> dict[str, dict[str, float]]:
    all_runs = {name: [_run(name, scenario, seed, seconds) for seed in seeds] for name in LAWS}
    found = {name: mean([score_ for score_, _ in runs]) for name, runs in all_runs.items()}
    ideal = [measured(perfect(moments, scenario.target_w), scenario.target_w, 0) for _, moments in all_runs["zen"]]
    return found | {PERFECT: mean(ideal) | {"switches": found["zen"]["switches"]}}


def mean(scores: Sequence[Score] | Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Metric by metric."""
    rows = [asdict(row) if isinstance(row, Score) else dict(row) for row in scores]
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def summary(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Over all buildings: means, our mean to theirs, and in how many buildings we are at most 2 % worse.

    `avoidable_wh` is import and export together; `avoidable_or_travel` counts a building unless the other law is better
    on both: a law that does not follow saves travel by what it leaves to the grid.
    """
    metrics = next(iter(next(iter(found.values())).values()))
    means = {metric: {name: _mean_of(found, name, metric) for name in (*LAWS, PERFECT)} for metric in metrics}
    ratio = {
        metric: {name: row["zen"] / row[name] if row[name] else None for name in LAWS[1:]}
        for metric, row in means.items()
    }
    not_worse: dict[str, dict[str, float | None]] = {
        metric: {name: sum(_holds(rows, name, (metric,)) for rows in found.values()) for name in LAWS[1:]}
        for metric in metrics
    }
    not_worse["avoidable_or_travel"] = {
        name: sum(_is_not_dominated(rows, name) for rows in found.values()) for name in LAWS[1:]
    }
    return {"mean": {m: dict(row) for m, row in means.items()}, "ratio": ratio, "not_worse": not_worse}


def _mean_of(found: Mapping[str, Mapping[str, Mapping[str, float]]], name: str, metric: str) -> float:
    return sum(rows[name][metric] for rows in found.values()) / len(found)


def _holds(rows: Mapping[str, Mapping[str, float]], name: str, metrics: tuple[str, ...]) -> bool:
    ours, theirs = (sum(rows[law_][metric] for metric in metrics) for law_ in ("zen", name))
    return ours <= 1.02 * theirs + 1e-9


def _is_not_dominated(rows: Mapping[str, Mapping[str, float]], name: str) -> bool:
    energy = ("avoidable_import_wh", "avoidable_export_wh")
    return _holds(rows, name, energy) or _holds(rows, name, ("travel_kw",))
