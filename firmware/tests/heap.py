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


def peak(least: list[int]) -> int:
    """Bytes in the highest minute after EARLY_MIN; of a shorter life in its last one."""
    return max(least[EARLY_MIN:] or least[-1:])


def growth(least: list[int]) -> int:
    """Bytes from the minutes after EARLY_MIN to the last ones; each time the least of some minutes. May be negative.

    A life of no more than EARLY_MIN tells nothing: 0.
    """
    warm = least[EARLY_MIN:] or least[-1:]
    return min(warm[-WINDOW_MIN:]) - min(warm[:WINDOW_MIN])
