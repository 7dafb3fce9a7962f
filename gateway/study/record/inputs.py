"""What a person brings to a study: load and PV in one file or two, each with its own columns, units and step.

A value is the mean over the step that begins at its stamp (or, in Wh and kWh, the energy in it).

| column | meaning |
|---|---|
| `time_utc`, `time_local`, `time`, `timestamp`, `datetime` | ISO time; without an offset by the clock of the zone |
| `load_w`, `load_kw`, `load_wh`, `load_kwh` | what the building uses, without its storages |
| `pv_w`, `pv_kw`, `pv_wh`, `pv_kwh` | what the roof gives, positive |
| `pv_…_w_per_kwp`, `pv_kw_1p04kwp` | PV of a known rating: takes `kwp` |
| `load_ok`, `pv_ok` | 1 where the value can be used |
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
from gateway.study.record.series import Record, SeriesError, fill_gaps
from gateway.study.record.stamps import StampError, read_stamps

TIMES = ("time_utc", "time_local", "time", "timestamp", "datetime")
UNITS = {"w": 1.0, "kw": 1000.0, "wh": 1.0, "kwh": 1000.0}
PER_KWP = re.compile(r"pv(?:_\w+)?_(k?w)_per_kwp")
RATED = re.compile(r"pv_(k?w)_(\d+)p(\d+)kwp")
SLOT_S = 900.0
FINEST_S, COARSEST_S = 60.0, 3600.0
DAY_S = 86400.0
FEWEST_DAYS = 2.0
LEAST_KNOWN = 0.5  # share of the steps
OFF_GRID = 0.1  # of a step: stamps farther off do not lie on equal steps
PLAUSIBLE_W = (50.0, 2e6)  # highest load of a building: outside of these the unit is wrong


class InputError(SeriesError):
    """A file that cannot be used: `code` is a text of `study.bad.…`, `facts` are what it names."""

    def __init__(self, path: Path, code: str, **facts: str) -> None:
        self.code, self.facts = code, {"file": str(path), **facts}
        super().__init__(path, f"{code} ({', '.join(f'{k} {v}' for k, v in facts.items())})", "see docs/study.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One column on equal steps (W), NaN in its gaps."""

    path: Path
    column: str
    start_s: float
    step_s: float
    values: Floats

    @property
    def end_s(self) -> float:
        """End of the last step."""
        return self.start_s + self.step_s * len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """How many of the counted steps have no value, by what is missing."""

    load: int
    pv: int


def read_inputs(
    load: Path,
    pv: Path | None,
    *,
    zone: tzinfo,
    kwp: float | None = None,
    load_column: str | None = None,
    pv_column: str | None = None,
) -> Record:
    """Load and PV on the finer of both steps, over the time that both have. InputError when they do not fit."""
    used = read_column(load, "load", zone=zone, column=load_column)
    given = read_column(pv or load, "pv", zone=zone, column=pv_column, kwp=kwp)
    _check_load(used)
    _check_pv(given)
    return _together(used, given, zone)


def slot_s(step_s: float) -> float:
    """The step of plans: a quarter of an hour, or the least longer one that is made of whole steps and fills days."""
    count = math.ceil(SLOT_S / step_s)
    while DAY_S % (count * step_s) > 1e-6:
        count += 1
    return count * step_s


def read_column(
    path: Path, kind: str, *, zone: tzinfo, column: str | None = None, kwp: float | None = None
) -> Measured:
    """The column of a file that is `load` or `pv`, in W on equal steps."""
    try:
        names = read_names(path)
        time_name = _choose(path, "time", names, [name for name in TIMES if name in names])
        value_name = _value_column(path, kind, names, column)
        ok_names = [f"{kind}_ok"] if f"{kind}_ok" in names else []
        columns = read_columns(path, [time_name, value_name, *ok_names])
    except TableFileError as error:
        raise InputError(path, "file", found=str(error), remedy=error.remedy) from error
    try:
        stamps_s = read_stamps(columns[time_name], UTC if time_name == "time_utc" else zone)
    except StampError as error:
        raise InputError(path, "time", row=str(error.row + 2), found=error.cell, column=time_name) from error
    raw = _floats(path, columns[value_name], value_name)
    if ok_names:
        raw[_floats(path, columns[ok_names[0]], ok_names[0]) != 1.0] = math.nan
    step_s, places, start_s = _grid(path, stamps_s, zone)
    values = np.full(places[-1] + 1, math.nan)
    values[places] = raw * _to_w(path, value_name, step_s, kwp)
    if np.isfinite(values).mean() < LEAST_KNOWN:
        share = f"{np.isfinite(values).mean() * 100:.0f} %"
        raise InputError(
            path, "gaps", column=value_name, share=share, hole=_longest_hole(values, start_s, step_s, zone)
        )
    return Measured(path=path, column=value_name, start_s=start_s, step_s=step_s, values=values)


def _choose(path: Path, kind: str, names: Sequence[str], found: Sequence[str]) -> str:
    if not found:
        raise InputError(path, f"{kind}_column", found=", ".join(names[:12]) or "—")
    return found[0]


def _value_column(path: Path, kind: str, names: Sequence[str], column: str | None) -> str:
    if column is not None:
        if column not in names:
            raise InputError(path, "no_column", column=column, found=", ".join(names[:12]))
        return column
    usual = [name for unit in UNITS if (name := f"{kind}_{unit}") in names]
    others = [name for name in names if kind == "pv" and (PER_KWP.fullmatch(name) or RATED.fullmatch(name))]
    found = usual or others
    if len(found) > 1:
        raise InputError(path, "several", kind=kind, found=", ".join(found))
    return _choose(path, kind, names, found)


