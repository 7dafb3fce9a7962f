"""The life of a node, many times faster than real: what it carries, what its heap does, over half an hour.

The node is compiled as for the board and runs with the heap of one. Its building: a meter on a serial line, an inverter
found by its SunSpec chain, a battery under orders, each read once a second.
"""

import json
import subprocess
import time
from pathlib import Path

import tables
from heap import LOOK, growth, least_by_minute, peak
from node_rig import FAST, FIRMWARE, Broker, Gateway, Node, compiled_firmware, until
from slaves import LineSlave, TcpSlave

from gateway.release.build import compile_file

SPEED = 40  # a time-out of two seconds leaves a device 50 ms of a busy machine
HEAPS = {"112k": {}, "80k": {"ring_bytes": 2900}}  # profile → node.json: 64 records of ten registers and header


def sizes() -> dict[str, int]:
    """Bytes of .mpy by module; what lies at the root is compiled for this sum only."""
    folder = compiled_firmware()
    found = {}
    for path in folder.glob("*/*.mpy"):
        package = path.parent.name
        found[package if path.stem == "__init__" else f"{package}.{path.stem}"] = path.stat().st_size
    for name in ("boot", "memory", "slot", "main"):
        target = folder / "root" / f"{name}.mpy"
        compile_file(FIRMWARE / f"{name}.py", target, name)
        found[name] = target.stat().st_size
    return found


class FastClock:
    """A gateway's clock, as fast as the node."""

    def __init__(self):
        self.begin = time.time(), time.monotonic()

    def utc_s(self) -> float:
        return self.begin[0] + SPEED * (time.monotonic() - self.begin[1])

    def monotonic_s(self) -> float:
        return time.monotonic()


class Life:
    """A building around one compiled node; `async with` it, then `minutes(n)`."""

    def __init__(self, micropython: str, mosquitto: str, folder: Path, heap: str):
        self.folder = folder
        self.heap = heap
        self.broker = Broker(mosquitto, folder)
        self.micropython = micropython
        self.meter = LineSlave(folder / "rs485")
        self.inverter, self.battery = TcpSlave(), TcpSlave()

    async def __aenter__(self):
        await self.broker.start()
        self.gateway = Gateway(self.broker.port)
        self.gateway.clock = FastClock()
        for part in (self.gateway, self.meter, self.inverter, self.battery):
            await part.__aenter__()
        self.meter.put(52, *range(20))
        self.inverter.put(40000, 0x5375, 0x6E53, 103, 50, *range(50), 0xFFFF, 0)
        self.battery.put(30775, 0, 0)
        self.node = Node(self.micropython, self.folder / "node", FIRMWARE, self.broker.port)
        self.node.conf["time"] = {"port": self.gateway.time_port}
        self.node.heap, self.node.speed, self.node.program = self.heap, SPEED, "tell.py"
        self.sizes = sizes()
        (self.node.directory / "tell.py").write_text(TELL)
        self.node.start(_table(self.inverter.port, self.battery.port), **HEAPS[self.heap])
        await until(lambda: self.gateway.states and self.gateway.states[-1]["up"], "the node", 30)
        return self

    async def __aexit__(self, *exc):
        self.node.kill()
        for part in (self.battery, self.inverter, self.meter, self.gateway):
            await part.__aexit__(*exc)
        self.broker.kill()

    async def minutes(self, count: int) -> dict[str, int]:
        """Runs until the node is so many of its minutes old, with an order for each health message.

        Gives the live heap, the highest of all minutes once everything has happened, and by how much it grew from then on.
        """
        while not self.gateway.health or self.gateway.health[-1]["uptime_s"] < 60 * count:
            seen = len(self.gateway.health)
            await self.gateway.order([seen % 100], at=2**31 - 1, ttl=30000)
            await until(lambda seen=seen: len(self.gateway.health) > seen, "health of the node", 30)
            assert self.node.process.poll() is None, self.node.said()
        said = self.node.said()
        growth_ = growth(least_by_minute(said))
        return {"heap_live_peak_bytes": peak(said) - self._stand_ins(), "heap_growth_bytes": growth_}

    def _stand_ins(self) -> int:
        """Bytes of heap of what a board has not, the fast clock and who looks at the heap: what importing them costs."""
        command = [self.micropython, "-X", f"heapsize={self.heap}", "-c", STAND_INS]
        places = {"MICROPYPATH": f".frozen:{FAST}"}
        return int(subprocess.run(command, capture_output=True, check=True, text=True, env=places).stdout)

    def bytes_of(self, loaded: list[str]) -> int:
        """Bytes of .mpy of these modules, with the board's own layer in the place of the computer's."""
        names = {"boot", *(name.replace("hal_unix", "hal_esp32") for name in loaded)}
        return sum(self.sizes.get(name, 0) for name in names)

    async def loaded(self) -> list[str]:
        """Ends the node; the modules that it had loaded."""
        self.node.interrupt()
        await until(lambda: self.node.process.poll() is not None, "the end of the node")
        return json.loads(self.node.said().rpartition("LOADED")[2].partition("\n")[0])


# A board finds its files from where it is; the paths of a computer are longer, and the interpreter keeps each.
TELL = f"""
{LOOK}
import json
import sys
sys.path[0] = ""
import main
print("LOADED" + json.dumps([name for name in sys.modules]))
"""


STAND_INS = f"""
import gc
def bytes_of(code):
    gc.collect()
    before = gc.mem_alloc()
    exec(code)
    gc.collect()
    return gc.mem_alloc() - before
clock = bytes_of("import time, select")
import asyncio
print(clock + bytes_of({LOOK!r}))
"""


def _table(inverter: int, battery: int) -> dict:
    units = [{"bus": i, "id": 1, "wfc": 16} for i in range(3)]
    blocks = [
        tables.block(0, 52, 20, ms=1000),
        tables.block(1, 14, 13, ms=1000, m=103),
        tables.block(2, 30775, 2, ms=1000),
    ]
    patient = {"timeout_ms": 2000}  # of the node's fast time
    buses = [tables.line(**patient), tables.tcp(inverter, **patient), tables.tcp(battery, **patient)]
    return tables.table(buses, units, blocks, [tables.BATTERY | {"u": 2, "refresh_ms": 15000, "ttl_ms": 30000}])
