from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.study.record.series import fill_gaps, read_record

PARIS = ZoneInfo("Europe/Paris")


def written(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text)
    return path


def test_units_signs_and_gaps(tmp_path: Path) -> None:
    rows = ["00:00Z,0.5,100,1", "00:15Z,,200,0", "01:00Z,1.25,300,1", "01:15Z,1,0,1"]  # 00:30 and 00:45 are missing
    text = "time_utc,load_kw,pv_w,pv_ok\n" + "".join(f"2024-01-01T{row}\n" for row in rows)
    record = read_record(written(tmp_path, text))
    assert record.known.step_s == 900.0
    assert np.isnan(record.known.load_w).tolist() == [False, True, True, True, False, False]
    assert np.isnan(record.known.pv_w).tolist() == [False, True, True, True, False, False]
    assert record.filled.load_w == pytest.approx([500.0, 687.5, 875.0, 1062.5, 1250.0, 1000.0])
    assert record.filled.pv_w == pytest.approx([-100.0, -150.0, -200.0, -250.0, -300.0, 0.0])


@pytest.mark.parametrize(
    ("day", "clocks", "hours"),
    [("2024-03-31", ("01:00", "03:00", "04:00"), 3), ("2024-10-27", ("01:00", "02:00", "02:00", "03:00"), 4)],
)
def test_local_days_of_23_and_25_hours_are_even_steps(
    tmp_path: Path, day: str, clocks: tuple[str, ...], hours: int
) -> None:
    rows = "".join(f"{day}T{clock},{100 * i},0\n" for i, clock in enumerate(clocks))
    record = read_record(written(tmp_path, f"time_local,load_w,pv_w\n{rows}"), zone=PARIS)
    assert record.known.step_s == 3600.0
    assert record.known.load_w.tolist() == [100.0 * i for i in range(hours)]


def test_a_rated_pv_column_is_scaled_to_the_wanted_rating(tmp_path: Path) -> None:
    rows = "time_local,load_kw,pv_kw_1p04kwp\n2024-01-01T00:00,1,0.52\n2024-01-01T00:30,1,1.04\n"
    path = written(tmp_path, rows)
    assert read_record(path, pv_kwp=4.0).known.pv_w == pytest.approx([-2000.0, -4000.0])
    assert read_record(path).known.pv_w == pytest.approx([-520.0, -1040.0])


def test_gaps_are_filled_with_straight_lines() -> None:
    assert fill_gaps(np.array([np.nan, 1.0, np.nan, 3.0, np.nan])).tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
