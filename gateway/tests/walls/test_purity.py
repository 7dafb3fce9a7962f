"""`core` and `wire` import what is listed here and nothing else, and do nothing that a pure function cannot do.

A list of what is allowed, because a list of what is forbidden never names the next socket.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2]

ALLOWED = {
    # `dataclasses` to `typing`: the standard library without a clock, a file, a socket, a thread or chance in it.
    "core": frozenset(
        {
            *(
                "bisect",
                "collections.abc",
                "dataclasses",
                "datetime",
                "enum",
                "functools",
                "heapq",
                "itertools",
                "calendar",
                "decimal",
                "fractions",
                "math",
            ),
            *("operator", "types", "typing"),
            *("numpy", "numpy.lib.stride_tricks", "numpy.typing"),
            "gateway.core",
        }
    ),
    # What MicroPython has on the board, too; `seal` is its neighbour there.
    "wire": frozenset({"binascii", "hashlib", "json", "micropython", "gateway.wire", "seal", "wire"}),
}
REGISTRIES = {  # find the modules of their own package, once, and nothing else
    "core/pricing/kinds/__init__.py": frozenset({"importlib", "pkgutil"}),
}
CLOCKS_AND_CHANCE = frozenset({"now", "utcnow", "today", "random"})  # datetime.now(), date.today(), numpy.random
FILES = frozenset(
    {"load", "save", "savez", "savetxt", "loadtxt", "genfromtxt", "fromfile", "tofile", "memmap"}
)  # of numpy
OUTSIDE = frozenset({"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"})


def faults(text: str, allowed: frozenset[str]) -> list[str]:
    """What a module does that it may not, each with its line."""
    return [fault for node in ast.walk(ast.parse(text)) for fault in _faults(node, allowed)]


def _faults(node: ast.AST, allowed: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"line {node.lineno}: import {one.name}" for one in names if not _is_in(one.name, allowed))
        case ast.ImportFrom(names=names):
            yield from (
                f"line {node.lineno}: from … import {one}" for one in _imported(node) if not _is_in(one, allowed)
            )
            yield from _named(node.lineno, [one.name for one in names])
        case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
            yield f"line {node.lineno}: awaits"
        case ast.Attribute(attr=name, value=ast.Name(id="np" | "numpy")):
            yield from _named(node.lineno, [name])
        case ast.Attribute(attr=name) if name in CLOCKS_AND_CHANCE | {"tofile"}:
            yield f"line {node.lineno}: .{name}"
        case ast.Call(func=ast.Name(id=name)) if name in OUTSIDE:
            yield f"line {node.lineno}: {name}()"


def _imported(node: ast.ImportFrom) -> list[str]:
    """The modules that may be meant. One dot is the module's own package, which is all that a leaf may name so."""
    if node.level == 0:
        return [node.module or ""]
    inside = [node.module] if node.module else [one.name for one in node.names]
    return inside if node.level == 1 else [f"{'.' * node.level}{one}" for one in inside]


def _named(line: int, names: list[str]) -> Iterator[str]:
    """Chance, clocks and files by their names, wherever they come from."""
    yield from (f"line {line}: {name}" for name in names if name in CLOCKS_AND_CHANCE | FILES)


def _is_in(module: str, allowed: frozenset[str]) -> bool:
    """Whether it is listed, or a module of a listed package of ours."""
    return module in allowed or any(module.startswith(f"{one}.") for one in allowed if one.startswith("gateway."))


@pytest.mark.parametrize("name", ALLOWED)
def test_a_leaf_imports_only_what_is_listed(name: str) -> None:
    files = sorted((PACKAGE / name).rglob("*.py"))
    assert files
    found = {str(file.relative_to(PACKAGE)): file.read_text(encoding="utf-8") for file in files}
    rows = {file: faults(text, ALLOWED[name] | REGISTRIES.get(file, frozenset())) for file, text in found.items()}
    assert {file: bad for file, bad in rows.items() if bad} == {}


@pytest.mark.parametrize(
    "line",
    [
        *("import asyncio", "import socket", "import pymodbus", "import numpy.random", "from os import path"),
        *(
            "from numpy import random",
            "from numpy import fromfile",
            "np.load('x')",
            "np.savetxt('x', a)",
            "a.tofile('x')",
        ),
        *("from ... import adapters", "from .. import paths", "from gateway import adapters"),
        *("from gateway import paths", "from gateway.ports import Clock", "import importlib", "from time import time"),
        *(
            "async def decide(): ...",
            "now = datetime.now()",
            "np.random.default_rng()",
            "open('x')",
            "__import__('os')",
        ),
    ],
)
def test_the_wall_of_the_core_holds(line: str) -> None:
    assert faults(line, ALLOWED["core"]) != []


@pytest.mark.parametrize("line", ["import math", "from gateway.core.model.state import Mode", "import numpy as np"])
def test_what_the_core_needs_gets_through(line: str) -> None:
    assert faults(line, ALLOWED["core"]) == []
