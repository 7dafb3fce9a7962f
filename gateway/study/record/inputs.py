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
from datetime import tzinfo
from pathlib import Path
from statistics import median_low

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.simulator.recordings.table_file import TableFileError, read_columns, read_names
from gateway.study.record.errors import InputError, no_table
from gateway.study.record.series import Record, check_gaps, check_order, fill_gaps, floats, local_time, stamps

TIMES = ("time_utc", "time_local", "time", "timestamp", "datetime")
UNITS = {"w": 1.0, "kw": 1000.0, "wh": 1.0, "kwh": 1000.0}
PER_KWP = re.compile(r"pv(?:_\w+)?_(k?w)_per_kwp")
RATED = re.compile(r"pv_(k?w)_(\d+)p(\d+)kwp")
SLOT_S = 900.0
FINEST_S, COARSEST_S = 60.0, 3600.0
DAY_S = 86400.0
FEWEST_DAYS = 2.0
OFF_GRID = 0.1  # of a step: stamps farther off do not lie on equal steps
PLAUSIBLE_W = (50.0, 2e6)  # highest load of a building: outside of these the unit is wrong


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
        raise no_table(path, error) from error
    stamps_s = stamps(path, columns[time_name], time_name, zone)
    raw = floats(path, columns[value_name], value_name)
    if ok_names:
        raw[floats(path, columns[ok_names[0]], ok_names[0]) != 1.0] = math.nan
    step_s, places, start_s = _grid(path, stamps_s, zone)
    values = np.full(places[-1] + 1, math.nan)
    values[places] = raw * _to_w(path, value_name, step_s, kwp)
    check_gaps(path, value_name, values, start_s=start_s, step_s=step_s, zone=zone)
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


def _grid(path: Path, stamps_s: Floats, zone: tzinfo) -> tuple[float, np.ndarray, float]:
    """Step, places of the stamps on it, and the first."""
    check_order(path, stamps_s, zone)
    steps = np.diff(stamps_s)
    step_s = float(median_low(steps.tolist()))
    if not (FINEST_S <= step_s <= COARSEST_S) or DAY_S % step_s:
        raise InputError(path, "step", step=f"{step_s:g} s")
    exact = (stamps_s - stamps_s[0]) / step_s
    places = np.rint(exact).astype(np.intp)
    off = np.abs(exact - places) > OFF_GRID
    if off.any() or (np.diff(places) <= 0).any():
        row = int(np.argmax(off)) if off.any() else int(np.argmax(np.diff(places) <= 0)) + 1
        raise InputError(path, "uneven", row=str(row + 2), found=local_time(stamps_s[row], zone), step=f"{step_s:g} s")
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
            kind: f"{local_time(each.start_s, zone)} – {local_time(each.end_s, zone)}"
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
