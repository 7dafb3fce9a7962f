"""What the node calls by a string is what firmware/rare.py lists: it exists, it is called, and with what it takes."""

import ast
from collections.abc import Iterator

import pytest
from as_on_board import FIRMWARE
from rare import HAL, PORTS, RARE

NODE = {path.stem: ast.parse(path.read_text()) for path in sorted((FIRMWARE / "node").glob("*.py"))}
BY_STRING = {"getattr", "setattr", "__import__", "eval", "exec", "compile", "globals", "locals", "vars"}
# Who looks something up by a string that it is given; each entry is one call.
LOOK_UPS = [
    ("hal", "getattr"),  # the port's own names: HAL
    ("hal_esp32_setup", "getattr"),  # a constant of the chip's network module, no function
    ("wait", "__import__"),  # call
    ("wait", "getattr"),  # call
]


def functions(module: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {part.name: part for part in NODE[module].body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}


def names(module: str) -> set[str]:
    """Functions and constants of a module."""
    constants = {part.targets[0].id for part in NODE[module].body if isinstance(part, ast.Assign)}
    return {*functions(module), *constants}


def takes(module: str, function: str) -> range:
    """How many arguments."""
    arguments = functions(module)[function].args
    assert not arguments.vararg
    assert not arguments.kwonlyargs
    most = len(arguments.args)
    return range(most - len(arguments.defaults), most + 1)


def text(part: ast.expr) -> str | None:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else None


def loaded_for_a_call(tree: ast.AST) -> Iterator[tuple[str | None, str | None, int]]:
    """(module, function, arguments handed over) of each use of `call`: called, as a job, as a handler."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Call) and is_lend(part.func):
            starred = any(isinstance(one, ast.Starred) for one in part.args)
            yield text(part.args[0]), text(part.args[1]), -1 if starred else len(part.args) - 2
        elif isinstance(part, ast.Call) and any(is_lend(one) for one in part.args):
            what = next(keyword.value for keyword in part.keywords if keyword.arg == "what")
            assert isinstance(what, ast.Tuple)
            yield text(what.elts[0]), text(what.elts[1]), len(what.elts) - 2 + 1  # the beat
        elif isinstance(part, ast.Tuple) and part.elts and is_lend(part.elts[0]):
            yield text(part.elts[1]), text(part.elts[2]), len(part.elts) - 3 + 2  # the payload and whether it was kept


def is_lend(part: ast.expr) -> bool:
    return isinstance(part, ast.Name) and part.id == "call"


def uses(tree: ast.AST) -> int:
    """How often `call` is named."""
    return sum(is_lend(part) for part in ast.walk(tree) if isinstance(part, ast.expr))


def test_the_table_lists_each_function_that_is_loaded_for_a_call_and_who_calls_it():
    found: dict[tuple[str, str], set[str]] = {}
    for caller, tree in NODE.items():
        calls = list(loaded_for_a_call(tree))
        assert len(calls) == uses(tree), f"{caller}: `call` in a form that nobody checks"
        if caller.startswith("hal_"):
            continue
        for module, function, count in calls:
            assert module, f"{caller}: the module is no string"
            assert function, f"{caller}: the function is no string"
            found.setdefault((module, function), set()).add(caller)
            starred = count < 0  # way.find gives what dial.connect takes
            assert starred or count in takes(module, function), f"{caller}: {module}.{function} with {count}"
    assert found == {(module, function): set(callers) for module, function, callers, _ in RARE}
    assert len(RARE) == len({row[:2] for row in RARE})


def test_the_hal_is_the_same_on_both_ports_and_all_of_it_is_used():
    used: dict[str, set[str]] = {}
    for module, tree in NODE.items():
        for part in ast.walk(tree):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "hal":
                used.setdefault(part.attr, set()).add(module)
    assert used == {name: set(users) for name, _, _, users in HAL}
    for name, *places, _ in HAL:
        for place in places:
            assert name in names(place), f"{place}.{name}"


def test_a_port_loads_only_what_its_setup_has():
    found = set()
    for port in ("hal_esp32", "hal_unix"):
        setup = ast.literal_eval(next(one.value.args[0] for one in NODE[port].body if is_constant(one, "_SETUP")))
        assert setup == port + "_setup"
        for part in ast.walk(NODE[port]):
            if isinstance(part, ast.Call) and is_lend(part.func):
                assert isinstance(part.args[0], ast.Name)
                assert part.args[0].id == "_SETUP"
                if text(part.args[1]) is not None:  # else it is __getattr__, and HAL lists the names
                    found.add((port, text(part.args[1])))
                    assert len(part.args) - 2 in takes(setup, part.args[1].value)
    assert found == set(PORTS)


def is_constant(part: ast.stmt, name: str) -> bool:
    return isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and part.targets[0].id == name


def test_nothing_else_is_called_by_a_string():
    found = []
    for module, tree in NODE.items():
        for part in ast.walk(tree):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in BY_STRING:
                found.append((module, part.func.id))
    assert sorted(found) == sorted(LOOK_UPS)


def test_only_modules_that_exist_are_forgotten():
    wire = {path.stem for path in (FIRMWARE.parent / "gateway" / "wire").glob("*.py")}
    for module, tree in NODE.items():
        for part in ast.walk(tree):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "forget":
                name = text(part.args[0])
                if name is not None:
                    package, leaf = name.split(".")
                    assert leaf in {"node": NODE, "wire": wire}[package], f"{module}: {name}"


@pytest.mark.parametrize(
    "source",
    [
        "call('halt', 'nobody', 1)",
        "job('x', call, 1, what=('halt', 'safe', plant))",
        "handlers = {b't': (call, 'config', 'take')}",
    ],
)
def test_a_call_that_is_wrong_is_seen(source):
    ((module, function, count),) = loaded_for_a_call(ast.parse(source))
    known = {(row[0], row[1]) for row in RARE}
    assert (module, function) not in known or count not in takes(module, function)
