import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.simulator.recordings.series import Series, open_series
from gateway.simulator.settings.config import HouseConfig, Load, Pv, Replay
from gateway.simulator.settings.mistakes import HouseFileError
from gateway.simulator.simulation import Simulation

PARIS = ZoneInfo("Europe/Paris")
SHARED = Path(__file__).parents[4] / "shared" / "data"


def paris(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def opened(settings: Replay, kind: str, start_utc_s: float, kwp: float = 5.0) -> Series:
    return open_series(settings, kind, kwp=kwp, zone=PARIS, start_utc_s=start_utc_s)


def written(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


LOCAL = "time_local,load_w,kitchen_wh\n2006-12-16T17:24,4216.0,0\n2006-12-16T17:25,5360.0,0\n2006-12-16T17:26,5374,1\n"


@pytest.mark.parametrize(
    ("clock", "power_w"),
    [
        ("2006-12-16T17:24:00", 4216.0),
        ("2006-12-16T17:24:59", 4216.0),  # the mean over the step that starts at the stamp
        ("2006-12-16T17:25:00", 5360.0),
        ("2006-12-16T17:26:59", 5374.0),
    ],
)
def test_a_local_file_follows_the_wall_clock_of_the_building(tmp_path: Path, clock: str, power_w: float) -> None:
    path = written(tmp_path, LOCAL)
    series = opened(Load(file=path), "load", paris("2006-12-16T17:24:00"))
    assert series.power_w(paris(clock)) == power_w


def test_a_utc_file_follows_utc_whatever_the_building_thinks(tmp_path: Path) -> None:
    path = written(tmp_path, "time_utc,pv_w\n2024-06-21T10:00:00Z,1000\n2024-06-21T10:15:00Z,2000\n")
    series = opened(Pv(file=path), "pv", paris("2024-06-21T12:05"))  # 10:05 UTC
    assert series.power_w(paris("2024-06-21T12:05")) == 1000.0
    assert series.power_w(paris("2024-06-21T12:20")) == 2000.0


def test_unix_seconds_and_offsets_are_moments_and_naive_text_is_wall_clock(tmp_path: Path) -> None:
    start_s = utc("2024-06-21T10:00")
    rows = {
        f"time,load_w\n{start_s:.0f},10\n{start_s + 60:.0f},20\n": 10.0,
        "time,load_w\n2024-06-21T12:00+02:00,10\n2024-06-21T12:01+02:00,20\n": 10.0,
        "time,load_w\n2024-06-21T12:00,10\n2024-06-21T12:01,20\n": 10.0,
    }
    for text, power_w in rows.items():
        assert opened(Load(file=written(tmp_path, text)), "load", start_s).power_w(start_s) == power_w


@pytest.mark.parametrize(
    ("header", "kind", "changes", "power_w"),
    [
        ("load_w,other_w", "load", {}, 2.0),
        ("load_kw,other_w", "load", {}, 2000.0),
        ("pv_w,load_w", "pv", {}, 2.0),
        ("pv_kw,load_w", "pv", {}, 2000.0),
        ("pv_south35_w_per_kwp,pv_eastwest20_w_per_kwp", "pv", {}, 10.0),  # 2 W per kWp times 5 kWp
        ("pv_south35_w_per_kwp,pv_eastwest20_w_per_kwp", "pv", {"column": "pv_eastwest20_w_per_kwp"}, 15.0),
        ("load_w,load_without_flexible_w", "load", {"column": "load_without_flexible_w", "scale": 2.0}, 6.0),
        ("H0-A,PV1", "load", {"column": "H0-A", "unit": "kw"}, 2000.0),
    ],
)
def test_the_column_and_its_unit_are_found_by_name(
    tmp_path: Path, header: str, kind: str, changes: dict[str, object], power_w: float
) -> None:
    path = written(tmp_path, f"time_utc,{header}\n2024-01-01T00:00Z,2,3\n2024-01-01T00:01Z,2,3\n")
    settings = (Load if kind == "load" else Pv).model_validate({"file": path, **changes})
    assert opened(settings, kind, utc("2024-01-01T00:00")).power_w(utc("2024-01-01T00:00")) == power_w


def test_a_start_outside_of_the_file_is_the_same_day_of_its_year(tmp_path: Path) -> None:
    path = written(tmp_path, LOCAL)
    series = opened(Load(file=path), "load", paris("2024-12-16T17:25:30"))
    assert series.power_w(paris("2024-12-16T17:25:30")) == 5360.0
    assert series.power_w(paris("2024-12-16T17:26:30")) == 5374.0


def test_a_year_begins_again_at_its_end(tmp_path: Path) -> None:
    days = [f"2021-{month:02d}-{day:02d}T00:00Z,{100 * month + day}" for month in range(1, 13) for day in range(1, 29)]
    path = written(tmp_path, "time_utc,load_w\n" + "\n".join(days) + "\n2021-12-31T00:00Z,9999\n")
    series = opened(Load(file=path), "load", utc("2023-12-31T12:00"))
    assert series.power_w(utc("2023-12-31T12:00")) == 9999.0
    assert series.power_w(utc("2024-01-01T00:00")) == 101.0


def test_the_29_february_of_a_building_is_the_28_of_a_common_year(tmp_path: Path) -> None:
    path = written(tmp_path, "time_utc,load_w\n2021-02-28T00:00Z,7\n2021-03-01T00:00Z,8\n")
    assert opened(Load(file=path), "load", utc("2024-02-29T06:00")).power_w(utc("2024-02-29T06:00")) == 7.0


def test_a_gap_holds_the_last_value_for_ten_minutes_and_is_then_zero_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [f"2024-01-01T00:{minute:02d}Z,{'' if 5 <= minute < 30 else 500}" for minute in range(40)]
    rows[3] = "2024-01-01T00:03Z,nan"
    path = written(tmp_path, "time_utc,load_w\n" + "\n".join(rows) + "\n")
    series = opened(Load(file=path), "load", utc("2024-01-01T00:00"))
    expected = {
        "00:03:30": 500.0,  # NaN: held
        "00:14:59": 500.0,  # the step of 00:04 ends at 00:05, and ten minutes more
        "00:15:00": 0.0,
        "00:20:00": 0.0,
        "00:30:00": 500.0,
        "00:49:59": 500.0,  # behind the end of the file
        "00:50:01": 0.0,
    }
    with caplog.at_level(logging.WARNING):
        assert {clock: series.power_w(utc(f"2024-01-01T{clock}")) for clock in expected} == expected
    assert len(caplog.records) == 1


def test_rows_that_the_file_itself_calls_unusable_are_gaps(tmp_path: Path) -> None:
    path = written(tmp_path, "time_utc,load_w,load_ok\n2024-01-01T00:00Z,300,1\n2024-01-01T00:05Z,0,0\n")
    path.write_text(path.read_text() + "2024-01-01T00:10Z,400,1\n")
    series = opened(Load(file=path), "load", utc("2024-01-01T00:00"))
    assert [series.power_w(utc(f"2024-01-01T00:{minute}")) for minute in ("01", "06", "11")] == [300.0, 300.0, 400.0]


def test_the_hour_that_is_missing_in_march_is_jumped_by_the_wall_clock(tmp_path: Path) -> None:
    rows = [f"2024-03-31T{hour:02d}:00,{hour}" for hour in range(6)]
    path = written(tmp_path, "time_local,load_w\n" + "\n".join(rows) + "\n")
    series = opened(Load(file=path), "load", utc("2024-03-31T00:30"))
    # 01:30 CET, then 03:30 CEST one hour later
    assert [series.power_w(utc(f"2024-03-31T{clock}")) for clock in ("00:30", "01:30")] == [1.0, 3.0]


@pytest.mark.parametrize(
    ("text", "changes", "path", "says"),
    [
        (LOCAL, {}, "load.file", "2006-12-16T17:24:00 to 2006-12-16T17:27:00"),
        ("when,load_w\n1,2\n", {}, "load.file", "time_utc, time_local, time"),
        ("time_utc,a,b\n2024-01-01T00:00Z,1,2\n", {}, "load.column", "a, b"),
        ("time_utc,a\n2024-01-01T00:00Z,1\n", {}, "load.unit", "kw"),
        (LOCAL, {"column": "lod_w"}, "load.column", "load_w, kitchen_wh"),
        ("time_utc,load_w\n2024-13-01T00:00Z,1\n2024-01-01T00:00Z,1\n", {}, "load.file", "month"),
        ("time_utc,load_w\n2024-01-01T00:00Z,x\n2024-01-01T00:01Z,y\n", {}, "load.file", "0 values"),
        ("time_utc,load_w\n2024-01-01T00:01Z,1\n2024-01-01T00:00Z,1\n", {}, "load.file", "do not rise"),
        ("", {}, "load.file", "no column"),
        ("time_utc,load_w\n", {}, "load.file", "0 values"),
        (f"time_utc,load_w\n1,{'9' * 140_000}\n", {}, "load.file", "field larger than field limit"),
        (f"{'t' * 140_000},load_w\n", {}, "load.file", "field larger than field limit"),
    ],
)
def test_a_file_that_cannot_be_replayed_says_where_why_and_what_would_do(
    tmp_path: Path, text: str, changes: dict[str, object], path: str, says: str
) -> None:
    with pytest.raises(HouseFileError) as caught:
        opened(Load.model_validate({"file": written(tmp_path, text), **changes}), "load", utc("2024-06-21T12:00"))
    (mistake,) = caught.value.mistakes
    assert mistake.path == path
    assert says in str(mistake)


@pytest.mark.parametrize(
    ("text", "says", "allowed"),
    [
        ("time,load_w\n1,1\n1,1\n", "times in time that do not rise", "times that rise"),
        ("time,load_w\n21.06.2024 12:00,1\n", "'21.06.2024 12:00' in row 1", "ISO times such as 2024-06-21T12:00"),
        ("time;load_w\n2024-01-01T00:00;1\n", "semicolons", "a comma between columns"),
        (
            "time,load_w\n2024-01-01T00:00Z,1\n2024-01-01T00:01,1\n",
            "'2024-01-01T00:01' in row 2 of time: no offset",
            "an offset in every row or in none",
        ),
        (
            "time,load_w\n2024-01-01T00:00,1\n2024-01-01T00:01,1\n2024-01-01T00:02+01:00,1\n",
            "'2024-01-01T00:02+01:00' in row 3 of time: an offset",
            "an offset in every row or in none",
        ),
        ("time,load_w\n1e18,1\n2e18,1\n", "'1e18' in row 1", "unix seconds in the years 1970 to 2100"),
        ("time,load_w\n1,1\n1718964300000,1\n", "in row 2", "unix seconds in the years 1970 to 2100"),  # ms
        ("time,load_w\n-1,1\n0,1\n", "'-1' in row 1", "unix seconds in the years 1970 to 2100"),
        ("time,load_w\n1,1\nnan,1\n", "'nan' in row 2", "unix seconds in the years 1970 to 2100"),
        ("time,load_w\n9999-12-30T00:00,1\n9999-12-31T00:00,1\n", "row 1", "times in the years 1970 to 2100"),
    ],
)
def test_what_would_do_fits_what_is_wrong(tmp_path: Path, text: str, says: str, allowed: str) -> None:
    with pytest.raises(HouseFileError) as caught:
        opened(Load(file=written(tmp_path, text)), "load", utc("2024-06-21T12:00"))
    (mistake,) = caught.value.mistakes
    assert says in mistake.found
    assert mistake.allowed == allowed


@pytest.mark.parametrize("content", [b"", b"PAR1 no table PAR1", bytes(range(256)) * 20])
@pytest.mark.parametrize("name", ["broken.parquet", "broken.csv"])
def test_a_file_that_is_no_table_is_a_mistake_and_no_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (the extra `demo`)")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HouseFileError, match=rf"load\.file: found .*{name}.*; allowed: "):
        opened(Load(file=tmp_path / name), "load", utc("2024-06-21T12:00"))


def test_a_byte_that_is_no_utf_8_far_down_in_a_file_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"time,load_w\n" + b"1,1\n" * 100_000 + b"\xe9,1\n")
    with pytest.raises(HouseFileError, match="utf-8"):
        opened(Load(file=path), "load", utc("2024-06-21T12:00"))


def test_milliseconds_in_a_parquet_file_are_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (the extra `demo`)")
    from pyarrow import parquet  # noqa: PLC0415 - optional

    path = tmp_path / "load.parquet"
    parquet.write_table(pa.table({"time": [1718964300000, 1718964360000], "load_w": [1.0, 2.0]}), path)
    with pytest.raises(HouseFileError, match=r"1718964300000. in row 1 .*unix seconds"):
        opened(Load(file=path), "load", utc("2024-06-21T12:00"))


def test_both_files_are_complained_about_in_one_run(tmp_path: Path) -> None:
    config = HouseConfig.model_validate(
        {"load": {"file": tmp_path / "no.csv"}, "pv": {"file": tmp_path / "none.parquet"}}
    )
    with pytest.raises(HouseFileError) as caught:
        Simulation(config)
    assert [mistake.path for mistake in caught.value.mistakes] == ["load.file", "pv.file"]


@pytest.mark.parametrize(
    ("load", "pv", "start", "load_w", "pv_w"),
    [
        # First data rows of each file, read by eye.
        ("fr_home_1min/load_2006-12-16_2006-12-30.csv", None, "2006-12-16T17:25:10", 5360.0, None),
        ("household_1min/lpg_chr01_2021.parquet", None, "2021-01-01T00:01:00", 86.0, None),
        ("household_1min/lpg_chr01_2021.parquet", None, "2024-01-01T00:01:00", 86.0, None),
        (None, "pv_weather/uccle_15min_2019.parquet", "2019-01-01T01:00:00", None, 0.0),
        (None, "pv_weather/aachen_10min_2021.parquet", "2021-01-01T01:00:00", None, 0.0),
        (
            "fr_home_30min/home_2024-03_2024-09.csv",
            "fr_home_30min/home_2024-03_2024-09.csv",
            "2024-06-21T12:05",
            None,
            None,
        ),
    ],
)
def test_the_recorded_homes_replay(
    load: str | None, pv: str | None, start: str, load_w: float | None, pv_w: float | None
) -> None:
    if not SHARED.is_dir():
        reason = f"{SHARED} is missing: the recorded series are not part of the project"
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    simulation = Simulation(
        HouseConfig.model_validate(
            {
                "clock": {"start": start},
                "load": {"file": SHARED / load} if load else {},
                "pv": {"file": SHARED / pv} if pv else {},
            }
        )
    )
    state = simulation.advance(1.0)
    assert load_w is None or state.base_load_w == load_w
    assert pv_w is None or -state.pv_w == pv_w
    for _ in range(600):
        state = simulation.advance(6.0)
    assert state.load_wh > 0.0


def test_a_parquet_file_gives_the_same_as_a_csv(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (the extra `demo`)")
    from pyarrow import parquet  # noqa: PLC0415 - optional

    stamps = [datetime(2024, 1, 1, 0, minute, tzinfo=UTC) for minute in (0, 10, 20)]
    columns = {"time_utc": pa.array(stamps, pa.timestamp("ns", tz="UTC")), "pv_south35_w_per_kwp": [1.0, None, 3.0]}
    path = tmp_path / "pv.parquet"
    parquet.write_table(pa.table(columns), path)
    series = opened(Pv(file=path), "pv", utc("2024-01-01T00:00"), kwp=2.0)
    assert [series.power_w(utc(f"2024-01-01T00:{minute}")) for minute in ("05", "15", "25")] == [2.0, 2.0, 6.0]
