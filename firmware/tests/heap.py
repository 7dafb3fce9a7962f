"""The live heap of a node, looked at from a task of its own: the least of each minute, which is exact to some 32 bytes.

A single look, such as the one of a health message, finds up to 3 kB more: the interpreter's collector takes every word
of the stack and of a popped slot of a coroutine for a pointer, and what has just ended stays alive for a while. That
comes and goes; what has leaked stays, and so lifts even the least.
"""

EARLY_MIN = 5  # by then everything has happened once
WINDOW_MIN = 3
LOOKS = 20  # a minute

LOOK = f"""
import asyncio
import gc
async def look():
    while True:
        least = 0
        for _ in range({LOOKS}):
            await asyncio.sleep_ms({60000 // LOOKS})
            gc.collect()
            found = gc.mem_alloc()
            least = min(least or found, found)
        print("LIVE", least)
asyncio.create_task(look())
"""


def least_by_minute(said: str) -> list[int]:
    """Bytes, from what a program has said that began with LOOK."""
    return [int(line.split()[1]) for line in said.splitlines() if line.startswith("LIVE ")]


def growth(least: list[int]) -> int:
    """Bytes from the minutes after EARLY_MIN to the last ones; each time the least of some minutes. May be negative."""
    early, late = least[EARLY_MIN : EARLY_MIN + WINDOW_MIN], least[-WINDOW_MIN:]
    assert len(least) >= EARLY_MIN + WINDOW_MIN, f"{len(least)} minutes are too few"
    return min(late) - min(early)