def _to_w(path: Path, name: str, step_s: float, kwp: float | None) -> float:
    """Factor from a column's unit to W."""
    rated, per_kwp = RATED.fullmatch(name), PER_KWP.fullmatch(name)
    if per_kwp:
        if kwp is None:
            raise InputError(path, "kwp_missing", column=name)
        return kwp * UNITS[per_kwp[1]]
    if rated:
        rating = float(f"{rated[2]}.{rated[3]}")
        return UNITS[rated[1]] * (1.0 if kwp is None else kwp / rating)
    unit = name.rsplit("_", 1)[-1].lower()
    if kwp is not None and name.startswith("pv"):
        raise InputError(path, "kwp_unknown", column=name)
    if unit not in UNITS:
        raise InputError(path, "unit", column=name)
    return UNITS[unit] * (3600.0 / step_s if unit.endswith("h") else 1.0)


def _floats(path: Path, cells: Column, name: str) -> Floats:
    """Numbers; empty cells and None are NaN, anything else is told with its row."""
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


def _grid(path: Path, stamps_s: Floats, zone: tzinfo) -> tuple[float, np.ndarray, float]:
    """Step, places of the stamps on it, and the first."""
    if len(stamps_s) < 2:
        raise InputError(path, "short", rows=str(len(stamps_s)))
    steps = np.diff(stamps_s)
    if (steps <= 0.0).any():
        row = int(np.argmax(steps <= 0.0)) + 1
        facts = {"row": str(row + 2), "before": _told(stamps_s[row - 1], zone), "found": _told(stamps_s[row], zone)}
        raise InputError(path, "order", **facts)
    step_s = float(median_low(steps.tolist()))
    if not (FINEST_S <= step_s <= COARSEST_S) or DAY_S % step_s:
        raise InputError(path, "step", step=f"{step_s:g} s")
    exact = (stamps_s - stamps_s[0]) / step_s
    places = np.rint(exact).astype(np.intp)
    off = np.abs(exact - places) > OFF_GRID
    if off.any() or (np.diff(places) <= 0).any():
        row = int(np.argmax(off)) if off.any() else int(np.argmax(np.diff(places) <= 0)) + 1
        raise InputError(path, "uneven", row=str(row + 2), found=_told(stamps_s[row], zone), step=f"{step_s:g} s")
    return step_s, places, float(stamps_s[0])


def _check_load(load: Measured) -> None:
    known = load.values[np.isfinite(load.values)]
    if (known < -20.0).mean() > 0.005:
        raise InputError(load.path, "negative_load", column=load.column, share=f"{(known < -20.0).mean() * 100:.0f} %")
    highest = float(known.max())
    if not PLAUSIBLE_W[0] <= highest <= PLAUSIBLE_W[1]:
        raise InputError(load.path, "load_unit", column=load.column, highest=f"{highest:.6g} W")


def _check_pv(pv: Measured) -> None:
    known = pv.values[np.isfinite(pv.values)]
    if known.sum() < 0.0:
        raise InputError(pv.path, "negative_pv", column=pv.column)
    highest = float(known.max())
    if 0.0 < highest < PLAUSIBLE_W[0] or highest > PLAUSIBLE_W[1]:
        raise InputError(pv.path, "pv_unit", column=pv.column, highest=f"{highest:.6g} W")


def _together(load: Measured, pv: Measured, zone: tzinfo) -> Record:
    """Both on the finer step, from the first slot that both have to the last."""
    step_s = min(load.step_s, pv.step_s)
    coarse = pv if pv.step_s > load.step_s else load
    if coarse.step_s % step_s:
        facts = {"load_step": f"{load.step_s:g} s", "pv_step": f"{pv.step_s:g} s"}
        raise InputError(coarse.path, "steps", **facts)
    slot = slot_s(step_s)
    start_s = math.ceil(max(load.start_s, pv.start_s) / slot) * slot
    steps = math.floor((min(load.end_s, pv.end_s) - start_s) / slot) * round(slot / step_s)
    if steps * step_s < FEWEST_DAYS * DAY_S:
        ranges = {
            kind: f"{_told(each.start_s, zone)} – {_told(each.end_s, zone)}"
            for kind, each in (("load_time", load), ("pv_time", pv))
        }
        raise InputError(pv.path, "ranges", **ranges)
    load_w, pv_w = (_on(each, start_s, step_s, steps) for each in (load, pv))
    known = History(start_s=start_s, step_s=step_s, load_w=np.maximum(load_w, 0.0), pv_w=-np.maximum(pv_w, 0.0))
    filled = History(start_s=start_s, step_s=step_s, load_w=fill_gaps(known.load_w), pv_w=fill_gaps(known.pv_w))
    return Record(known=known, filled=filled)


def _on(measured: Measured, start_s: float, step_s: float, steps: int) -> Floats:
    """The values at the beginnings of these steps; a longer step holds its mean all through."""
    middles = start_s + (np.arange(steps) + 0.5) * step_s
    places = np.floor((middles - measured.start_s) / measured.step_s).astype(np.intp)
    return np.asarray(measured.values[np.clip(places, 0, len(measured.values) - 1)])


def _longest_hole(values: Floats, start_s: float, step_s: float, zone: tzinfo) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isnan(values).astype(int), [0]])))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    begin, end = (_told(start_s + step_s * float(place[longest]), zone) for place in (begins, ends))
    return f"{begin} – {end}"


def _told(utc_s: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(utc_s, zone).strftime("%Y-%m-%d %H:%M")
