"""Each field of a frozen type of the core and each number that was chosen says what it is, where it stands.

A field by a comment of its own, on its lines or right above, or by a sentence right below it. The test cannot tell a
good sentence from a bad one: unit, sign and when it is absent are what a reader looks for.
"""

import ast
import io
import tokenize
from collections.abc import Iterator

import pytest

from gateway.paths import PACKAGE

CORE = PACKAGE / "core"
FOR_TOOLS = ("noqa", "type:", "fmt:", "pragma")


def comments(source: str) -> dict[int, bool]:
    """Lines with a comment for people, and whether it has the line for itself."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = (token for token in tokens if token.type == tokenize.COMMENT)
    said = ((token, token.string.lstrip("# ")) for token in found)
    return {
        token.start[0]: token.line.strip().startswith("#")
        for token, words in said
        if words and not words.startswith(FOR_TOOLS)
    }


def is_explained(body: list[ast.stmt], index: int, said: dict[int, bool]) -> bool:
    """Whether the statement of a body has a comment of its own, or a sentence right below."""
    here = body[index]
    below = body[index + 1] if index + 1 < len(body) else None
    lines = range(here.lineno, (here.end_lineno or here.lineno) + 1)
    return any(line in said for line in lines) or said.get(here.lineno - 1, False) or _is_sentence(below)


def _is_sentence(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_frozen(node: ast.ClassDef) -> bool:
    return any(
        isinstance(one, ast.Call) and "dataclass" in ast.unparse(one.func) and "frozen=True" in ast.unparse(one)
        for one in node.decorator_list
    )


def fields(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """The fields of a dataclass: the place in its body and the name. A ClassVar is none."""
    for index, one in enumerate(node.body):
        if isinstance(one, ast.AnnAssign) and not ast.unparse(one.annotation).startswith(("ClassVar", "typing.")):
            yield index, ast.unparse(one.target)


def numbers(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    """The UPPER_CASE names of a module that are given a number, alone or inside of something."""
    for index, one in enumerate(body):
        if isinstance(one, ast.Assign | ast.AnnAssign) and one.value is not None:
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            if all(name == name.upper() for name in names) and any(map(_is_number, ast.walk(one.value))):
                yield index, ", ".join(names)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def unexplained_fields(source: str) -> tuple[list[str], int]:
    """The fields that nothing is said of, and how many there are in all."""
    said = comments(source)
    types = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef) and is_frozen(node)]
    found = [(node, index, name) for node in types for index, name in fields(node)]
    return [f"{node.name}.{name}" for node, index, name in found if not is_explained(node.body, index, said)], len(
        found
    )


def unexplained_numbers(source: str) -> tuple[list[str], int]:
    """The same of the numbers of a module."""
    said, body = comments(source), ast.parse(source).body
    found = list(numbers(body))
    return [name for index, name in found if not is_explained(body, index, said)], len(found)


@pytest.mark.parametrize(("unexplained", "at_least"), [(unexplained_fields, 500), (unexplained_numbers, 100)])
def test_everything_of_the_core_is_explained(unexplained, at_least) -> None:
    rows = {file.relative_to(CORE): unexplained(file.read_text(encoding="utf-8")) for file in CORE.rglob("*.py")}
    assert sum(count for _, count in rows.values()) > at_least  # they were found at all
    assert {str(file): names for file, (names, _) in rows.items() if names} == {}


@pytest.mark.parametrize(
    ("field", "is_found"),
    [
        ("    power_w: float\n", True),
        ("    power_w: float  # noqa: X\n", True),
        ("    # of the one above\n    other: int = 0\n    power_w: float\n", True),
        ('    power_w: str = "# no comment"\n', True),
        ("    other: int  # says nothing of the next one\n    power_w: float\n", True),
        ("    power_w: float  # drawn positive\n", False),
        ("    # drawn positive\n    power_w: float\n", False),
        ('    power_w: float\n    """Drawn positive."""\n', False),
        ("    power_w: dict[\n        str, float\n    ]  # drawn positive\n", False),
        ("    power_w: ClassVar = 1\n", False),
    ],
)
def test_a_field_without_its_own_words_is_found(field: str, is_found) -> None:
    source = f'@dataclass(frozen=True, slots=True)\nclass Thing:\n    """A thing."""\n\n{field}'
    assert ("Thing.power_w" in unexplained_fields(source)[0]) is is_found


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("LIMIT_W = 3.0\n", True),
        ("_LIMIT_W: float = -3.0\n", True),
        ("LOW, HIGH = 1, 2\n", True),
        ("WINDOW = Window(begin=7 * 60)\n", True),
        ("LIMIT_W = 3.0  # noqa: X\n", True),
        ("LIMIT_W = 3.0  # half an ampere\n", False),
        ("# half an ampere\nLIMIT_W = 3.0\n", False),
        ("NAME = 'x'\n", False),
        ("IS_ON = True\n", False),
    ],
)
def test_a_number_without_its_own_words_is_found(line: str, is_found) -> None:
    assert (unexplained_numbers(line)[0] != []) is is_found
