"""The figures of a study for the terminal."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.study.whatif.figures import goals_in_words
from gateway.words import text
from gateway.words.figures import ABSENT, duration, number


def show(found: dict[str, Any], language: str) -> None:
    """Sizes side by side, then the months of the largest step in size that was asked for."""
    console = Console()
    facts = {"load": found["load"], "start": found["start"][:10], "days": number(language, found["days"], 0)}
    title = text(language, "study.table", tariff=found["tariff"], **facts)
    console.print(title, style="bold", markup=False, highlight=False)
    console.print()
    console.print(_sizes(found, language))
    if len(found["none"]["months"]) > 1:
        console.print()
        console.print(_months(found, shown(found), language))
    console.print()
    if found["goals"] is not None:
        console.print(goals_in_words(found, language), style="dim", markup=False, highlight=False)
    console.print(text(language, "study.legend"), style="dim", markup=False, highlight=False)
    facts = {
        "every": duration(language, found["plan_every_s"]),
        "seconds": number(language, found["seconds"], 1),
        "gaps": str(found["steps_filled"]["load"] + found["steps_filled"]["pv"]),
    }
    console.print(text(language, "study.how", **facts), style="dim", markup=False, highlight=False)


def shown(found: dict[str, Any]) -> int:
    """Which size pictures and months show first: the middle one of those asked for."""
    return int((len(found["sizes"]) - 1) // 2)


def _sizes(found: dict[str, Any], language: str) -> Table:
    table = _table(None)
    keys = ["way", "import", "export", "self_consumption", "self_sufficiency", "cost", "gain", "S", "more", "cycles"]
    if found["none"]["all"]["co2_kg"] is not None:
        keys.append("co2")
    for key in ("battery", *keys):
        _column(table, text(language, f"study.short.{key}"), is_left=key == "way")
    table.add_row(*_row(found["none"]["all"], None, "none", language), end_section=True)
    for size in found["sizes"]:
        for way in ("rule", "zen", "perfect"):
            row = _row(size["ways"][way]["all"], size, way, language)
            table.add_row(*row, end_section=way == "perfect", style="bold" if way == "zen" else "")
    return table


def _row(account: dict[str, Any], size: dict[str, Any] | None, way: str, language: str) -> list[str]:
    score = 1.0 if way == "perfect" else size["S"][way] if size else 0.0
    row = [
        _figure(size["kwh"] if size else 0.0, 1, language) if way in ("none", "rule") else "",
        text(language, f"study.short.{way}"),
        _figure(account["import_kwh"], 0, language),
        _figure(account["export_kwh"], 0, language),
        _share(account["self_consumption"], language),
        _share(account["self_sufficiency"], language),
        _figure(account["cost_eur"], 2, language),
        _figure(size["gain_eur"][way] if size else 0.0, 2, language),
        _figure(score, 3, language),
        _figure(size["more_eur_per_kwh"][way] if size else None, 2, language),
        _figure(account["cycles"], 0, language),
    ]
    return row if account["co2_kg"] is None else [*row, _figure(account["co2_kg"], 1, language)]


def _months(found: dict[str, Any], place: int, language: str) -> Table:
    size = found["sizes"][place]
    table = _table(text(language, "study.months", kwh=number(language, size["kwh"], 1)))
    for key in ("short.month", "short.import", "short.export", "short.self_consumption"):
        _column(table, text(language, f"study.{key}"), is_left=key == "short.month")
    for key in ("cost_none", "cost_rule", "cost_zen", "cost_perfect", "S"):
        _column(table, text(language, f"study.{key}"))
    ways = [found["none"], *(size["ways"][way] for way in ("rule", "zen", "perfect"))]
    for rows in zip(*(way["months"] for way in ways), strict=True):
        zen = rows[2]
        table.add_row(
            zen["month"],
            _figure(zen["import_kwh"], 0, language),
            _figure(zen["export_kwh"], 0, language),
            _share(zen["self_consumption"], language),
            *(_figure(row["cost_eur"], 2, language) for row in rows),
            _figure(zen["S"], 3, language),
        )
    return table


def _table(title: str | None) -> Table:
    heading = None if title is None else Text(title, style="bold")
    return Table(title=heading, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)


def _column(table: Table, heading: str, *, is_left: bool = False) -> None:

    table.add_column(
        heading, justify="left" if is_left else "right", min_width=max(len(word) for word in heading.split())
    )


def _figure(value: float | None, decimals: int, language: str) -> str:
    return ABSENT if value is None else number(language, value, decimals)


def _share(value: float | None, language: str) -> str:
    return ABSENT if value is None else number(language, 100.0 * value, 1) + "%"
