"""The pages of reasons and of the classes of the core."""

import ast
from collections.abc import Iterator
from pathlib import Path

from gateway.words import words
from pages.tables import markdown_table


def reasons_page() -> Iterator[str]:
    english, french = words("en"), words("fr")
    rows = [(f"`{key.split('.')[1]}`", english[key], french[key]) for key in english if key.startswith("reason.")]
    yield from markdown_table(("code", "English", "français"), rows)
    yield "## Why a value is absent\n"
    rows = [(f"`{key.split('.')[1]}`", english[key], french[key]) for key in english if key.startswith("why.")]
    yield from markdown_table(("code", "English", "français"), rows)


CORE_FOLDERS = {
    "accounts": "Accounts ([where they are kept](../history.md))",
    "control": "Decisions of each second ([how](../control.md))",
    "forecast": "Forecasts ([how](../planning.md#scenarios))",
    "loads": "Kinds of loads ([how](../planning.md#flexible-loads))",
    "model": "What all of the core speaks of",
    "planning": "Plans ([how](../planning.md))",
    "pricing": "Prices ([how](../tariffs.md))",
}


def classes_page() -> Iterator[str]:
    """A row for each public class of `gateway/core`, with the first sentence of its docstring."""
    yield "Every public class of `gateway/core`: what it is, with its unit and sign where it has one, and the module"
    yield "where it is decided. Its fields are explained there, with their units. The words of the trade are in the"
    yield "[glossary](../glossary.md).\n"
    core = Path(__file__).parents[2] / "gateway" / "core"
    for folder, heading in CORE_FOLDERS.items():
        rows = [
            (f"`{one.name}`", _first_paragraph(one), f"`{path.relative_to(core.parents[1]).as_posix()}`")
            for path in sorted((core / folder).rglob("*.py"))
            for one in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_")
        ]
        yield f"## {heading}\n"
        yield from markdown_table(("class", "what it is", "where it is decided"), sorted(rows, key=_name))


def _name(row: tuple[str, ...]) -> str:
    return row[0].strip("`")


def _first_paragraph(one: ast.ClassDef) -> str:
    return (ast.get_docstring(one) or "").split("\n\n")[0].replace("\n", " ")
