"""Names by their number, each written once in the archive; and whole numbers of a fixed unit."""

import json
import math
import sqlite3
from collections.abc import Mapping

from gateway.adapters.archive.records import Numbers

MOST = 2**53  # larger is damage


class Names:
    """The names of one database, read as they are needed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def number(self, name: str) -> int:
        """The number of a name, given at its first time."""
        if name not in self._numbers:
            self._db.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (name,))
            found = self._db.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()
            self._numbers[name] = int(found[0])
        return self._numbers[name]

    def name(self, number: object) -> str:
        """The name of a number; empty where damage has taken it away."""
        if not isinstance(number, int):
            return ""
        if number not in self._names:
            found = self._db.execute("SELECT name FROM names WHERE id = ?", (number,)).fetchone()
            self._names[number] = str(found[0]) if found else ""
        return self._names[number]

    def packed(self, numbers: Numbers) -> tuple[int | None, str | None]:
        """Numbers of a reason: their names as one name, their values as JSON; nothing for none."""
        if not numbers:
            return None, None
        values = [rounded(value) for value in numbers.values()]
        return self.number(json.dumps(list(numbers))), json.dumps(values, separators=(",", ":"), ensure_ascii=False)

    def unpacked(self, shape: object, values: object) -> Mapping[str, float | str]:
        """The same back; empty where they are damaged."""
        if values is None:
            return {}
        try:
            found = zip(json.loads(self.name(shape)), json.loads(str(values)), strict=True)
            return {str(name): value for name, value in found if isinstance(value, int | float | str)}
        except (ValueError, TypeError, RecursionError):
            return {}


def rounded(number: float | str) -> float | str:
    """As the archive keeps the numbers of a reason: to four digits and at most three places; whole ones as they are."""
    if isinstance(number, str) or not math.isfinite(number):
        return str(number)
    size = abs(number)
    places = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    found = round(float(number), places)
    return int(found) if found == int(found) else found


def steps(value: float | None, unit: int) -> int | None:
    """A value as a whole number of the unit's part: 12.34 in tenths is 123."""
    return None if value is None else round(value * unit)


def value(found: object, unit: int) -> float | None:
    """The same back; None for all that is no such number."""
    return found / unit if isinstance(found, int) and abs(found) < MOST else None
