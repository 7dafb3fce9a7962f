"""Times of a file as unix seconds: with an offset, in UTC, or by a local clock that is set forward and back."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats

QUARTER_S = 900  # clocks are changed on quarter hours
OFFSET = re.compile(r"[+-]\d\d:?\d\d$")


class StampError(ValueError):
    """A cell that is no time; `row` counts the rows of values from 0."""

    def __init__(self, row: int, cell: object) -> None:
        self.row, self.cell = row, str(cell)[:40]
        super().__init__(f"row {row}: {self.cell!r}")


def read_stamps(cells: Sequence[object], zone: tzinfo) -> Floats:
    """Unix seconds of ISO texts or of numbers that are so already; texts without offset are of the clock of `zone`.

    Of an hour that comes twice in autumn the order of the rows says which is meant. StampError names a bad row.
    """
    texts = [cell for cell in cells if isinstance(cell, str)]
    if not texts:
        return _numbers(cells)
    first = texts[0].strip()
    if len(texts) < len(cells) or OFFSET.search(first):
        return _one_by_one(cells, zone)
    is_utc = first.endswith(("Z", "z"))
    try:
        naive = np.array([text.strip().rstrip("Zz") for text in texts], dtype="datetime64[us]")
    except ValueError:
        return _one_by_one(cells, zone)  # finds the row, or reads what numpy does not
    if np.isnat(naive).any() or is_utc != all(text.strip().endswith(("Z", "z")) for text in texts):
        return _one_by_one(cells, zone)
    seconds = naive.astype(np.int64) / 1e6
    return seconds if is_utc else _from_local(seconds, zone)


def _numbers(cells: Sequence[object]) -> Floats:
    for row, cell in enumerate(cells):
        if not isinstance(cell, int | float) or not np.isfinite(cell):
            raise StampError(row, cell)
    return np.array(cells, dtype=np.float64)


def _one_by_one(cells: Sequence[object], zone: tzinfo) -> Floats:
    found = np.empty(len(cells))
    local = np.zeros(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        try:
            moment = datetime.fromisoformat(str(cell).strip())
        except ValueError as error:
            raise StampError(row, cell) from error
        local[row] = moment.tzinfo is None
        found[row] = (moment.replace(tzinfo=UTC) if local[row] else moment).timestamp()
    if local.any():
        found[local] = _from_local(found[local], zone)
    return found


def _from_local(clock_s: Floats, zone: tzinfo) -> Floats:
    """UTC of clock times (given as if they were UTC)."""
    quarters, place = np.unique(np.floor_divide(clock_s, QUARTER_S).astype(np.int64), return_inverse=True)
    first, second = (_offsets_s(quarters, zone, fold)[place] for fold in (0, 1))
    earlier, later = clock_s - first, clock_s - second
    for row in np.flatnonzero(later > earlier).tolist():  # an hour of an autumn night
        if row and earlier[row] <= earlier[row - 1]:
            earlier[row] = later[row]
    return np.asarray(earlier)


def _offsets_s(quarters: NDArray[np.int64], zone: tzinfo, fold: int) -> Floats:
    moments = (datetime.fromtimestamp(quarter * QUARTER_S, UTC) for quarter in quarters.tolist())
    offsets = [moment.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for moment in moments]
    return np.array([offset.total_seconds() for offset in offsets])
