"""How much of a serial line the node's master makes use of: its polls a second, of those that the wire allows."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent

sys.path[:0] = [str(HERE)]

from line_clock import silence_s  # noqa: E402
from node_rig import compiled_firmware  # noqa: E402  they lie beside this file

BAUDS = (9600, 19200, 115200)
BITS = 10  # 8N1: start, eight of data, stop
REGISTERS = 20  # of each block
BLOCKS = 30  # each due ten times a second: more than any of the lines can carry
WINDOWS = 4
SETTLE = 20  # exchanges before it counts
PATIENCE_S = 45.0


class Line:
    """A line in real time (line_clock.py), as a process of its own."""

    def __init__(self, link: Path, baud: int, units: str):
        self.link = link
        self.arguments = (str(link), str(baud), str(BITS), units)

    async def __aenter__(self):
        command = (sys.executable, str(HERE / "line_clock.py"), *self.arguments)
        pipe = subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        async with asyncio.timeout(PATIENCE_S):
            while not self.link.exists():
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_exc):
        self.process.kill()
        await self.process.communicate()

    async def exchange(self) -> list:
        """The next one, as line_clock.py says it."""
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S))

    async def only(self, units: str) -> None:
        """From now on only these units answer."""
        self.process.stdin.write(units.encode() + b"\n")
        await self.process.stdin.drain()


def waited_s(process: asyncio.subprocess.Process) -> float:
    """How long it has stood ready to run while the machine ran something else, in seconds (sched-stats.rst of Linux)."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9


@asynccontextmanager
async def node(micropython: str, folder: Path, table: dict):
    """The node as it is, with the line `rs485` of its folder and nobody to report to; gives its process."""
    for path in compiled_firmware().iterdir():
        (folder / path.name).symlink_to(path)
    conf = {"site": "test", "node": "cellar", "key": "00" * 32, "broker": {"host": "127.0.0.1", "port": 9}}
    (folder / "node.json").write_text(json.dumps(conf | {"serial": {"rs485": "rs485"}}))
    (folder / "table.json").write_text(json.dumps(table))
    process = await asyncio.create_subprocess_exec(
        *(micropython, "-X", "heapsize=112k", "main.py"),
        cwd=folder,
        env={"MICROPYPATH": ".frozen:."},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


def table(baud: int, units: int, blocks: int, ms: int, registers: int = REGISTERS) -> dict:
    """Units 1, 2, …, each with so many blocks."""
    bus = {"kind": "rtu", "port": "rs485", "baud": baud, "timeout_ms": 300}
    rows = [{"bus": 0, "id": 1 + unit, "wfc": 16} for unit in range(units)]
    reads = [{"u": u, "fc": 4, "a": 100 * i, "n": registers, "ms": ms} for u in range(units) for i in range(blocks)]
    return {"v": 1, "node": "cellar", "buses": [bus], "units": rows, "blocks": reads, "actuators": []}


async def measure(micropython: str, folder: Path, baud: int, seconds: float = 1.5) -> dict:
    """{"baud", "share", "polls_per_s", "wire_polls_per_s", "least_silence_us"} of a bus that is always busy.

    The wire allows 1 / (characters of request and answer + twice t3.5). What counts is the silence that the node leaves
    between an answer and its next request, without the time that it has waited for the machine; of some windows of a
    run, each of so many seconds, the best. `folder` must not exist yet.
    """
    folder.mkdir(parents=True)
    line = Line(folder / "rs485", baud, "1")
    async with line, node(micropython, folder, table(baud, 1, BLOCKS, 100)) as master:
        for _ in range(SETTLE):
            row = await line.exchange()
        rows, lefts = [], []
        for _ in range(WINDOWS):
            begin, waited, silences = row[1], waited_s(master), []
            while row[1] - begin < seconds:
                row = await line.exchange()
                rows.append(row)
                silences.append(row[3] / 1e6)
            lefts.append((sum(silences) - (waited_s(master) - waited)) / len(silences))
    pause_s = silence_s(baud, BITS)
    exchange_s = row[2] * BITS / baud + pause_s
    polls_per_s = 1 / (exchange_s + max(min(lefts), pause_s))
    wire_s = exchange_s + pause_s
    return {
        "baud": baud,
        "share": round(polls_per_s * wire_s, 3),
        "polls_per_s": round(polls_per_s, 1),
        "wire_polls_per_s": round(1 / wire_s, 1),
        "least_silence_us": min(row[3] for row in rows),
    }
