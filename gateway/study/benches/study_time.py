"""How long `zen study` takes for a record of one minute, as a user starts it: from CSV files to figures and page."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from gateway.simulator.recordings.table_file import TableFileError, read_columns, read_names
from gateway.study.record.errors import no_table
from gateway.study.record.series import one_of

STUDY = (sys.executable, "-m", "gateway", "study")
ZONE = "Etc/GMT-1"  # the load's stamps: local time without change of hour
PV_NAMES = ("pv_south35_w_per_kwp", "pv_w_per_kwp")


class StudyFailedError(Exception):
    """The study did not end well; the text is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds by the clock and of the processor, children included, and the figures that the study wrote."""

    wall_s: float
    processor_s: float
    figures: dict[str, Any]


def measure(load: Path, pv: Path, *, kwp: float, days: int | None) -> Took:
    """One study of four sizes with its default options; the files are made CSV before the clock runs.

    InputError for a file without the columns, StudyFailedError when the study ends with an error.
    """
    with TemporaryDirectory() as folder:
        here = Path(folder)
        _as_csv(load, here / "load.csv", ("load_w",))
        _as_csv(pv, here / "pv.csv", PV_NAMES)
        options: list[str | Path] = [
            *("--load", here / "load.csv"),
            *("--pv", here / "pv.csv"),
            *("--kwp", f"{kwp:g}"),
            *("--zone", ZONE),
        ]
        options += [*("--json", here / "study.json"), *("--page", here / "study.html")]
        options += ["--days", str(days)] if days else []
        before, before_s = os.times(), perf_counter()
        done = subprocess.run(
            [*STUDY, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        wall_s, after = perf_counter() - before_s, os.times()
        if done.returncode:
            raise StudyFailedError(done.stderr.strip() or f"exit {done.returncode}")
        figures = json.loads((here / "study.json").read_text(encoding="utf-8"))
    processor_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(wall_s=wall_s, processor_s=processor_s, figures=figures)


def _as_csv(path: Path, to: Path, wanted: Sequence[str]) -> None:
    try:
        names = read_names(path)
        clock, name = one_of(path, names, ("time_utc", "time_local")), one_of(path, names, wanted)
        columns = read_columns(path, (clock, name))
    except TableFileError as error:
        raise no_table(path, error) from error
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((clock, name))
        writer.writerows(zip(map(_stamp, columns[clock]), columns[name], strict=True))


def _stamp(cell: object) -> str:
    """Moments of a Parquet file are unix seconds; those of a text stay as they are."""
    return datetime.fromtimestamp(cell, UTC).isoformat() if isinstance(cell, int | float) else str(cell)
