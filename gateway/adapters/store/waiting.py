"""What waits for the database, as a person may look at it."""

import sqlite3
from dataclasses import dataclass

from gateway.adapters.store.importance import Importance
from gateway.adapters.store.line_protocol import moment_ms

# The measurement ends with the first comma or space: ours have neither in their names.
_GROUPS = """
SELECT importance, substr(line, 1, min(instr(line || ',', ','), instr(line || ' ', ' ')) - 1) AS name, COUNT(*),
       MIN(id), MAX(id)
FROM lines GROUP BY importance, name ORDER BY importance DESC, name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingGroup:
    """Lines of one measurement. Their moments (ms since 1970) are those of the first and the last that was stored."""

    measurement: str
    importance: Importance
    count: int
    first_ms: int
    last_ms: int


def groups(db: sqlite3.Connection) -> list[WaitingGroup]:
    """What waits, the last to be dropped first."""
    found = db.execute(_GROUPS).fetchall()
    return [
        WaitingGroup(
            measurement=str(name),
            importance=Importance(max(0, min(int(rank), max(Importance)))),
            count=int(count),
            first_ms=_moment_ms(db, first),
            last_ms=_moment_ms(db, last),
        )
        for rank, name, count, first, last in found
    ]


def _moment_ms(db: sqlite3.Connection, number: int) -> int:
    return moment_ms(str(db.execute("SELECT CAST(line AS TEXT) FROM lines WHERE id = ?", (number,)).fetchone()[0]))
