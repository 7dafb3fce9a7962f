"""A user's record of a building: a CSV or Parquet file with a time column, load and PV.

- Time: `time_utc`, `time_local` or `time`, ISO text. Text without an offset is local time in `time_local` and `time`.
- Columns: `load_w` or `load_kw`, `pv_w`, `pv_kw` or another PV column whose name gives its rating (`pv_kw_1p04kwp`).
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

from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.simulator.recordings.table_file import Column, TableFileError, read_columns, read_names
from gateway.study.record.errors import InputError, no_columns, no_table
from gateway.study.record.stamps import StampError, read_stamps

TIMES = ("time_utc", "time_local", "time")
RATED_PV = re.compile(r"pv_k?w_(\d+)p(\d+)kwp")
LEAST_KNOWN = 0.5  # share of the steps: more gaps than values is no record


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`known` has NaN in its gaps; `filled` has straight lines there. `clock` is what the file's local stamps were."""

    known: History
    filled: History


def read_record(path: Path, *, zone: tzinfo = UTC, pv_kwp: float | None = None) -> Record:
    """The record in a file; `zone` is the clock of stamps without offset, `pv_kwp` scales a PV column of known rating.

    InputError when the file is none.
    """
    try:
        names = read_names(path)
        time_name = one_of(path, names, TIMES)
        load_name = one_of(path, names, ("load_w", "load_kw"))
        pv_name = _pv_column(path, names)
        ok_names = [name for name in ("load_ok", "pv_ok") if name in names]
        columns = read_columns(path, [time_name, load_name, pv_name, *ok_names])
    except TableFileError as error:
        raise no_table(path, error) from error
    stamps_s = stamps(path, columns[time_name], time_name, zone)
    load_w = _watts(columns, load_name, "load_ok") * (1000.0 if "_kw" in load_name else 1.0)
    pv_w = -_watts(columns, pv_name, "pv_ok") * (1000.0 if "_kw" in pv_name else 1.0) * _scale(pv_name, pv_kwp)
    return _on_steps(path, stamps_s, {load_name: load_w, pv_name: pv_w}, zone)


def _on_steps(path: Path, stamps_s: Floats, columns: dict[str, Floats], zone: tzinfo) -> Record:
    check_order(path, stamps_s, zone)
    step_s, start_s = median_low(np.diff(stamps_s).tolist()), float(stamps_s[0])
    places = np.rint((stamps_s - start_s) / step_s).astype(np.intp)
    known = []
    for name, powers_w in columns.items():
        series = np.full(places[-1] + 1, math.nan)
        series[places] = powers_w
        check_gaps(path, name, series, start_s=start_s, step_s=step_s, zone=zone)
        known.append(series)
    load_w, pv_w = known
    return Record(
        known=History(start_s=start_s, step_s=step_s, load_w=load_w, pv_w=pv_w),
        filled=History(start_s=start_s, step_s=step_s, load_w=fill_gaps(load_w), pv_w=fill_gaps(pv_w)),
    )


def fill_gaps(values: Floats) -> Floats:
    """Straight lines over NaN, the nearest value at the ends."""
    is_known = np.isfinite(values)
    places = np.arange(len(values))
    return np.asarray(np.interp(places, places[is_known], values[is_known]))


def one_of(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    """The first of these names that a file has."""
    for name in wanted:
        if name in names:
            return name
    raise no_columns(path, " / ".join(wanted), names)


def _pv_column(path: Path, names: Sequence[str]) -> str:
    rated = [name for name in names if RATED_PV.fullmatch(name)]
    return one_of(path, names, ("pv_w", "pv_kw", *rated, *([] if rated else ["pv_kw_<n>p<nn>kwp"])))


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


def stamps(path: Path, cells: Column, name: str, zone: tzinfo) -> Floats:
    """Unix seconds of a column of times; those of `time_utc` are UTC, others without offset of `zone`."""
    try:
        return read_stamps(cells, UTC if name == "time_utc" else zone)
    except StampError as error:
        raise InputError(path, "time", row=str(error.row + 2), found=error.cell, column=name) from error


def check_order(path: Path, stamps_s: Floats, zone: tzinfo) -> None:
    """Two times at least, and each later than the one before."""
    if len(stamps_s) < 2:
        raise InputError(path, "short", rows=str(len(stamps_s)))
    falling = np.diff(stamps_s) <= 0.0
    if falling.any():
        row = int(np.argmax(falling)) + 1
        facts = {
            "row": str(row + 2),
            "before": local_time(stamps_s[row - 1], zone),
            "found": local_time(stamps_s[row], zone),
        }
        raise InputError(path, "order", **facts)


def check_gaps(path: Path, name: str, values: Floats, *, start_s: float, step_s: float, zone: tzinfo) -> None:
    """Enough of the steps have a value."""
    share = float(np.isfinite(values).mean())
    if share < LEAST_KNOWN:
        hole = _longest_hole(values, start_s, step_s, zone)
        raise InputError(path, "gaps", column=name, share=f"{share * 100:.0f} %", hole=hole)


def floats(path: Path, cells: Column, name: str) -> Floats:
    """Numbers; empty cells and None are NaN, anything else is an error with its row."""
    try:
        return np.array([math.nan if cell in ("", None) else float(cell) for cell in cells])
    except ValueError:
        for row, cell in enumerate(cells, start=2):
            if not _is_number(cell):
                remedy_cell = str(cell)[:40]
                raise InputError(path, "number", row=str(row), column=name, found=remedy_cell) from None
        raise


def _is_number(cell: object) -> bool:
    try:
        float(str(cell or 0))
    except ValueError:
        return False
    return True


def _longest_hole(values: Floats, start_s: float, step_s: float, zone: tzinfo) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isnan(values).astype(int), [0]])))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    begin, end = (local_time(start_s + step_s * float(place[longest]), zone) for place in (begins, ends))
    return f"{begin} – {end}"


def local_time(utc_s: float, zone: tzinfo) -> str:
    """A moment by the clock of a zone."""
    return datetime.fromtimestamp(utc_s, zone).strftime("%Y-%m-%d %H:%M")
