"""The minute bench: a late battery pays for its delay exactly, and the pieces of a minute add up."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gateway.core.model.history import History
from gateway.core.model.levels import Levels, Storage
from gateway.study.benches.minute import case_of, followed, idle_eur, rule, slots_of
from gateway.study.record.errors import InputError
from gateway.study.replay.case import Case

LOSSLESS = Storage(
    capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0, charge_efficiency=1.0, discharge_efficiency=1.0
)


def case(net_w, start_wh=4000.0, storage=LOSSLESS) -> Case:
    net = np.array(net_w, dtype=float)
    record = History(start_s=0.0, step_s=60.0, load_w=np.maximum(net, 0.0), pv_w=np.minimum(net, 0.0))
    return Case(
        record=record,
        usable=record,
        first=0,
        steps=len(net),
        storage=storage,
        start_wh=start_wh,
        buy=np.full(len(net), 0.2),
        sell=np.full(len(net), 0.05),
        end_price=0.1,
    )


def test_a_kettle_that_a_late_battery_does_not_see_is_bought_and_its_end_is_sold() -> None:
    """3 kW for one minute, 12 s late: 10 Wh bought at 0.2 while it starts, 10 Wh given away at 0.05 after it."""
    kettle = case([0.0] * 5 + [3000.0] + [0.0] * 9)
    late = followed(kettle, rule(kettle), delay_s=12.0)
    assert late.eur == pytest.approx(0.010 * 0.2 - 0.010 * 0.05 + 0.1 * 0.050)  # 50 Wh left the store in all
    assert late.energy_wh == pytest.approx(4000 - 50)
    at_once = followed(kettle, rule(kettle), delay_s=0.0)
    assert at_once.eur == pytest.approx(0.1 * 0.050)


@pytest.mark.parametrize("delay_s", [60.0, 120.0, 150.0])
def test_whole_minutes_of_delay_shift_the_battery_by_so_much(delay_s) -> None:
    kettle = case([0.0] * 5 + [3000.0] + [0.0] * 9)
    # all of the kettle is bought, and all that the battery gives is sold
    assert followed(kettle, rule(kettle), delay_s=delay_s).eur == pytest.approx(0.05 * 0.2 - 0.05 * 0.05 + 0.1 * 0.05)


def test_an_empty_store_gives_nothing_however_late_it_was_asked() -> None:
    empty = case([1000.0] * 15, start_wh=0.0)
    assert followed(empty, rule(empty), delay_s=30.0).eur == pytest.approx(idle_eur(empty))


def test_levels_are_asked_for_at_each_slot_with_what_is_stored_then() -> None:
    asked = []

    def keep(minute: int, energy_wh: float) -> Levels:
        asked.append((minute, round(energy_wh)))
        return Levels(charge_wh=0.0, reserve_wh=3500.0, fill_wh=8000.0, export_wh=8000.0)

    followed(case([2000.0] * 45), keep, delay_s=0.0)
    assert asked == [(0, 4000), (15, 3500), (30, 3500)]  # 2 kW for 15 minutes, then the reserve


def test_a_plan_s_steps_are_means_of_the_minutes() -> None:
    slots = slots_of(case(list(range(30))))
    assert slots.record.load_w.tolist() == [7.0, 22.0]
    assert (slots.first, slots.steps, slots.record.step_s) == (0, 2, 900.0)


def test_files_are_read_with_their_own_clocks(tmp_path: Path) -> None:
    load, pv = tmp_path / "load.csv", tmp_path / "pv.csv"
    rows = [f"2021-04-12T{m // 60:02}:{m % 60:02},{m}" for m in range(1440)]
    load.write_text("time_local,load_w\n" + "\n".join(rows))
    pv.write_text("time_utc,pv_w_per_kwp\n2021-04-11T23:00,0\n2021-04-12T11:00,720\n2021-04-12T23:00,0\n")
    found = case_of(load, pv, kwp=5.0, start=date(2021, 4, 12), days=1)
    assert found.net_w[720] == pytest.approx(720 - 5 * 720)  # noon at UTC+1 is 11:00 UTC
    assert found.net_w[360] == pytest.approx(360 - 5 * 360)
    assert (found.buy[359], found.buy[360], found.buy[1320]) == (0.1635, 0.2081, 0.1635)
    with pytest.raises(InputError) as raised:
        case_of(load, pv, kwp=5.0, start=date(2021, 4, 12), days=2)
    assert raised.value.code == "range"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("time_local,power\n2021-04-12T00:00,1\n", "columns"),
        ("time_local,load_w\n2021-04-12T00:00,1\nnoon,1\n", "time"),
        ("time_local,load_w\n2021-04-12T00:00,1\n2021-04-12T00:01,much\n", "number"),
        ("time_local,load_w\n2021-04-12T00:01,1\n2021-04-12T00:00,1\n", "order"),
        ("", "columns"),
    ],
)
def test_a_file_that_is_none_is_reported_by_what_is_wrong(tmp_path: Path, content: str, code: str) -> None:
    load = tmp_path / "load.csv"
    load.write_text(content)
    with pytest.raises(InputError) as raised:
        case_of(load, load, kwp=5.0, start=date(2021, 4, 12), days=1)
    assert raised.value.code == code


def test_losses_of_the_storage_are_paid_each_way() -> None:
    lossy = replace(LOSSLESS, charge_efficiency=0.9, discharge_efficiency=0.8)
    life = followed(case([-600.0] * 15 + [600.0] * 15, start_wh=0.0, storage=lossy), rule(case([0.0])), delay_s=0.0)
    # 150 Wh in, 135 stored, 108 out: 42 Wh bought
    assert life.eur == pytest.approx(0.042 * 0.2, abs=1e-9)
