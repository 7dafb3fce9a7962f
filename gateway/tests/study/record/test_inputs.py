from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.study.record.errors import InputError
from gateway.study.record.inputs import read_inputs, slot_s
from gateway.study.record.stamps import read_stamps
from gateway.tests.study.small import written
from gateway.words import text

PARIS = ZoneInfo("Europe/Paris")


def rows_of(head: str, *, count: int, load: str = "400", pv: str = "900", step_min: int = 60) -> str:
    """A CSV of `count` rows from 2025-04-01 on."""
    base = datetime(2025, 4, 1).timestamp()  # noqa: DTZ001 - of this machine's clock, taken back the same way
    moments = (datetime.fromtimestamp(base + 60 * step_min * i).strftime("%Y-%m-%dT%H:%M") for i in range(count))  # noqa: DTZ006
    return f"{head}\n" + "".join(f"{moment}Z,{load},{pv}\n" for moment in moments)


def test_one_file_or_two_tell_the_same(tmp_path: Path) -> None:
    one = read_inputs(written(tmp_path / "one.csv", days=3, step_min=30), None, zone=PARIS)
    load = written(tmp_path / "load.csv", days=3, step_min=30, columns="load_kw")
    pv = written(tmp_path / "pv.csv", days=3, step_min=30, columns="pv_w")
    two = read_inputs(load, pv, zone=PARIS)
    assert np.allclose(one.known.load_w, two.known.load_w, atol=0.05)
    assert one.known.pv_w.tolist() == two.known.pv_w.tolist()
    assert one.known.pv_w.max() == 0.0
    assert one.known.pv_w.min() < -3000.0


def test_the_finer_step_counts_and_energy_stays(tmp_path: Path) -> None:
    load = written(tmp_path / "load.csv", days=3, step_min=5, columns="load_w")
    pv = written(tmp_path / "pv.csv", days=3, step_min=30, columns="pv_w")
    record = read_inputs(load, pv, zone=PARIS)
    alone = read_inputs(written(tmp_path / "both.csv", days=3, step_min=30), None, zone=PARIS)
    assert record.known.step_s == 300.0
    assert record.known.pv_w.sum() / 6 == pytest.approx(alone.known.pv_w.sum())


def test_energies_and_powers_per_kwp_become_watts(tmp_path: Path) -> None:
    file = tmp_path / "energy.csv"
    file.write_text(rows_of("time_utc,load_kwh,pv_south_w_per_kwp", count=120, load="0.2", pv="300", step_min=30))
    record = read_inputs(file, None, zone=PARIS, kwp=4.0)
    assert set(record.known.load_w.tolist()) == {400.0}  # 0.2 kWh in half an hour
    assert set(record.known.pv_w.tolist()) == {-1200.0}


@pytest.mark.parametrize(
    ("step_s", "slot"), [(60, 900), (300, 900), (600, 1200), (900, 900), (1800, 1800), (3600, 3600)]
)
def test_plans_stand_on_whole_steps(step_s: float, slot: float) -> None:
    assert slot_s(step_s) == slot


@pytest.mark.parametrize(
    ("clocks", "hours"),
    [
        (["2025-03-30T01:00", "2025-03-30T03:00", "2025-03-30T04:00"], [0, 1, 2]),
        (["2025-10-26T01:00", "2025-10-26T02:00", "2025-10-26T02:00", "2025-10-26T03:00"], [-1, 0, 1, 2]),
        (["2025-10-26T02:00+02:00", "2025-10-26T02:00+01:00"], [0, 1]),
    ],
)
def test_days_of_23_and_25_hours_are_even_in_utc(clocks: list[str], hours: list[int]) -> None:
    midnight_utc = datetime.fromisoformat(f"{clocks[0][:10]}T00:00+00:00").timestamp()
    assert ((read_stamps(clocks, PARIS) - midnight_utc) / 3600).tolist() == hours


