"""The pictures of the page: file name -> SVG."""

from gateway.study.benches.report.bars import Bar, Mark, picture
from gateway.study.benches.report.benches import HOME_STARTS, MINUTE_STARTS
from gateway.study.benches.report.results import Results
from gateway.study.benches.report.tables import Published, way


def pictures(results: Results, published: Published) -> dict[str, str]:
    """All of them; what did not run says so in its place."""
    return {
        "solarhome.svg": _solarhome(results, published),
        "home.svg": _windows(results, "home", HOME_STARTS, "French home: share of the possible gain, S"),
        "peers.svg": _peers(results),
        "minute.svg": _windows(results, "minute", MINUTE_STARTS, "Scored at one minute: share of the possible gain, S"),
        "closed-loop.svg": _closed_loop(results),
        "citylearn.svg": _citylearn(results, published),
        "speed.svg": _speed(results),
    }


def _solarhome(results: Results, published: Published) -> str:
    others = [Bar(label=row["method"], value=row["value"], kind="published") for row in published.get("solarhome", ())]
    own = Bar(label="Zen-e-Ville", value=results.number("solarhome", "eur_per_day", "zen"), kind="ours")
    limit = results.number("solarhome", "eur_per_day", "perfect")
    marks = [] if limit is None else [Mark(label="limit", value=limit)]
    return picture("Solar home, EUR/day: less is better", [*others, own], marks, digits=4)


def _windows(results: Results, kind: str, starts: tuple[str, ...], title: str) -> str:
    bars = []
    for start in starts:
        rule, own = (results.number(f"{kind}-{start}", "S", name) for name in ("rule", "zen"))
        bars += [Bar(label=f"{start}: plain rule", value=rule), Bar(label="Zen-e-Ville", value=own, kind="ours")]
    return picture(title, bars, [Mark(label="limit", value=1.0)])


def _peers(results: Results) -> str:
    bars = []
    for window in results.at("peers", "windows") or []:
        for name, score in window["S"].items():
            kind = "ours" if name == "zen" else "other"
            short = way(name).removeprefix("EMHASS naive-mpc, ")
            who = "EMHASS, " if name.startswith("emhass") else ""
            bars.append(Bar(label=f"{window['start'][5:]} {who}{short}", value=score, kind=kind))
    bars = bars or [Bar(label="EMHASS", value=None)]
    return picture("EMHASS on the same days: share of the possible gain, S", bars, [Mark(label="limit", value=1.0)])


def _closed_loop(results: Results) -> str:
    energies = ("avoidable_import_wh", "avoidable_export_wh")
    laws = results.at("closed-loop", "mean", energies[0]) or {"zen": None}
    bars = []
    for law in (name for name in laws if name != "perfect"):
        parts = [results.number("closed-loop", "mean", metric, law) for metric in energies]
        total = None if None in parts else sum(part for part in parts if part is not None)
        bars.append(Bar(label=law, value=total, kind="ours" if law == "zen" else "other"))
    return picture("Closed loop: avoidable exchange with the grid, Wh per hour", bars, digits=0)


def _citylearn(results: Results, published: Published) -> str:
    rows = published.get("citylearn", ())
    bars = [
        Bar(label=row["method"].split(" (")[0].split(",")[0], value=row["value"], kind="published")
        for row in rows
        if not row.get("is_limit")
    ]
    marks = [Mark(label="limit", value=row["value"]) for row in rows if row.get("is_limit")]
    ways = (("fixed before the hour", "citylearn", "ours"), ("held in the hour", "citylearn-inside", "ours_inside"))
    bars += [
        Bar(label=f"Zen-e-Ville, {words}", value=results.number(bench, key, "mean"), kind="ours")
        for words, bench, key in ways
    ]
    return picture("CityLearn 2022: mean score, less is better", bars, marks)


def _speed(results: Results) -> str:
    ways = results.at("peers", "times", "ways") or {"zen": {}}
    bars = [
        Bar(label=way(name), value=row.get("cpu_ms"), kind="ours" if name.startswith("zen") else "other")
        for name, row in ways.items()
    ]
    return picture("A plan of 96 steps: time of the processor, ms", bars, digits=1)
