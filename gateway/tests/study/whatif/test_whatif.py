"""Ways through a small building: energy is conserved, nobody beats the limit, nobody knows the future."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.core.model.history import History
from gateway.core.model.levels import Levels, Storage, follow
from gateway.core.planning.method import Method
from gateway.core.pricing.off_peak import OffPeak, PeakOffPeak
from gateway.core.pricing.periods import Window
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import ListTariff, PriceList
from gateway.study.record.inputs import read_inputs
from gateway.study.record.priced import co2_on, prices_on
from gateway.study.record.series import Record
from gateway.study.replay.case import Case
from gateway.study.replay.limit import perfect_eur
from gateway.study.replay.slots import cost_eur
from gateway.study.whatif.answer import Size, answer
from gateway.study.whatif.following import follow_all
from gateway.study.whatif.foresight import perfect_levels
from gateway.study.whatif.planned import planned_levels
from gateway.study.whatif.study_inputs import StudyInputs
from gateway.tests.study.small import written

PARIS = ZoneInfo("Europe/Paris")
NIGHT = PeakOffPeak(rows=(OffPeak(windows=(Window(begin_min=22 * 60 + 38, end_min=6 * 60 + 38),)),))
HPHC = ListTariff(
    zone=PARIS,
    scheme=NIGHT,
    lists=(PriceList(first=date.min, prices={"HP": 0.25, "HC": 0.15}),),
    sell=0.04,
)
SIZES = (2.5, 5.0, 10.0)


def storage(kwh: float) -> Storage:
    return Storage(capacity_wh=1000.0 * kwh, charge_max_w=500.0 * kwh, discharge_max_w=500.0 * kwh)


def study_inputs(
    record: Record, *, each: int, every: int = 4, first: int = 0, sizes: tuple[float, ...] = SIZES
) -> StudyInputs:
    known = record.known
    count = len(known.load_w) + round(2 * 86400 / known.step_s)
    buy, sell = prices_on(HPHC, start_s=known.start_s, step_s=known.step_s, steps=count)
    return StudyInputs(
        record=record,
        zone=PARIS,
        first=first,
        steps=len(known.load_w) - first,
        each=each,
        every=every,
        buy=buy,
        sell=sell,
        co2=np.full(count, 50.0),
        storages=tuple(storage(kwh) for kwh in sizes),
        method=Method(),
    )


@pytest.fixture(scope="module")
def half_hours(tmp_path_factory: pytest.TempPathFactory) -> StudyInputs:
    file = written(tmp_path_factory.mktemp("study") / "small.csv", days=9, step_min=30)
    return study_inputs(read_inputs(file, None, zone=PARIS), each=1)


@pytest.fixture(scope="module")
def sizes(half_hours: StudyInputs) -> list[Size]:
    return answer(half_hours)


def test_what_comes_in_goes_out_is_lost_or_stored(sizes: list[Size]) -> None:
    for size in sizes:
        for way, lived in size.ways.items():
            for month in [*lived.months, lived.all]:
                given = month.import_kwh + month.pv_kwh
                taken = month.load_kwh + month.export_kwh + month.losses_kwh + month.stored_kwh
                assert given == pytest.approx(taken, abs=1e-9), way
                assert month.losses_kwh >= -1e-9
            assert lived.all.co2_kg == pytest.approx(0.05 * lived.all.import_kwh)
            assert lived.energy_wh.min() >= -1e-6
            assert lived.energy_wh.max() <= size.storage.capacity_wh + 1e-6
            assert np.abs(lived.power_w).max() <= size.storage.charge_max_w + 1e-6


def test_nobody_beats_perfect_foresight_and_a_larger_storage_never_costs_it_anything(sizes: list[Size]) -> None:
    for size in sizes:
        assert size.cost_eur("perfect") <= size.cost_eur("zen") + 1e-9
        assert size.cost_eur("perfect") <= size.cost_eur("rule") + 1e-9
        assert size.cost_eur("zen") < size.cost_eur("none")
    gains = [size.gain_eur("perfect") for size in sizes]
    assert gains == sorted(gains)
    per_kwh = np.diff([0.0, *gains]) / np.diff([0.0, *SIZES])
    assert np.all(np.diff(per_kwh) <= 1e-9)  # each further kWh brings less


def test_the_same_from_two_processes(half_hours: StudyInputs, sizes: list[Size]) -> None:
    shared = answer(half_hours, workers=2)
    assert [size.cost_eur("zen") for size in sizes] == [size.cost_eur("zen") for size in shared]
    assert [size.cost_eur("perfect") for size in sizes] == [size.cost_eur("perfect") for size in shared]


def test_no_plan_knows_what_comes_after_it(half_hours: StudyInputs) -> None:
    series = half_hours.plan_series()
    moment = series.moments[60]
    load, pv = series.known.load_w.copy(), series.known.pv_w.copy()
    load[moment:], pv[moment:] = 9999.0, -9999.0
    other = replace(series, known=replace(series.known, load_w=load, pv_w=pv))
    assert np.array_equal(planned_levels(series, [moment]), planned_levels(other, [moment]))


def test_minutes_are_followed_one_by_one_and_planned_by_quarters(tmp_path: Path) -> None:
    record = read_inputs(written(tmp_path / "minutes.csv", days=3, step_min=1), None, zone=PARIS)
    asked = study_inputs(record, each=15, sizes=(5.0,))
    size = answer(asked)[0]
    assert size.ways["zen"].levels_wh.shape == (3 * 96, 4)
    assert size.ways["zen"].all.days == pytest.approx(3.0)
    assert size.cost_eur("perfect") <= size.cost_eur("zen")


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25)])
def test_days_of_23_and_25_hours_have_their_prices_by_the_clock(day: str, hours: int) -> None:
    start_s = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=PARIS).timestamp()
    buy, _ = prices_on(HPHC, start_s=start_s, step_s=60.0, steps=hours * 60)
    cheap = np.flatnonzero(buy == 0.15)
    assert len(cheap) == (8 * 60) + (hours - 24) * 60  # the changed hour is one of the night
    assert buy[-(24 * 60 - 22 * 60 - 38) - 1] == 0.25  # 22:37 is dear, 22:38 is cheap
    assert buy[-(24 * 60 - 22 * 60 - 38)] == 0.15


def test_a_step_with_a_change_of_price_has_the_mean() -> None:
    start_s = datetime(2025, 4, 1, 22, tzinfo=PARIS).timestamp()
    buy, _ = prices_on(HPHC, start_s=start_s, step_s=3600.0, steps=1)
    assert buy[0] == pytest.approx((38 * 0.25 + 22 * 0.15) / 60)


def test_following_is_that_of_the_core() -> None:
    draw = np.random.default_rng(7)
    store = storage(3.0)
    levels = np.sort(draw.uniform(0.0, 3000.0, (60, 4)), axis=1)
    levels[::5] = [0.0, 0.0, 3000.0, 3000.0]
    net_w = draw.normal(0.0, 2500.0, 240)
    powers, energies = follow_all(store, levels, net_w, start_wh=700.0, hours=0.25)
    energy = 700.0
    for step, (power, after) in enumerate(zip(powers.tolist(), energies.tolist(), strict=True)):
        charge, reserve, fill, export = levels[step // 4].tolist()
        row = Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export)
        wanted = follow(row, store, energy_wh=energy, net_w=float(net_w[step]), hours=0.25)
        assert power == pytest.approx(float(wanted), abs=1e-6)
        energy = after


@pytest.mark.parametrize("seed", range(6))
def test_the_limit_is_that_of_the_linear_program(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count, hours = 300, float(draw.choice([1 / 60, 0.25, 0.5]))
    known = History(
        start_s=0.0,
        step_s=hours * 3600.0,
        load_w=np.abs(draw.normal(400.0, 600.0, count)),
        pv_w=-np.maximum(draw.normal(200.0, 1500.0, count), 0.0),
    )
    buy = draw.choice([0.15, 0.2, 0.3], count) if seed % 2 else draw.uniform(0.05, 0.4, count)
    sell = np.full(count, -0.02) if seed == 5 else np.minimum(draw.uniform(0.0, 0.12, count), buy)
    store = Storage(
        capacity_wh=16000.0 * hours, charge_max_w=2000.0, discharge_max_w=1500.0, wear_price=0.01 * (seed % 3)
    )
    case = Case(
        record=known,
        usable=known,
        first=0,
        steps=count,
        storage=store,
        start_wh=100.0,
        buy=buy,
        sell=sell,
        end_price=0.14,
    )
    levels = perfect_levels(store, case.net_w, buy, sell, hours=hours, end_price=0.14)
    powers, _ = follow_all(store, levels, case.net_w, start_wh=100.0, hours=hours)
    assert cost_eur(case, powers) == pytest.approx(perfect_eur(case), abs=1e-9)


def test_co2_holds_where_it_is_given_and_is_the_mean_elsewhere() -> None:
    points = PointSeries(times_s=(0.0, 3600.0), values=(40.0, 60.0))
    found = co2_on(points, start_s=0.0, step_s=1800.0, steps=6)
    assert found is not None
    assert found.tolist() == [40.0, 40.0, 60.0, 60.0, 50.0, 50.0]
    assert co2_on(PointSeries(times_s=(), values=()), start_s=0.0, step_s=60.0, steps=3) is None


def test_months_are_those_of_the_local_clock(tmp_path: Path) -> None:
    record = read_inputs(written(tmp_path / "month.csv", days=31, step_min=60), None, zone=PARIS)
    asked = study_inputs(record, each=1, every=24, sizes=(5.0,))
    assert asked.month_names() == ["2025-04", "2025-05"]
    may_s = datetime(2025, 5, 1, tzinfo=PARIS).timestamp() - datetime(2025, 4, 1, tzinfo=UTC).timestamp()
    months = answer(asked)[0].ways["rule"].months
    assert [month.days for month in months] == pytest.approx([may_s / 86400.0, 31.0 - may_s / 86400.0])
