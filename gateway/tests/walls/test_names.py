"""One name for one thing: no two classes of the gateway are called alike."""

import ast
from collections import defaultdict
from pathlib import Path

from gateway.paths import PACKAGE

OWN_NAMES = ("simulator", "study", "rig", "tests")  # programs of their own, with names of their own


def modules() -> list[Path]:
    found = (path for path in PACKAGE.rglob("*.py") if "_files" not in path.parts)
    return [path for path in found if path.relative_to(PACKAGE).parts[0] not in OWN_NAMES]


def class_names(source: str) -> list[str]:
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


def test_no_class_name_occurs_twice() -> None:
    places = defaultdict(list)
    for path in modules():
        for name in class_names(path.read_text(encoding="utf-8")):
            places[name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 200  # they were found at all
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_a_class_inside_a_class_or_a_function_counts() -> None:
    assert class_names("class A:\n class B: ...\ndef f():\n class A: ...") == ["A", "B", "A"]
