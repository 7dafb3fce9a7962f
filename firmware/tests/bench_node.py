"""`make bench-node`: what the node costs and what it reaches, on the board's interpreter, with peers beside it.

Prints a table and writes build/bench-node.json. Peers are measured where their folder is given
(`--peer umodbus=FOLDER` with the package in it): they are not ours to ship. Their heap is that of importing them.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import as_on_board  # noqa: F401  before what imports `wire`
from life import HEAPS, Life
from node_rig import compiled_firmware
from rich.console import Console
from rich.table import Table
from wire_share import measure

from gateway.release.build import compile_file
from gateway.rig.part import Machine, Missing
from gateway.rig.parts import find

BAUDS = (9600, 19200, 115200)
# What a program has loaded to poll Modbus TCP and to speak MQTT: ours, and what does the same elsewhere.
OURS = {
    "modbus": ("wire.records", "node.wait", "node.modbus_frames", "node.tcp", "node.modbus", "node.bus"),
    "mqtt": ("node.wait", "node.tcp", "wire.seal", "node.mqtt"),
}
PEERS = {
    "umodbus": ("modbus", "micropython-modbus 2.3.7", ("umodbus.common", "umodbus.functions", "umodbus.tcp")),
    "mqtt_as": ("mqtt", "mqtt_as 0.8.3", ("mqtt_as",)),
}
# Measured on Debian's 32-bit MicroPython 1.25, for who has no copy of a peer: bytes of heap after import.
PUBLISHED = {"umodbus": 25376, "mqtt_as": 15968}
IMPORT = """
import asyncio, gc, json, machine, micropython, select, socket, struct, sys, time
gc.collect()
before = gc.mem_alloc()
for name in %r: __import__(name)
gc.collect()
print("HEAP", gc.mem_alloc() - before)
"""
FAKES = {"network.py": "", "machine.py": "def unique_id(): return b'node'\nclass UART: pass\nclass Pin: pass\n"}


def main() -> int:
    options = _options()
    parts = {name: find(name, Machine()) for name in ("micropython", "mosquitto")}
    missing = [part for part in parts.values() if isinstance(part, Missing)]
    for part in missing:
        print(f"bench-node: {part.name} is missing: {part.why}. To have it: {part.remedy}", file=sys.stderr)
    if missing:
        return 1
    micropython, mosquitto = (str(parts[name].path) for name in ("micropython", "mosquitto"))
    found = asyncio.run(_ours(micropython, mosquitto, options.minutes))
    found["peers_heap_bytes"] = _peers(micropython, dict(one.split("=", 1) for one in options.peer))
    target = Path("build") / "bench-node.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(_table(found))
    print(f"written: {target}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30, help="of the node's life (run many times faster)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=FOLDER", help=f"one of {list(PEERS)}")
    return parser.parse_args()


async def _ours(micropython: str, mosquitto: str, minutes: int) -> dict:
    profiles = {}
    for heap in HEAPS:
        print(f"a node of {minutes} minutes in a heap of {heap} …", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            async with Life(micropython, mosquitto, Path(folder), heap) as life:
                profiles[heap] = await life.minutes(minutes)
                profiles[heap]["mpy_bytes"] = life.bytes_of(await life.loaded())
    shares = {}
    for baud in BAUDS:
        print(f"a serial line of {baud} baud …", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            shares[baud] = round((await measure(micropython, Path(folder) / "line", baud))["share"], 3)
    return {**profiles["112k"], "reduced_profile": profiles["80k"], "rtu_share_of_wire": shares}


def _peers(micropython: str, folders: dict[str, str]) -> dict:
    """Heap after import, in bytes: {kind: {who: bytes}}."""
    found = {kind: {"this node": _heap(micropython, compiled_firmware(), OURS[kind])} for kind in OURS}
    for name, (kind, title, modules) in PEERS.items():
        if name in folders:
            found[kind][title] = _peer(micropython, Path(folders[name]), modules)
        else:
            found[kind][f"{title}, measured earlier"] = PUBLISHED[name]
    return found


def _peer(micropython: str, source: Path, modules: tuple[str, ...]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "peer"
        shutil.copytree(source, copy)
        for file in list(copy.rglob("*.py")):
            compile_file(file, file.with_suffix(".mpy"), file.name)
            file.unlink()
        for name, text in FAKES.items():
            (copy / name).write_text(text)
        return _heap(micropython, copy, modules)


def _heap(micropython: str, folder: Path, modules: tuple[str, ...]) -> int:
    environment = {"MICROPYPATH": f"{folder}:.frozen"}
    command = [micropython, "-X", "heapsize=112k", "-c", IMPORT % (modules,)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if "HEAP" not in done.stdout:
        raise SystemExit(f"bench-node: {modules} cannot be imported:\n{done.stdout}{done.stderr}")
    return int(done.stdout.rpartition("HEAP")[2])


def _table(found: dict) -> Table:
    table = Table("what", "measured", "allowed", title="The node, on the board's interpreter")
    table.add_row(".mpy a running node has loaded", f"{found['mpy_bytes']} B", "20000 B")
    table.add_row("live heap, highest of all looks after minute 5", f"{found['heap_live_peak_bytes']} B", "60000 B")
    table.add_row("growth of it until the end", f"{found['heap_growth_bytes']} B", "none")
    table.add_row("the same with 80 kB", str(found["reduced_profile"]["heap_live_peak_bytes"]) + " B", "no crash")
    for baud, share in found["rtu_share_of_wire"].items():
        table.add_row(f"RTU at {baud} Bd, share of what the wire allows", f"{share:.3f}", "≥ 0.85")
    for kind, rows in found["peers_heap_bytes"].items():
        for who, bytes_ in rows.items():
            table.add_row(f"heap of {kind}: {who}", f"{bytes_} B", "")
    return table


if __name__ == "__main__":
    sys.exit(main())
