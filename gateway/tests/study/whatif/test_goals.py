"""What a study plans for, and which prices a plan can know."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.core.model.levels import Storage
from gateway.core.planning.method import Method
from gateway.core.pricing.goals import Goals
from gateway.core.pricing.kinds.tempo import KIND, Colour, Tempo
from gateway.core.pricing.tariff import ListTariff, PriceList
from gateway.study.record.inputs import read_inputs
from gateway.study.record.priced import prices_on, weighed_on
from gateway.study.whatif.answer import answer
from gateway.study.whatif.planned import planned_levels
from gateway.study.whatif.study_inputs import Colours, StudyInputs
from gateway.tests.study.small import START, written

PARIS = ZoneInfo("Europe/Paris")
STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> StudyInputs:
    """Nine days at one price; the grid's CO2 is high from 12 to 24 UTC."""
    file = written(tmp_path_factory.mktemp("goals") / "small.csv", days=9, step_min=60)
    record = read_inputs(file, None, zone=PARIS)
    count = len(record.known.load_w) + 48
    return StudyInputs(
        record=record,
        zone=PARIS,
        first=48,
        steps=7 * 24,
        each=1,
        every=3,
        buy=np.full(count, 0.2),
        sell=np.full(count, 0.04),
        co2=np.where(np.arange(count) % 24 < 12, 20.0, 400.0),
        storages=(STORAGE,),
        method=Method(),
    )


def test_prices_are_weighed_as_the_gateway_weighs_them() -> None:
    goals = Goals(cost=0.5, self_consumption_eur_per_kwh=0.03, co2_eur_per_t=100.0)
    buy, sell = weighed_on(goals, np.array([0.2, 0.3]), np.array([0.1, 0.1]), np.array([50.0, 0.0]))
    assert buy == pytest.approx([0.105, 0.15])  # 0.5 * 0.2 + 100 * 50e-6, 0.5 * 0.3
    assert sell == pytest.approx([0.02, 0.02])  # 0.5 * 0.1 - 0.03


def test_with_the_bill_alone_nothing_is_weighed(plain: StudyInputs) -> None:
    size = answer(plain)[0]
    assert all(lived.all.weighed_eur is None for lived in size.ways.values())
    assert all(size.weighed_eur(way) == size.cost_eur(way) for way in size.ways)


def test_a_climate_goal_moves_import_to_hours_of_little_co2_and_the_bill_stays_a_bill(plain: StudyInputs) -> None:
    bill = answer(plain)[0]
    weighed = answer(replace(plain, goals=Goals(cost=1.0, co2_eur_per_t=500.0)))[0]
    for way in ("zen", "perfect"):
        before, after = bill.ways[way].all, weighed.ways[way].all
        assert before.co2_kg is not None
        assert after.co2_kg is not None
        assert after.co2_kg < 0.8 * before.co2_kg
        assert after.cost_eur == pytest.approx(0.2 * after.import_kwh - 0.04 * after.export_kwh)
        assert after.weighed_eur == pytest.approx(after.cost_eur + 0.5 * after.co2_kg)
    assert weighed.ways["rule"].all.import_kwh == bill.ways["rule"].all.import_kwh
    score = weighed.score("zen")
    assert score is not None
    assert 0.5 < score <= 1.0


def test_nobody_beats_perfect_foresight_at_the_goals_it_has(plain: StudyInputs) -> None:
    for goals in (
        Goals(cost=0.0, co2_eur_per_t=100.0),
        Goals(self_consumption_eur_per_kwh=0.1),
        Goals(cost=0.3, self_consumption_eur_per_kwh=0.02, co2_eur_per_t=50.0),
    ):
        size = answer(replace(plain, goals=goals))[0]
        best = size.weighed_eur("perfect")
        assert all(best <= size.weighed_eur(way) + 1e-9 for way in size.ways)


def tempo(plain: StudyInputs, colours: dict[date, Colour]) -> StudyInputs:
    prices = dict(zip(Tempo(colours={}).names, (0.13, 0.16, 0.15, 0.19, 0.16, 0.70), strict=True))
    lists = (PriceList(first=date.min, prices=prices),)
    known = plain.record.known
    grid = {"start_s": known.start_s, "step_s": known.step_s, "steps": len(plain.buy)}
    paid, dear = (
        prices_on(ListTariff(zone=PARIS, scheme=Tempo(colours=each), lists=lists, sell=0.04), **grid)
        for each in (colours, {})
    )
    assert KIND.called is not None
    return replace(plain, buy=paid[0], sell=paid[1], colours=Colours(buy=dear[0], zone=PARIS, rules=KIND.called))


def test_a_plan_knows_a_colour_from_the_evening_before_and_takes_the_dear_one_until_then(plain: StudyInputs) -> None:
    days = [START.date() + timedelta(days=after) for after in range(-1, 12)]
    blue = dict.fromkeys(days, Colour.BLUE)
    changing = date(2025, 4, 7)  # a Monday
    white = {**blue, changing: Colour.WHITE}
    all_series = [tempo(plain, colours).plan_series() for colours in (blue, white)]
    same = {}
    for hour in (12, 19, 20, 22):
        moment = datetime(2025, 4, 6, hour, tzinfo=PARIS)
        slot = round((moment.timestamp() - all_series[0].known.start_s) / 3600.0)
        found = [planned_levels(series, [slot]) for series in all_series]
        same[hour] = np.array_equal(*found)
    assert same == {12: True, 19: True, 20: False, 22: False}
