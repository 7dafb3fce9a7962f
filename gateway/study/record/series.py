"""A user's record of a building: a CSV or Parquet file with a time column, load and PV.

- Time: `time_utc`, `time_local` or `time`, ISO text. Text without an offset is local time in `time_local` and `time`.
- Columns: `load_w` or `load_kw`, `pv_w`, `pv_kw` or another PV column whose name tells its rating (`pv_kw_1p04kwp`).
- A value is the mean over the step that starts at its stamp; any step will do. Empty cells, NaN, and rows that a column
  `load_ok` or `pv_ok` marks 0 are gaps.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from statistics import median_low

import numpy as np

from gateway.core.history import History
from gateway.core.levels import Floats
from gateway.house.table_file import Column, TableFileError, read_columns, read_names

TIMES = ("time_utc", "time_local", "time")
RATED_PV = re.compile(r"pv_k?w_(\d+)p(\d+)kwp")
LONGEST_GAP_SHARE = 0.5  # of a record: more gaps than values is no record


class SeriesError(Exception):
    """A file that cannot be used; `path`, what was found and what would do."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path}: found {found}; needed: {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`known` has NaN in its gaps; `filled` has straight lines there. `clock` is what the file's local stamps were."""

    known: History
    filled: History


def read_record(path: Path, *, zone: tzinfo = UTC, pv_kwp: float | None = None) -> Record:
    """The record in a file; `zone` is the clock of stamps without offset, `pv_kwp` scales a PV column of known rating.

    SeriesError in plain words when the file is none.
    """
    try:
        names = read_names(path)
        time_name = _one_of(names, TIMES)
        load_name = _one_of(names, ("load_w", "load_kw"))
        pv_name = _pv_column(names)
        ok_names = [name for name in ("load_ok", "pv_ok") if name in names]
        columns = read_columns(path, [time_name, load_name, pv_name, *ok_names])
        stamps_s = _stamps(columns[time_name], UTC if time_name == "time_utc" else zone)
    except TableFileError as error:
        raise SeriesError(path, str(error), error.remedy) from error
    load_w = _watts(columns, load_name, "load_ok") * (1000.0 if "_kw" in load_name else 1.0)
    pv_w = -_watts(columns, pv_name, "pv_ok") * (1000.0 if "_kw" in pv_name else 1.0) * _scale(pv_name, pv_kwp)
    return _on_steps(path, stamps_s, load_w, pv_w)


def _on_steps(path: Path, stamps_s: Floats, load_w: Floats, pv_w: Floats) -> Record:
    if len(stamps_s) < 2 or np.any(np.diff(stamps_s) <= 0.0):
        raise SeriesError(path, "times that do not rise, or fewer than two", "one row per step, oldest first")
    step_s = median_low(np.diff(stamps_s).tolist())
    places = np.rint((stamps_s - stamps_s[0]) / step_s).astype(np.intp)
    known = {}
    for name, powers_w in (("load", load_w), ("PV", pv_w)):
        series = np.full(places[-1] + 1, math.nan)
        series[places] = powers_w
        if np.isfinite(series).mean() < LONGEST_GAP_SHARE:
            raise SeriesError(path, f"{np.isfinite(series).mean():.0%} of the steps with a {name}", "half at least")
        known[name] = series
    start_s = float(stamps_s[0])
    return Record(
        known=History(start_s=start_s, step_s=step_s, load_w=known["load"], pv_w=known["PV"]),
        filled=History(start_s=start_s, step_s=step_s, load_w=fill_gaps(known["load"]), pv_w=fill_gaps(known["PV"])),
    )


def fill_gaps(values: Floats) -> Floats:
    """Straight lines over NaN, the nearest value at the ends."""
    is_known = np.isfinite(values)
    places = np.arange(len(values))
    return np.asarray(np.interp(places, places[is_known], values[is_known]))


def _one_of(names: Sequence[str], wanted: Sequence[str]) -> str:
    for name in wanted:
        if name in names:
            return name
    listed = ", ".join(names[:20]) or "no column"
    raise TableFileError(f"the columns {listed}", remedy=f"a column {' or '.join(wanted)}")


def _pv_column(names: Sequence[str]) -> str:
    rated = [name for name in names if RATED_PV.fullmatch(name)]
    return _one_of(names, ("pv_w", "pv_kw", *rated, *([] if rated else ["pv_kw_<n>p<nn>kwp"])))


def _scale(pv_name: str, pv_kwp: float | None) -> float:
    """From the rating in a column's name to the wanted one."""
    rated = RATED_PV.fullmatch(pv_name)
    return 1.0 if rated is None or pv_kwp is None else pv_kwp / float(f"{rated[1]}.{rated[2]}")


def _watts(columns: dict[str, Column], name: str, ok_name: str) -> Floats:
    values = np.array([_number(cell) for cell in columns[name]])
    values[~np.isfinite(values)] = math.nan
    if ok_name in columns:
        values[np.array([_number(cell) for cell in columns[ok_name]]) != 1.0] = math.nan
    return values


def _number(cell: object) -> float:
    try:
        return float(cell) if isinstance(cell, str | int | float) and cell != "" else math.nan
    except ValueError:
        return math.nan


def _stamps(cells: Column, zone: tzinfo) -> Floats:
    """Unix seconds. The later of two equal local hours in October is told by the order of the rows."""
    stamps: list[float] = []
    for row, cell in enumerate(cells, start=1):
        try:
            moment = datetime.fromisoformat(cell) if isinstance(cell, str) else datetime.fromtimestamp(cell, UTC)
        except (TypeError, ValueError, OverflowError) as error:
            raise TableFileError(
                f"{str(cell)[:40]!r} as time in row {row}", remedy="ISO times such as 2024-06-21T12:00"
            ) from error
        stamp_s = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
        if moment.tzinfo is None and stamps and stamp_s <= stamps[-1]:
            stamp_s = moment.replace(tzinfo=zone, fold=1).timestamp()
        stamps.append(stamp_s)
    return np.array(stamps)
