"""How much of a serial line the node's master makes use of: its polls a second, of those that the wire allows."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from line_clock import silence_s

HERE = Path(__file__).parent
FIRMWARE = HERE.parent
BAUDS = (9600, 19200, 115200)
BITS = 10  # 8N1: start, eight of data, stop
REGISTERS = 20
BLOCKS = 30  # each due ten times a second: more than any of the lines can carry
SETTLE = 20  # exchanges before it counts


@asynccontextmanager
async def line(link: Path, baud: int, units: str = "1"):
    """A line in real time; gives an asynchronous `next exchange`."""
    clock = await asyncio.create_subprocess_exec(
        sys.executable, HERE / "line_clock.py", link, str(baud), str(BITS), units, stdout=asyncio.subprocess.PIPE
    )

    async def exchange() -> list:
        return json.loads(await asyncio.wait_for(clock.stdout.readline(), 15))

    try:
        while not link.exists():
            await asyncio.sleep(0.01)
        yield exchange
    finally:
        clock.kill()
        await clock.wait()


@asynccontextmanager
async def node(micropython: str, folder: Path, table: dict):
    """The node as it is, with a serial line `rs485` in its folder and nobody to report to."""
    for name, target in (("main.py", FIRMWARE), ("node", FIRMWARE), ("wire", FIRMWARE.parent / "gateway")):
        if not (folder / name).exists():
            (folder / name).symlink_to(target / name)
    conf = {"site": "test", "node": "cellar", "key": "00" * 32, "serial": {"rs485": "rs485"}}
    conf["broker"] = {"host": "127.0.0.1", "port": 9}
    (folder / "node.json").write_text(json.dumps(conf))
    (folder / "table.json").write_text(json.dumps(table))
    process = await asyncio.create_subprocess_exec(
        micropython,
        *("-X", "heapsize=112k", "main.py"),
        cwd=folder,
        env={"MICROPYPATH": ".frozen:."},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


def table(baud: int, units: list[int], blocks: list[dict]) -> dict:
    bus = {"kind": "rtu", "port": "rs485", "baud": baud, "parity": "N", "stop": 1, "timeout_ms": 300, "gap_ms": 0}
    rows = [{"bus": 0, "id": unit, "wfc": 16} for unit in units]
    return {"v": 1, "node": "cellar", "buses": [bus], "units": rows, "blocks": blocks, "actuators": []}


async def measure(micropython: str, folder: Path, baud: int, seconds: float = 4.0) -> dict:
    """{"baud", "share", "polls_per_s", "wire_polls_per_s", "least_silence_us"} of a bus that is always busy."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [{"u": 0, "fc": 4, "a": 100 * i, "n": REGISTERS, "ms": 100} for i in range(BLOCKS)]
    async with line(folder / "rs485", baud) as exchange, node(micropython, folder, table(baud, [1], blocks)):
        for _ in range(SETTLE):
            first = await exchange()
        rows = []
        while not rows or rows[-1][0] - first[0] < seconds:
            rows.append(await exchange())
    wire_s = rows[0][2] * BITS / baud + 2 * silence_s(baud, BITS)
    polls_per_s = len(rows) / (rows[-1][1] - first[1])
    return {
        "baud": baud,
        "share": round(polls_per_s * wire_s, 3),
        "polls_per_s": round(polls_per_s, 1),
        "wire_polls_per_s": round(1 / wire_s, 1),
        "least_silence_us": min(row[3] for row in rows),
    }
