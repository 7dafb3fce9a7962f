"""The live heap of a node, looked at from a task of its own: the least and the most of each minute.

A single look, such as the one of a health message, finds up to 3 kB more: the interpreter's collector takes every word
of the stack and of a popped slot of a coroutine for a pointer, and what has just ended stays alive for a while. That
comes and goes; what has leaked stays, and so lifts even the least, which is exact to some 32 bytes. It is a step of
4.5 kB when the names of all modules ever loaded are more than 620: the interpreter never gives back a name, and doubles
the room for them.
"""

EARLY_MIN = 5  # by then everything has happened once
WINDOW_MIN = 3
CHANCE_MIN = 2  # minutes whose highest look may hold, for a moment, what has just ended
LOOKS = 20  # a minute

LOOK = f"""
import asyncio
import gc
async def look():
    while True:
        least = most = 0
        for _ in range({LOOKS}):
            await asyncio.sleep_ms({60000 // LOOKS})
            gc.collect()
            found = gc.mem_alloc()
            least, most = min(least or found, found), max(most, found)
        print("LIVE", least, most)
asyncio.create_task(look())
"""


def least_by_minute(said: str) -> list[int]:
    """Bytes, from what a program has said that began with LOOK."""
    return [int(line.split()[1]) for line in said.splitlines() if line.startswith("LIVE ")]


def peak(said: str) -> int:
    """Bytes of the highest look after EARLY_MIN, but for those of CHANCE_MIN minutes; of a shorter life the last one."""
    most = [int(line.split()[2]) for line in said.splitlines() if line.startswith("LIVE ")]
    late = sorted(most[EARLY_MIN:] or most[-1:])
    return late[max(len(late) - 1 - CHANCE_MIN, 0)]


def growth(least: list[int]) -> int:
    """Bytes from the minutes after EARLY_MIN to the last ones; each time the least of some minutes. May be negative.

    A life of no more than EARLY_MIN tells nothing: 0.
    """
    warm = least[EARLY_MIN:] or least[-1:]
    return min(warm[-WINDOW_MIN:]) - min(warm[:WINDOW_MIN])
