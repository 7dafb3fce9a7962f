"""The glossary has every public class of the core and every term of the page, and none that is gone."""

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import gateway.core

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
# The texts of these keys are names of things; the rest are sentences and labels made of such names. Names of kinds of
# loads and tariffs, and of prices, are on generated pages, so that a new kind has no line to forget here.
TERMS = re.compile(
    r"(role|device|mode|quality)\.\w+"
    r"|does\.(zero|absent|\w+\.(positive|negative))"
    r"|(flow|soc|setpoint|plan|trend|devices|links)\.title|setpoint\.others"
    r"|plan\.(loads|charge|reserve|fill|export|expected)|trend\.(from|to)"
    r"|links\.(broker|database|up|down)|live\.(connecting|never|good|lost|stuck)"
)


def _cells(page: str) -> list[list[str]]:
    """The rows of all tables of a page, without headings."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rules = [index for index, row in enumerate(rows) if set(row[0]) == {"-"}]
    return [row for index, row in enumerate(rows) if index not in rules and index + 1 not in rules]


def _classes() -> set[tuple[str, str]]:
    """(name, file) of each public class of the core, found by importing all of it."""
    found = set()
    for module in pkgutil.walk_packages(gateway.core.__path__, "gateway.core."):
        for name, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if one.__module__ == module.name and not name.startswith("_"):
                found.add((name, module.name))
    return found


def _module(file: str) -> str:
    return file.strip("`").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_each_public_class_of_the_core_has_a_line_and_no_other_has() -> None:
    listed = {(row[0].strip("`"), _module(row[2])) for row in _cells("reference/classes.md")}
    assert _classes() - listed == set()
    assert listed - _classes() == set()


def test_each_line_of_a_class_says_what_it_is() -> None:
    assert [row[0] for row in _cells("reference/classes.md") if len(row[1].split()) < 3] == []


def _texts(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((ROOT / "gateway" / "words" / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def test_each_term_of_the_page_has_a_line_in_both_languages_and_no_other_has() -> None:
    english, french = _texts("en"), _texts("fr")
    terms = {(english[key], french[key]) for key in english if TERMS.fullmatch(key)}
    assert len(terms) > 40
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    shown = page[page.index("## Words on the page") :]
    listed = {(row[0], row[1]) for row in _cells("glossary.md") if f"| {row[0]} | {row[1]} |" in shown}
    assert terms - listed == set()
    assert listed - terms == set()


def test_each_point_that_the_page_names_has_a_line_and_no_other_has() -> None:
    english, french = _texts("en"), _texts("fr")
    keys = {key.removeprefix("point.") for key in english if key.startswith("point.")}
    points = {(name, english[f"point.{name}"], french[f"point.{name}"]) for name in keys}
    assert {(row[0].strip("`"), row[1], row[2]) for row in _cells("reference/points.md")} == points


def test_no_word_has_two_lines() -> None:
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    trade = page[page.index("## Words of the trade") : page.index("## Words on the page")]
    words = re.findall(r"^\| ([^|]+) \|", trade, re.MULTILINE)
    assert len(words) > 40
    assert sorted({word for word in words if words.count(word) > 1}) == []
