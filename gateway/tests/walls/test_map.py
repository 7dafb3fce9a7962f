"""The table of folders in docs/architecture.md is the tree, and says all that a folder imports of ours."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "architecture.md"
TOPS = ("gateway", "firmware", "hil_tests", "config", "docs")
MADE = {"__pycache__", "_files"}  # by tools, beside what is ours; as are hidden folders
MIRROR = "gateway/tests"  # its folders are those of the gateway
WALLS = "gateway/tests/walls"
EVERYTHING = "everything"
SEARCHED = ("firmware", "firmware/tests", "firmware/tests/board", "docs")  # sys.path of what is no package


class Row(NamedTuple):
    """A folder, or a file beside the folders of the gateway, and what it may import."""

    what: str
    may_import: frozenset[str]


def rows(text: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for path, what, imports in re.findall(r"^\| `([\w/.]+)` \| (.+?) \| ([^|]*) \|$", text, re.MULTILINE):
        assert path not in found, path
        words = re.findall(r"`([\w/]+)`", imports) or ([EVERYTHING] if EVERYTHING in imports else [])
        found[path] = Row(what, frozenset(words))
    return found


def folders() -> set[str]:
    """Those with files of their own."""
    files = (path for top in TOPS for path in (ROOT / top).rglob("*") if path.is_file())
    inside = {path.parent.relative_to(ROOT) for path in files}
    return {str(folder) for folder in inside if _is_ours(folder)}


def _is_ours(path: Path) -> bool:
    return not MADE & set(path.parts) and not any(part.startswith(".") for part in path.parts)


def row_of(file: Path, table: dict[str, Row]) -> str:
    """The row for a file: its own, that of its folder, or the one of all tests."""
    name = str(file.relative_to(ROOT))
    folder = str(Path(name).parent)
    return next(each for each in (name, folder, MIRROR) if each in table)


def imported(file: Path) -> Iterator[Path]:
    """Files of ours that a file imports, wherever in it the import stands."""
    package = file.parent.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, node.module or "")).strip(".")
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from filter(None, (_file_of(name, file.parent) for name in names))


@cache
def _file_of(name: str, folder: Path) -> Path | None:
    """The module of a name, or the one in which the name is defined; None for what is not ours."""
    parts = name.split(".")
    starts = [ROOT, folder, *(ROOT / each for each in SEARCHED)]
    if parts[0] == "wire":
        starts.append(ROOT / "gateway")
    for start in starts if parts[0] in ("gateway", "hil_tests") else starts[1:]:
        for length in range(len(parts), 0, -1):
            path = start.joinpath(*parts[:length])
            for file in (path.with_suffix(".py"), path.with_suffix(".pyi"), path / "__init__.py"):
                if file.is_file():
                    return file
    return None


def allowed_by(name: str, target: Path) -> bool:
    """Whether a word of the column, a path from `gateway/` or from the root, means this file."""
    path = ROOT / "gateway" / name
    if not path.exists() and not path.with_suffix(".py").exists():
        path = ROOT / name
    return target == path.with_suffix(".py") or path in target.parents


def python_files() -> list[Path]:
    found = (path for top in TOPS for path in sorted((ROOT / top).rglob("*.py")))
    return [path for path in found if _is_ours(path.relative_to(ROOT))]


def test_the_table_names_every_folder_and_no_other() -> None:
    table = rows(PAGE.read_text(encoding="utf-8"))
    mirrored = {name for name in folders() if name.startswith(f"{MIRROR}/") and name != WALLS}
    named = {name for name in table if not name.endswith(".py")}
    assert folders() - mirrored - named == set(), "without a row"
    assert named - folders() == set(), "not in the tree"
    assert {name for name in mirrored if not (ROOT / name.replace("/tests", "", 1)).is_dir()} == set()


def test_every_module_beside_the_folders_of_the_gateway_has_a_row() -> None:
    table = rows(PAGE.read_text(encoding="utf-8"))
    beside = {f"gateway/{path.name}" for path in (ROOT / "gateway").glob("*.py") if not path.name.startswith("__")}
    assert {name for name in table if name.endswith(".py")} == beside


def test_a_folder_imports_what_its_row_allows_and_nothing_else() -> None:
    table = rows(PAGE.read_text(encoding="utf-8"))
    wrong, used = set(), {(MIRROR, EVERYTHING)}
    for file in python_files():
        row = row_of(file, table)
        if EVERYTHING in table[row].may_import:
            continue
        for target in imported(file):
            if row_of(target, table) == row:
                continue
            words = {word for word in table[row].may_import if allowed_by(word, target)}
            used |= {(row, word) for word in words}
            if not words:
                wrong.add(f"{row} imports {target.relative_to(ROOT)}")
    assert wrong == set()
    assert {(name, word) for name, row in table.items() for word in row.may_import} - used == set(), "not imported"


@pytest.mark.parametrize(
    ("word", "target", "is_allowed"),
    [
        ("core", "gateway/core/model/state.py", True),
        ("core/model", "gateway/core/loads/car.py", False),
        ("ports", "gateway/ports.py", True),
        ("__init__", "gateway/app.py", False),
        ("firmware/node", "firmware/node/bus.py", True),
    ],
)
def test_a_word_of_the_column_means_a_folder_and_what_is_in_it(word: str, target: str, *, is_allowed: bool) -> None:
    assert allowed_by(word, ROOT / target) == is_allowed


@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("firmware/node/poll_table.py", "gateway/wire/table.py"),
        ("firmware/node/app.py", "firmware/node/wait.py"),
        ("gateway/wire/sealing.py", "gateway/wire/seal.py"),
        ("docs/pages/node_states.py", "firmware/rare.py"),
    ],
)
def test_imports_are_followed_as_each_interpreter_does(file: str, target: str) -> None:
    assert ROOT / target in set(imported(ROOT / file))
