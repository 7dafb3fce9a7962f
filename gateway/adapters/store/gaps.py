"""What was dropped, as events: each gap is a line that is kept and delivered as all others.

A gap that goes on is one event that grows: its line is written anew under the same moment, so that the database has the
last one only.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.store.importance import importance
from gateway.adapters.store.line_protocol import line, measurement, moment_ms, tag
from gateway.ports import FieldValue, Row

MEASUREMENT = "gap"
UNKNOWN = "unknown"  # measurement of lines that were lost with the file that they were in
GOES_ON_MS = 3_600_000  # what is dropped within an hour of the end of a gap belongs to it
GAPS_KEPT = 1000  # the newest: years of outages
SHOWN = 12  # measurements named in one event, the most frequent first


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Lines of one site that will never be in the database."""

    site: str  # the tag of the lines; empty where it is not known
    from_ms: int  # of the oldest line (ms since 1970)
    to_ms: int  # of the newest one
    counts: Mapping[str, int]  # lines by measurement

    @property
    def lines(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def row(self) -> Row:
        """As the database has it: at its begin, so that it is one point however long it grows."""
        named = ", ".join(f"{name} {count}" for name, count in Counter(self.counts).most_common(SHOWN))
        fields: dict[str, FieldValue] = {
            "duration_s": (self.to_ms - self.from_ms) / 1000,
            "lines": float(self.lines),
            "measurements": named,
        }
        return Row(measurement=MEASUREMENT, tags={"site": self.site}, fields=fields, time_ms=self.from_ms)


def of_lines(texts: Sequence[str]) -> Iterator[Gap]:
    """What is missing without these lines, a gap for each site. Lines of gaps are not: what they say is known here."""
    by_site: dict[str, list[str]] = {}
    for text in (text for text in texts if measurement(text) != MEASUREMENT):
        by_site.setdefault(tag(text, "site"), []).append(text)
    for site, found in by_site.items():
        times = [moment_ms(text) for text in found]
        counts = Counter(measurement(text) for text in found)
        yield Gap(site=site, from_ms=min(times), to_ms=max(times), counts=counts)


def of_nothing_known(lines: int) -> Gap:
    """So many lines went with a file that cannot be read any more."""
    now_ms = time.time_ns() // 10**6
    return Gap(site="", from_ms=now_ms, to_ms=now_ms, counts={UNKNOWN: lines})


def note(db: sqlite3.Connection, gap: Gap) -> int:
    """Write it down with its line; by how many there are more lines now. To be called in a transaction."""
    newest = "SELECT from_ms, to_ms, counts, line FROM gaps WHERE site = ? ORDER BY line DESC LIMIT 1"
    row = db.execute(newest, (gap.site,)).fetchone()
    gone = 0
    if row is not None and (before := _read(gap.site, *row[:3])) is not None and _goes_on(before, gap):
        counts = Counter(before.counts) + Counter(gap.counts)
        gap = Gap(site=gap.site, from_ms=before.from_ms, to_ms=max(before.to_ms, gap.to_ms), counts=counts)
        gone = db.execute("DELETE FROM lines WHERE id = ?", (row[3],)).rowcount
    text = line(gap.row())
    added = db.execute("INSERT INTO lines (line, importance) VALUES (?, ?)", (text, importance(text)))
    values = (gap.site, gap.from_ms, gap.to_ms, json.dumps(gap.counts), added.lastrowid)
    db.execute("INSERT OR REPLACE INTO gaps (site, from_ms, to_ms, counts, line) VALUES (?, ?, ?, ?, ?)", values)
    db.execute("DELETE FROM gaps WHERE line NOT IN (SELECT line FROM gaps ORDER BY line DESC LIMIT ?)", (GAPS_KEPT,))
    return 1 - gone


def all_of(db: sqlite3.Connection) -> list[Gap]:
    """What the store knows, oldest first."""
    rows = db.execute("SELECT site, from_ms, to_ms, counts FROM gaps ORDER BY from_ms").fetchall()
    return [gap for row in rows if (gap := _read(*row)) is not None]


def forget_older_lines(db: sqlite3.Connection) -> None:
    """Leave the newest line of each gap only, where two stores came together. To be called in a transaction."""
    sql = "DELETE FROM lines WHERE importance > 0 AND line GLOB ? AND id NOT IN (SELECT line FROM gaps)"
    db.execute(sql, (f"{MEASUREMENT}[, ]*",))


def _goes_on(before: Gap, gap: Gap) -> bool:
    return before.from_ms <= gap.from_ms <= before.to_ms + GOES_ON_MS


def _read(site: object, from_ms: object, to_ms: object, counts: object) -> Gap | None:
    """A row of the table; None for damage."""
    try:
        found = {str(name): int(count) for name, count in json.loads(str(counts)).items()}
        return Gap(site=str(site), from_ms=int(str(from_ms)), to_ms=int(str(to_ms)), counts=found)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