def test_a_clock_that_is_never_changed_is_reported_with_its_remedy(tmp_path: Path) -> None:
    rows = "".join(f"2025-03-30T{hour:02d}:00,1,1\n" for hour in range(24))
    file = tmp_path / "fixed.csv"
    file.write_text(f"time_local,load_kw,pv_kw\n{rows}")
    with pytest.raises(InputError) as caught:
        read_inputs(file, None, zone=PARIS)
    assert caught.value.code == "order"
    assert "--zone Etc/GMT-1" in text("fr", "study.bad.order", **caught.value.facts)


BAD = [
    ("a,b\n1,2\n", "time_column", {"found": "a, b"}),
    ("time_utc,power\n2025-04-01T00:00Z,1\n", "load_column", {"found": "time_utc, power"}),
    (rows_of("time_utc,load_w,sun", count=60), "pv_column", {"found": "time_utc, load_w, sun"}),
    (rows_of("time_utc,load_w,load_kw", count=9), "several", {"kind": "load", "found": "load_w, load_kw"}),
    ("time_utc,load_w,pv_w\nyesterday,1,2\n", "time", {"row": "2", "found": "yesterday", "column": "time_utc"}),
    (
        rows_of("time_utc,load_w,pv_w", count=3, load='"1,5"'),
        "number",
        {"row": "2", "found": "1,5", "column": "load_w"},
    ),
    (rows_of("time_utc,load_w,pv_w", count=1), "short", {"rows": "1"}),
    (rows_of("time_utc,load_w,pv_w", count=3, step_min=-60), "order", {"row": "3"}),
    (rows_of("time_utc,load_w,pv_w", count=9, step_min=1440), "step", {"step": "86400 s"}),
    (rows_of("time_utc,load_w,pv_w", count=60, load=""), "gaps", {"column": "load_w", "share": "0 %"}),
    (rows_of("time_utc,load_w,pv_w", count=60, load="0.4"), "load_unit", {"column": "load_w", "highest": "0.4 W"}),
    (rows_of("time_utc,load_kw,pv_kw", count=60, load="4000"), "load_unit", {"column": "load_kw"}),
    (rows_of("time_utc,load_w,pv_w", count=60, pv="1.2"), "pv_unit", {"column": "pv_w"}),
    (rows_of("time_utc,load_w,pv_w", count=60, load="-50"), "negative_load", {"share": "100 %"}),
    (rows_of("time_utc,load_w,pv_w", count=60, pv="-900"), "negative_pv", {"column": "pv_w"}),
    (rows_of("time_utc,load_w,pv_w_per_kwp", count=60), "kwp_missing", {"column": "pv_w_per_kwp"}),
    (rows_of("time_utc,load_w,pv_w", count=24), "ranges", {"load_time": "2025-04-01 02:00 – 2025-04-02 02:00"}),
]


@pytest.mark.parametrize(("content", "code", "facts"), BAD, ids=[code for _, code, _ in BAD])
def test_what_cannot_be_used_is_reported_with_its_place(
    tmp_path: Path, content: str, code: str, facts: dict[str, str]
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_inputs(file, None, zone=PARIS)
    assert caught.value.code == code
    assert facts.items() <= caught.value.facts.items()
    for language in ("en", "fr"):
        sentence = text(language, f"study.bad.{code}", **caught.value.facts)
        assert all(fact in sentence for fact in facts.values())


def test_rows_off_the_step_are_reported(tmp_path: Path) -> None:
    lines = rows_of("time_utc,load_w,pv_w", count=60).splitlines()
    lines[9] = lines[9].replace(":00Z", ":25Z")
    file = tmp_path / "uneven.csv"
    file.write_text("\n".join(lines))
    with pytest.raises(InputError) as caught:
        read_inputs(file, None, zone=PARIS)
    assert (caught.value.code, caught.value.facts["row"]) == ("uneven", "10")
