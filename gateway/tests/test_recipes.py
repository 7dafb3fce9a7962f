"""The recipes of docs/recipes.md, followed to the letter in a copy of the tree: with a step left out, checks fail."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "recipes.md"
COPIED = ("gateway", "config", "docs", "firmware", "hil_tests", "conftest.py", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns(".hypothesis", "*.pyc.*", "*.png", "*.svg")
MOST_FILES = {"product": 1, "tariff kind": 3, "load kind": 4, "reason": 3, "page card": 5}  # beside data and tests
MOST_FORGOTTEN = "gateway/words/fr.json", "gateway/tests/adapters/test_registers.py"  # these always, the rest as a soak
DATA_AND_TESTS = ("config/tariffs/", "gateway/tests/", "try.toml")

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A numbered step: a block for a file, or commands."""

    block: str
    file: str = ""  # empty: the block is commands
    place: str = "new"  # new, after or before
    anchor: str = ""  # the beginning of the one line that the block goes beside, or a part of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One section of the page."""

    name: str
    steps: tuple[Step, ...]
    checks: tuple[str, ...]


def recipes() -> dict[str, Recipe]:
    sections = re.split(r"^## Add an? ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = (recipe(*section.split("\n", 1)) for section in sections)
    return {each.name: each for each in found}


def recipe(name: str, text: str) -> Recipe:
    steps, _, check = text.partition("\nCheck:\n")
    items = re.split(r"^\d+\. ", steps, flags=re.MULTILINE)[1:]
    commands = re.search(r"```sh\n(.*?)```", check, re.DOTALL)
    assert commands is not None, name
    return Recipe(name=name, steps=tuple(map(step, items)), checks=tuple(commands[1].splitlines()))


def step(item: str) -> Step:
    found = re.search(r"(.*?)^   ```(\w+)\n(.*?)^   ```$", item, re.DOTALL | re.MULTILINE)
    assert found is not None, item
    head, language, block = " ".join(found[1].split("\n   ")), found[2], _unindented(found[3])
    if language == "sh":
        return Step(block=block)
    if new := re.search(r"New file `([^`]+)`", head):
        return Step(block=block, file=new[1])
    beside = re.search(r"In `([^`]+)`, (after|before)\s+`([^`]+)`", head)
    assert beside is not None, head
    return Step(block=block, file=beside[1], place=beside[2], anchor=beside[3])


def _unindented(block: str) -> str:
    """Without the three spaces that put it below its number."""
    return "".join(line.removeprefix("   ") for line in block.splitlines(keepends=True))


def follow(one: Step, tree: Path) -> str:
    """Do a step in a copy of the tree; what its first command says that fails, empty when all is well."""
    path = tree / one.file
    if not one.file:
        return failed(one.block.splitlines(), tree)
    if one.place == "new":
        assert not path.exists(), path
        path.write_text(one.block, encoding="utf-8")
    else:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        [at] = [number for number, line in enumerate(lines) if one.anchor in line]
        at += one.place == "after"
        path.write_text("".join([*lines[:at], one.block, *lines[at:]]), encoding="utf-8")
    return ""


def run(command: str, tree: Path) -> subprocess.CompletedProcess[str]:
    """A command of the page, with the interpreter of this test, in a copy of the tree."""
    program, *arguments = shlex.split(command)
    assert program == "python", command
    if arguments[:2] == ["-m", "pytest"]:
        arguments += ["-q", "-x", "-p", "no:cacheprovider"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**ours, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def failed(commands: Iterable[str], tree: Path) -> str:
    """What the first command says that fails; empty when all succeed."""
    for command in commands:
        done = run(command, tree)
        if done.returncode != 0:
            return f"{command}\n{done.stdout}{done.stderr}"
    return ""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, tmp_path)
    return tmp_path


RECIPES = recipes()
EACH = pytest.mark.parametrize("name", RECIPES)
EACH_STEP = pytest.mark.parametrize(
    ("name", "left_out"),
    [
        pytest.param(name, number, marks=[] if one.file in MOST_FORGOTTEN else pytest.mark.soak)
        for name, each in RECIPES.items()
        for number, one in enumerate(each.steps)
    ],
)


def test_the_page_has_the_five_recipes() -> None:
    assert list(RECIPES) == list(MOST_FILES)


@EACH
def test_a_recipe_touches_few_files(name: str) -> None:
    written = {one.file for one in RECIPES[name].steps if one.file}
    assert len({file for file in written if not file.startswith(DATA_AND_TESTS)}) <= MOST_FILES[name]


@EACH
def test_a_recipe_that_is_followed_passes_its_checks(name: str, tree: Path) -> None:
    assert [follow(one, tree) for one in RECIPES[name].steps] == [""] * len(RECIPES[name].steps)
    assert failed(RECIPES[name].checks, tree) == ""


@EACH_STEP
def test_a_step_that_was_left_out_is_told(name: str, left_out: int, tree: Path) -> None:
    """By a later step of the recipe, or by its checks."""
    steps = [one for number, one in enumerate(RECIPES[name].steps) if number != left_out]
    assert any(follow(one, tree) for one in steps) or failed(RECIPES[name].checks, tree)
