"""The sources: who may touch the hardware, and no fractions near a counter."""

import ast
import json
from pathlib import Path

import pytest
from wire import records, topics

FIRMWARE = Path(__file__).parent.parent
WIRE = FIRMWARE.parent / "gateway" / "wire"
NODE = sorted((FIRMWARE / "node").glob("*.py"))
HARDWARE = {"machine", "network", "esp32", "termios"}


def imported(part: ast.AST) -> set[str]:
    """Modules that a statement brings in, by their first name."""
    if isinstance(part, ast.Import):
        return {alias.name.split(".")[0] for alias in part.names}
    return {(part.module or "").split(".")[0]} if isinstance(part, ast.ImportFrom) else set()


@pytest.mark.parametrize(
    "path", [*NODE, *sorted(FIRMWARE.glob("*.py")), *sorted(WIRE.glob("*.py"))], ids=lambda path: path.name
)
def test_only_the_hal_knows_the_hardware_and_nobody_divides(path):
    for part in ast.walk(ast.parse(path.read_text())):
        if not path.name.startswith("hal") and path.name not in ("memory.py", "slot.py"):
            assert not imported(part) & HARDWARE, f"line {part.lineno}"
        assert not isinstance(part, ast.Div), "`/` makes a float; ESP32 floats have 24 bits"
        assert not (isinstance(part, ast.Constant) and isinstance(part.value, float)), f"line {part.lineno}"
        assert not (isinstance(part, ast.Name) and part.id == "float"), f"line {part.lineno}"


def test_a_module_that_touches_the_hardware_is_found():
    sources = ("import machine", "def f():\n    from esp32 import NVS", "import network as net", "import termios, sys")
    for source in sources:
        assert any(imported(part) & HARDWARE for part in ast.walk(ast.parse(source))), source


def test_the_package_lists_what_the_board_needs():
    package = json.loads((FIRMWARE / "package.json").read_text())
    listed = {target: (FIRMWARE / source).resolve() for target, source in package["urls"]}
    wanted = {name: FIRMWARE / name for name in ("boot.py", "main.py", "memory.py", "slot.py")}
    wanted |= {f"node/{path.name}": path for path in NODE if not path.name.startswith("hal_unix")}
    wanted |= {f"wire/{path.name}": path for path in WIRE.glob("*.py")}
    assert listed == wanted


def numbers(path: Path) -> dict:
    """The constants `_NAME = const(value)` of a module, by name without the underscore."""
    found = {}
    for part in ast.parse(path.read_text()).body:
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and part.value.func.id == "const":
            found[part.targets[0].id.lstrip("_")] = ast.literal_eval(part.value.args[0])
    return found


@pytest.mark.parametrize("path", NODE, ids=lambda path: path.name)
def test_what_a_module_repeats_of_the_wire_is_the_same_there(path):
    """A name costs flash and heap, so the node repeats some numbers and words of wire.records and wire.topics."""
    for name, value in numbers(path).items():
        for module in (records, topics):
            assert getattr(module, name, value) == value, f"{name} is {getattr(module, name)} in {module.__name__}"
