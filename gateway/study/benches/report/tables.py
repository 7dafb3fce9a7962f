"""The tables of the page, each from the results of its benches and the figures of others; "–" where nothing ran."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.study.benches.report.benches import HOME_STARTS, MINUTE_STARTS
from gateway.study.benches.report.results import Results
from gateway.words import text

NOT_RUN = "–"
OURS = "**Zen-e-Ville**"
Published = Mapping[str, Sequence[Mapping[str, Any]]]  # section -> rows of docs/benchmarks/published.toml


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a Markdown table and an empty one."""
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""


def shown(value: float | None, digits: int = 3) -> str:
    """A figure, or that there is none."""
    return NOT_RUN if value is None else f"{value:.{digits}f}"


def way(name: str) -> str:
    """A way of planning in words."""
    return text("en", f"bench.way.{name}")


def solarhome(results: Results, published: Published) -> Iterator[str]:
    """EUR/day: ours, published, limit."""
    names = ("none", "rule", "zen", "perfect")
    found = {name: results.number("solarhome", "eur_per_day", name) for name in names}
    rows: list[tuple[str, str, str]] = [(way("none"), shown(found["none"], 4), "this run")]
    rows += _others(published, "solarhome", 4)
    rows.append((way("rule"), shown(found["rule"], 4), "this run"))
    rows.append((OURS, shown(found["zen"], 4), "this run"))
    rows.append((way("perfect"), shown(found["perfect"], 4), "this run: linear program"))
    yield from table(("method", "EUR/day", "source"), rows)


def home(results: Results) -> Iterator[str]:
    """S and EUR/day of every window."""

    def row(start: str) -> list[str]:
        bench = f"home-{start}"
        eur = [shown(results.number(bench, "eur_per_day", name), 4) for name in ("none", "rule", "zen", "perfect")]
        return [start, *eur, *(shown(results.number(bench, "S", name)) for name in ("rule", "zen"))]

    heading = ("28 days from", "no storage", "rule", "Zen-e-Ville", "limit", "S rule", "S Zen-e-Ville")
    yield from table(heading, (row(start) for start in HOME_STARTS))


def peers(results: Results, published: Published) -> Iterator[str]:
    """S of EMHASS beside ours, with what was measured before."""
    windows = results.at("peers", "windows") or []
    if not windows:
        yield from ("Not run.", "")
    days = results.at("peers", "days")
    before = {(row["start"], row["method"]): row["value"] for row in published.get("peers", ())}
    for window in windows:
        yield f"{days} days from {window['start']}:\n"
        rows = [
            (
                OURS if name == "zen" else way(name),
                shown(eur, 4),
                shown(_score(window, name)),
                shown(before.get((window["start"], name))),
            )
            for name, eur in window["eur_per_day"].items()
        ]
        yield from table(("method", "EUR/day", "S", "S measured before (28 days)"), rows)
    yield from (f"- {why}" for why in (results.at("peers", "absent") or {}).values())


def speed(results: Results, published: Published) -> Iterator[str]:
    """Time of a plan; others measured elsewhere beside it."""
    ways = results.at("peers", "times", "ways") or {}
    rows = [
        (
            OURS if name == "zen" else way(name),
            shown(row["median_ms"], 1),
            shown(row["worst_ms"], 1),
            shown(row["cpu_ms"], 1),
            f"{row['ratio']:.1f}",
            f"this run, {row['plans']} plans",
        )
        for name, row in ways.items()
    ]
    rows += [(row["method"], shown(row["value"], 0), "", "", "", row["source"]) for row in published.get("speed", ())]
    yield from table(("planner", "median ms", "worst ms", "processor ms", "× ours", "source"), rows)
    if results.at("study"):
        yield from (_study(results), "")


def _study(results: Results) -> str:
    wall, processor, steps, cores = (
        results.number("study", name) for name in ("wall_s", "processor_s", "steps", "cores")
    )
    return (
        f"A study of {shown(steps, 0)} steps from CSV to figures and page: "
        f"{shown(wall, 1)} s by the clock on {shown(cores, 0)} cores, {shown(processor, 1)} s of their time."
    )


def minute(results: Results, published: Published) -> Iterator[str]:
    """S at one minute with the delay of the loop."""
    rows = []
    for start in MINUTE_STARTS:
        scores = (shown(results.number(f"minute-{start}", "S", name)) for name in ("rule", "zen"))
        rows.append((start, shown(results.number(f"minute-{start}", "delay_s"), 1), *scores))
    yield from table(("28 days from", "delay, s", "S rule", "S Zen-e-Ville"), rows)
    yield from _beside(published, "minute")


def closed_loop(results: Results) -> Iterator[str]:
    """Means over all buildings, law by law."""
    means = results.at("closed-loop", "mean") or {}
    if not means:
        yield from ("Not run.", "")
        return
    laws = list(next(iter(means.values())))
    rows = [(metric, *(shown(row[law], 1) for law in laws)) for metric, row in means.items()]
    yield f"Means over {len(results.at('closed-loop', 'scenarios') or ())} buildings, per hour; less is better:\n"
    yield from table(("", *laws), rows)
    yield "`perfect` is not a control law: its batteries know the grid power without delay and respond at once."
    yield "Following the load needs at least its travel, so a law that travels less leaves energy to the grid."
    yield ""


def citylearn(results: Results, published: Published) -> Iterator[str]:
    """The score of the challenge, term by term."""
    terms = ("price", "emission", "grid", "mean")
    runs = (
        ("battery rule of the package", "citylearn", "rule"),
        (f"{OURS}, power fixed before each hour", "citylearn", "ours"),
        (f"{OURS}, grid set-point held in the hour", "citylearn-inside", "ours_inside"),
    )
    rows = [
        (words, *(shown(results.number(bench, key, term)) for term in terms), "this run") for words, bench, key in runs
    ]
    rows += [_challenge(row) for row in published.get("citylearn", ())]
    yield from table(("controller", "price", "CO2", "grid", "mean", "source"), rows)


def _score(window: Mapping[str, Any], name: str) -> float | None:
    found: float | None = window["S"].get(name, {"none": 0.0, "perfect": 1.0}.get(name))
    return found


def _challenge(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of others; most published the mean alone."""
    parts = (f"{row[term]:.3f}" if term in row else "" for term in ("price", "emission", "grid"))
    return row["method"], *parts, shown(row["value"]), row["source"]


def _others(published: Published, section: str, digits: int) -> list[tuple[str, str, str]]:
    return [(row["method"], shown(row["value"], digits), row["source"]) for row in published.get(section, ())]


def _beside(published: Published, section: str) -> Iterator[str]:
    rows = [(row["method"], row["value"], row["source"]) for row in published.get(section, ())]
    yield from table(("beside it", "figure", "source"), rows)
