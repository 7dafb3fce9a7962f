"""A reason that is given has words in every language, and words that nobody gives are none."""

import ast
from pathlib import Path

import pytest

from gateway.paths import PACKAGE
from gateway.words import LANGUAGES, words

NOT_GIVEN = {"forecast_missing", "watch_only"}  # codes that 0.1.0 had words for, and that nothing gives
# Given, but no test expects them: this list may only become shorter.
NOT_EXPECTED = {
    *("clock_unset", "leave_surplus", "load_later", "load_missed", "load_window"),
    *("second_gateway", "stopping"),
}
TABLES = {"test_words.py", Path(__file__).name}  # of all reasons, whenever they are given
TEXTS = {key.removeprefix("reason.") for key in words("en") if key.startswith("reason.")}


def strings(source: str) -> tuple[set[str], set[str]]:
    """All texts of a module, and the beginnings of those that are put together."""
    whole, begun = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            begun.add(str(node.values[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole.add(node.value)
    return whole, {text for text in begun if text.endswith("_")}


def given(source: str) -> set[str]:
    """The codes that a module gives: `code="…"` of a call, whichever branch it stands in."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    told = [word.value for call in calls for word in call.keywords if word.arg == "code"]
    told += [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "nothing"]
    found = (node for value in told for node in ast.walk(_answers(value)))
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _answers(value: ast.expr) -> ast.expr:
    """A choice without its condition; what is put together or looked up is no code."""
    if isinstance(value, ast.IfExp):
        return ast.Tuple(elts=[_answers(value.body), _answers(value.orelse)], ctx=ast.Load())
    return value if isinstance(value, ast.Constant) else ast.Tuple(elts=[], ctx=ast.Load())


def modules() -> list[Path]:
    folders = ("core", "planning")
    files = [path for folder in folders for path in sorted((PACKAGE / folder).rglob("*.py"))]
    return [*files, PACKAGE / "loop.py", PACKAGE / "app.py", *(PACKAGE / "site").rglob("*.py")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_that_is_given_has_words(language: str) -> None:
    codes = {code for path in modules() for code in given(path.read_text(encoding="utf-8"))}
    assert len(codes) > 40
    assert {code for code in codes if not words(language).get(f"reason.{code}")} == set()


def test_a_reason_with_words_is_given_somewhere() -> None:
    whole: set[str] = set()
    begun: set[str] = set()
    for path in modules():
        texts, starts = strings(path.read_text(encoding="utf-8"))
        whole |= texts
        begun |= starts
    missing = {code for code in TEXTS if code not in whole and not code.startswith(tuple(begun))}
    assert missing == NOT_GIVEN


def test_a_reason_that_is_given_is_expected_by_a_test() -> None:
    tests = (path for folder in (PACKAGE / "tests", PACKAGE.parent / "hil_tests") for path in folder.rglob("*.py"))
    texts = "".join(path.read_text(encoding="utf-8") for path in tests if path.name not in TABLES)
    codes = {code for path in modules() for code in given(path.read_text(encoding="utf-8"))}
    assert {code for code in codes if f'"{code}"' not in texts} == NOT_EXPECTED


def test_each_way_of_giving_a_reason_is_seen() -> None:
    source = (
        'Reason(code="a")\nRule(code="b" if x == "no" else "c" if y else other)\nreturn_ = nothing("d")\nf(code=g("e"))'
    )
    assert given(source) == {"a", "b", "c", "d"}
