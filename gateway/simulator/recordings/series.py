"""A recorded power series, replayed at the time of the simulated building.

- The time column is `time_utc`, `time_local` or `time`: ISO text, or unix seconds. `time_local`, and `time` without
  an offset, are the wall clock of the building: a record made without change of hour stays with the people's clocks.
- A value is the mean over the step that starts at its stamp and holds for that step.
- A building that starts outside of the record lives the same day and time in a year that the record has.
- A gap (a row missing, empty or NaN, or marked 0 in a column `<load|pv>_ok`) holds the last value for at most
  10 minutes, then counts as 0 W; the first such gap is logged.
"""

import logging
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.mistakes import Mistake
from gateway.simulator.recordings.table_file import Column, TableFileError, read_columns, read_names
from gateway.simulator.settings.config import PowerUnit, Replay
from gateway.simulator.settings.mistakes import HouseFileError

HOLD_S = 600.0
LATEST_S = datetime(2101, 1, 1, tzinfo=UTC).timestamp()  # records are of the years 1970 to 2100
TIME_COLUMNS = ("time_utc", "time_local", "time")
SUFFIXES: tuple[tuple[str, PowerUnit], ...] = (("_w_per_kwp", "w_per_kwp"), ("_kw", "kw"), ("_w", "w"))
Kind = Literal["load", "pv"]
# The first of these that a file has; any other column must be named in the house file.
PREFERRED: dict[Kind, tuple[str, ...]] = {
    "load": ("load_w", "load_kw"),
    "pv": ("pv_w", "pv_kw", "pv_south35_w_per_kwp", "pv_w_per_kwp"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A file's content: stamps (seconds on the file's own clock, rising), watts, the usual step; gaps left out.

    `end_s` is the end of the last step. `local` says that the clock is the building's wall clock.
    """

    stamps_s: Sequence[float]
    powers_w: Sequence[float]
    step_s: float
    end_s: float
    local: bool


class Series:
    """The replay of a record; asks for moments that never go back."""

    def __init__(self, record: Record, *, zone: ZoneInfo, start_utc_s: float, name: str) -> None:
        self._record = record
        self._zone = zone
        self._name = name
        self._missing = False
        self._offset_from_s = -math.inf
        self._offset_s = 0.0
        self._shift_s = 0.0
        clock_s = self._clock_s(start_utc_s)
        shift_s = _shift_into(record, clock_s)
        if shift_s is None:
            raise ValueError(f"{_text(clock_s)} while the record runs from {_span(record)}")
        self._shift_s = shift_s

    def power_w(self, utc_s: float) -> float:
        """The power of the record at this moment of the building."""
        clock_s = self._clock_s(utc_s)
        if clock_s + self._shift_s >= self._record.end_s:
            self._shift_s = _shift_into(self._record, clock_s) or self._shift_s
        at_s = clock_s + self._shift_s
        place = bisect_right(self._record.stamps_s, at_s) - 1
        if place < 0 or at_s >= self._record.stamps_s[place] + self._record.step_s + HOLD_S:
            return self._gap(utc_s)
        return self._record.powers_w[place]

    def _clock_s(self, utc_s: float) -> float:
        """The reading of the file's clock at a moment; the offset is looked up once per quarter hour."""
        if not self._record.local:
            return utc_s
        if not 0.0 <= utc_s - self._offset_from_s < 900.0:
            self._offset_from_s = utc_s - utc_s % 900.0
            offset = datetime.fromtimestamp(self._offset_from_s, self._zone).utcoffset()
            self._offset_s = offset.total_seconds() if offset else 0.0
        return utc_s + self._offset_s

    def _gap(self, utc_s: float) -> float:
        if not self._missing:
            self._missing = True
            log.warning("%s has no value for more than %.0f s at %s: 0 W", self._name, HOLD_S, _text(utc_s))
        return 0.0


def open_series(  # the place in the house file is part of every message
    settings: Replay, kind: Kind, *, kwp: float, zone: ZoneInfo, start_utc_s: float
) -> Series:
    """The replay of `settings.file`; HouseFileError with place, reason and remedy when it cannot be."""
    if settings.file is None:
        raise ValueError("no file to replay")
    path = settings.file
    try:
        names = read_names(path)
        time_name = _time_column(names, kind, path)
        value_name, unit = _value_column(names, settings, kind, path)
        record = _record(path, time_name, value_name, _watts(unit, settings.scale, kwp), kind, names)
    except TableFileError as error:
        raise _mistake(kind, "file", f"{path} ({error})", error.remedy) from error
    try:
        return Series(record, zone=zone, start_utc_s=start_utc_s, name=f"{kind}.file {path.name}")
    except ValueError as error:
        remedy = f"a clock.start inside of {path.name} (on that day of any year), or no file"
        raise _mistake(kind, "file", f"the start {error}", remedy) from error


def _shift_into(record: Record, clock_s: float) -> float | None:
    """Seconds to add to the clock to be inside of the record: none, or to the same day of one of its years."""
    first_s = record.stamps_s[0]
    if first_s <= clock_s < record.end_s:
        return 0.0
    moment = datetime.fromtimestamp(clock_s, UTC)
    for year in range(datetime.fromtimestamp(first_s, UTC).year, datetime.fromtimestamp(record.end_s, UTC).year + 1):
        day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
        there_s = moment.replace(year=year, day=day).timestamp()
        if first_s <= there_s < record.end_s:
            return there_s - clock_s
    return None


def _time_column(names: Sequence[str], kind: Kind, path: Path) -> str:
    for name in TIME_COLUMNS:
        if name in names:
            return name
    if any(";" in name for name in names):
        raise TableFileError("semicolons in its first line", remedy="a comma between columns")
    raise _mistake(kind, "file", f"{path.name} with the columns {_list(names)}", f"one of {_list(TIME_COLUMNS)}")


def _value_column(names: Sequence[str], settings: Replay, kind: Kind, path: Path) -> tuple[str, PowerUnit]:
    """The value's column and unit: as said in the house file, else by name, else the only one that is left."""
    rest = [name for name in names if name not in TIME_COLUMNS]
    if settings.column is not None and settings.column not in rest:
        raise _mistake(kind, "column", f"{settings.column!r}", f"one of {_list(rest)}")
    known = [name for name in PREFERRED[kind] if name in rest]
    name = settings.column or (known[0] if known else rest[0] if len(rest) == 1 else None)
    if name is None:
        raise _mistake(kind, "column", f"nothing, and {path.name} has several", f"one of {_list(rest)}")
    unit = settings.unit or next((unit for suffix, unit in SUFFIXES if name.endswith(suffix)), None)
    if unit is None:
        raise _mistake(kind, "unit", f"nothing, and {name!r} does not end with one", '"w", "kw" or "w_per_kwp"')
    return name, unit


def _watts(unit: PowerUnit, scale: float, kwp: float) -> float:
    return scale * {"w": 1.0, "kw": 1000.0, "w_per_kwp": kwp}[unit]


def _record(path: Path, time_name: str, value_name: str, watts: float, kind: Kind, names: Sequence[str]) -> Record:
    ok_name = f"{kind}_ok" if f"{kind}_ok" in names and value_name == f"{kind}_w" else None
    columns = read_columns(path, [time_name, value_name, *([ok_name] if ok_name else [])])
    stamps_s, naive = _stamps(columns[time_name], time_name)
    powers_w = [_number(cell) * watts for cell in columns[value_name]]
    usable = [_number(cell) != 0.0 for cell in columns[ok_name]] if ok_name else [True] * len(stamps_s)
    kept = [i for i, power_w in enumerate(powers_w) if usable[i] and math.isfinite(power_w)]
    if len(kept) < 2:
        raise TableFileError(f"{len(kept)} values in {value_name}", remedy="two numbers in that column at least")
    step_s = median_low([after - before for before, after in pairwise(stamps_s)])
    if step_s <= 0.0 or any(after <= before for before, after in pairwise(stamps_s)):
        raise TableFileError(f"times in {time_name} that do not rise", remedy="times that rise")
    return Record(
        stamps_s=[stamps_s[i] for i in kept],
        powers_w=[powers_w[i] for i in kept],
        step_s=step_s,
        end_s=stamps_s[-1] + step_s,
        local=time_name == "time_local" or (time_name == "time" and naive),
    )


def _stamps(cells: Column, name: str) -> tuple[list[float], bool]:
    """Seconds of the time column on its own clock (a wall clock is counted as if it were UTC); naive or not.

    TableFileError names the first row that is not as the first one; rows of data count from 1.
    """
    text = bool(cells) and isinstance(cells[0], str) and not _is_number(cells[0])
    naive = None
    stamps_s = []
    for row, cell in enumerate(cells, start=1):
        try:
            if text:
                moment = _moment(cell, naive=naive)
                naive = moment.tzinfo is None
                stamps_s.append(_in_years((moment.replace(tzinfo=UTC) if naive else moment).timestamp(), "times"))
            else:
                stamps_s.append(_in_years(_number(cell), "unix seconds"))
        except TableFileError as error:
            found = f"{str(cell)[:40]!r} in row {row} of {name}: {error}"
            raise TableFileError(found, remedy=error.remedy) from error
    return stamps_s, bool(naive)


def _moment(cell: object, *, naive: bool | None) -> datetime:
    """The moment of a text; with or without an offset as `naive` says, None for either."""
    try:
        moment = datetime.fromisoformat(str(cell))
    except ValueError as error:
        raise TableFileError(str(error)[:80], remedy="ISO times such as 2024-06-21T12:00") from error
    if naive is not None and naive != (moment.tzinfo is None):
        found = "an offset, and row 1 has none" if naive else "no offset, and row 1 has one"
        raise TableFileError(found, remedy="an offset in every row or in none")
    return moment


def _in_years(stamp_s: float, what: str) -> float:
    if not 0.0 <= stamp_s < LATEST_S:
        raise TableFileError("outside of 1970 to 2100", remedy=f"{what} in the years 1970 to 2100")
    return stamp_s


def _is_number(text: str) -> bool:
    return math.isfinite(_number(text))


def _number(cell: object) -> float:
    """The number of a cell; NaN for an empty cell or text."""
    try:
        return float(cell) if isinstance(cell, str | int | float) else math.nan
    except ValueError:
        return math.nan


def _mistake(kind: Kind, name: str, found: str, allowed: str) -> HouseFileError:
    return HouseFileError(None, [Mistake(path=f"{kind}.{name}", found=found, allowed=allowed)])


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "no column"


def _span(record: Record) -> str:
    return f"{_text(record.stamps_s[0])} to {_text(record.end_s)}"


def _text(clock_s: float) -> str:
    return datetime.fromtimestamp(clock_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
