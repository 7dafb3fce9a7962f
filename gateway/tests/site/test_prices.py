"""The sections of prices and goals: right ones give the building's prices, wrong ones are told with their place."""

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.clock import SystemClock
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.goals import Goals
from gateway.core.pricing.kinds.tempo import Colour
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import Power
from gateway.paths import config_folder
from gateway.site.assembly import prices as site_prices
from gateway.site.assembly.feeds import feeds
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFileError
from gateway.words import text

DOCUMENT = config_folder().parent / "docs" / "tariffs.md"
DEMO = (config_folder() / "demo" / "site.toml").read_text().partition("\n[tariff]")[0] + "\n"
SEASONS = """
[tariff]
file = "edf_hphc"
subscribed_kva = 9
peak_eur_per_kw_month = 1.5
surplus = { file = "s21", quarter = "2026-Q1", kwp = 12 }

[[tariff.off_peak]]
hours = ["22:38-06:38"]
end = 2026-04-01

[[tariff.off_peak]]
hours = ["02:00-07:00", "14:00-17:00"]
season = ["04-01", "10-31"]

[[tariff.off_peak]]
hours = ["23:00-07:00"]

[goals]
cost = 1
self_consumption_eur_per_kwh = 0.02
co2_eur_per_t = 100
"""
TEMPO = """
[tariff]
file = "edf_tempo"
surplus_price = 0.04
prices = { TEMPO_BLUE_HP = 0.15, TEMPO_WHITE_HC = 0.14, TEMPO_WHITE_HP = 0.18, TEMPO_RED_HC = 0.16 }
"""
POINTS = """
[tariff]
points = "prices.csv"
factor = 1.2
add = 0.05
fallback_price = 0.3
"""


def read(tmp_path: Path, added: str) -> site_file.SiteFile:
    path = tmp_path / "site.toml"
    path.write_text(DEMO + added)
    return site_file.read(path)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")).timestamp()


EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_every_example_of_the_document_is_right(tmp_path: Path, example: str) -> None:
    if not example.startswith("["):
        (tmp_path / "tariffs").mkdir()
        (tmp_path / "tariffs" / "mine.toml").write_text(example)
        example = '[tariff]\nfile = "mine"\n'
    file = read(tmp_path, f"\n{example}")
    assert site_prices.weighed(
        file, TimeGrid(start_s=at("2026-11-14T12:00"), step_s=900, steps=192), days={}
    ).real.buy.all()


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_without_a_section_one_price_is_assumed(tmp_path: Path) -> None:
    file = read(tmp_path, "")
    rate = site_prices.tariff(file, days={}).rate(0.0)
    assert (rate.buy, rate.sell, rate.assumed) == (0.25, 0.04, True)
    assert site_prices.goals(file) == Goals()
    assert site_prices.power(file) == Power()


def test_hours_of_a_meter_by_date_and_season(tmp_path: Path) -> None:
    file = read(tmp_path, SEASONS)
    tariff = site_prices.tariff(file, days={})
    table = [
        ("2026-03-31T22:37", "HP"),
        ("2026-03-31T22:38", "HC"),
        ("2026-04-01T01:00", "HP"),
        ("2026-04-01T14:00", "HC"),
        ("2026-10-31T16:59", "HC"),
        ("2026-11-01T00:00", "HC"),
        ("2026-11-01T14:00", "HP"),
    ]
    for moment, name in table:
        rate = tariff.rate(at(moment))
        assert (rate.name, rate.sell, rate.assumed) == (name, 0.0536, False), moment
    assert site_prices.power(file) == Power(peak_eur_per_kw_month=1.5)
    assert site_prices.goals(file) == Goals(cost=1.0, self_consumption_eur_per_kwh=0.02, co2_eur_per_t=100.0)


def test_tempo_with_the_prices_of_the_bill(tmp_path: Path) -> None:
    tariff = site_prices.tariff(read(tmp_path, TEMPO), days={date(2026, 1, 15): Colour.RED})
    assert [tariff.rate(at(t)).buy for t in ("2026-01-15T12:00", "2026-01-16T05:00")] == [0.6468, 0.16]
    assert tariff.rate(at("2026-01-16T06:00")).assumed


def test_published_prices(tmp_path: Path) -> None:
    points = PointSeries(times_s=(0.0,), values=(0.1,))
    tariff = site_prices.tariff(read(tmp_path, POINTS), days={}, points=points)
    assert tariff.rate(10.0).buy == pytest.approx(0.17)
    assert tariff.rate(86400.0 * 30).buy == 0.3


QUARTERS = TimeGrid(start_s=at("2026-01-15T20:00"), step_s=900, steps=96)


def test_a_plan_without_a_tariff_says_what_it_assumes(tmp_path: Path) -> None:
    found = site_prices.weighed(read(tmp_path, ""), QUARTERS, days={})
    assert [(note.code, dict(note.numbers)) for note in found.notes] == [
        ("tariff_missing", {"buy_price": 0.25, "sell_price": 0.04})
    ]


def test_a_plan_says_from_when_to_when_the_colour_is_not_known(tmp_path: Path) -> None:
    found = site_prices.weighed(read(tmp_path, TEMPO), QUARTERS, days={date(2026, 1, 15): Colour.BLUE})
    assert [note.code for note in found.notes] == ["assumed_price"]
    numbers = dict(found.notes[0].numbers)  # Friday from 06:00 to the end of the plan at 20:00
    assert numbers == {"buy_price": 0.6468, "begin_day": 1.0, "begin_clock": 360.0, "end_clock": 1200.0}
    assert text("fr", "reason.assumed_price", **numbers).replace("\N{NO-BREAK SPACE}", " ") == (
        "Le prix demain de 6 h à 20 h n’est pas encore connu : 0,647 €/kWh est supposé, le prix le plus élevé possible."
    )


def test_a_list_that_cannot_be_used_costs_the_prices_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "mine.toml").write_text('id = "mine"\nkind =')
    path = tmp_path / "site.toml"
    path.write_text(DEMO + '\n[tariff]\nfile = "mine"\nsurplus = { file = "s21", quarter = "2026-Q1", kwp = 6 }\n')
    file = site_file.read(path, may_lack_prices=True)
    assert [mistake.path for mistake in file.lists.mistakes] == ["tariff.file"]
    found = site_prices.weighed(file, QUARTERS, days={})
    assert [(note.code, dict(note.numbers)) for note in found.notes] == [
        ("tariff_broken", {"buy_price": 0.25, "sell_price": 0.04})
    ]
    with pytest.raises(SiteFileError, match=r"tariff\.file"):
        site_file.read(path)
    path.write_text(path.read_text().replace("reserve = 0.10", "reserve = 10"))
    with pytest.raises(SiteFileError, match=r"control\.reserve"):  # other mistakes are none to live with
        site_file.read(path, may_lack_prices=True)


def test_a_peak_is_part_of_the_bill_and_of_what_the_plan_weighs(tmp_path: Path) -> None:
    text = SEASONS.replace("cost = 1\n", "cost = 0.5\n").replace("= 1.5\n", "= 1.5\npeak_free_kw = 2.5\n")
    found = site_prices.weighed(read(tmp_path, text), QUARTERS, days={}, reached_w=3100.0)
    assert found.real.peak is not None
    assert found.effective.peak is not None
    assert (found.real.peak.eur_per_kw, found.effective.peak.eur_per_kw) == (1.5, 0.75)
    assert [period.due_w for period in found.effective.peak.periods] == [3100.0]
    assert site_prices.weighed(read(tmp_path, text), QUARTERS, days={}).real.peak.periods[0].due_w == 2500.0  # type: ignore[union-attr]
    without_bill = site_prices.weighed(read(tmp_path, text.replace("cost = 0.5", "cost = 0")), QUARTERS, days={})
    assert without_bill.effective.peak is None
    assert site_prices.weighed(read(tmp_path, ""), QUARTERS, days={}).effective.peak is None


def test_a_list_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "tariffs").mkdir()
    own = tmp_path / "tariffs" / "mine.toml"
    own.write_text(next(example for example in EXAMPLES if example.startswith("id")))
    file = read(tmp_path, '\n[tariff]\nfile = "mine"\n')
    own.write_text("spoiled while the gateway runs")
    assert site_prices.tariff(file, days={}).rate(at("2026-03-01T12:00")).buy == 0.1985


def test_goals_weigh_the_plan_s_prices_and_leave_the_real_ones(tmp_path: Path) -> None:
    co2 = PointSeries(times_s=tuple(QUARTERS.start_s + 900.0 * i for i in range(96)), values=(50.0,) * 96, step_s=900)
    file = read(tmp_path, SEASONS)
    found = site_prices.weighed(file, QUARTERS, days={}, co2=co2)
    assert found.notes == ()
    assert found.real.buy[0] == 0.2081
    assert found.effective.buy[0] == pytest.approx(0.2081 + 0.005)
    assert found.effective.sell[0] == pytest.approx(0.0536 - 0.02)
    assert [note.code for note in site_prices.weighed(file, QUARTERS, days={}).notes] == ["co2_missing"]


FEEDS = """
[feeds]
co2 = "co2.csv"
[feeds.weather]
latitude = 50.43
longitude = 2.83
tilt_deg = 30
azimuth_deg = 0
"""


async def test_feeds_are_those_that_the_site_file_asks_for(tmp_path: Path) -> None:
    nothing = feeds(read(tmp_path, ""), clock=SystemClock(), folder=tmp_path / "cache")
    assert nothing.all == ()
    found = feeds(read(tmp_path, POINTS + FEEDS), clock=SystemClock(), folder=tmp_path / "cache")
    assert len(found.all) == 3
    (tmp_path / "co2.csv").write_text("time,co2_g_per_kwh\n2026-01-15T00:00Z,62\n")
    assert found.co2 is not None
    assert found.prices is not None
    await found.co2.refresh()
    await found.prices.refresh()
    assert found.co2.answer().value == PointSeries(times_s=(at("2026-01-15T01:00"),), values=(62.0,))
    assert found.prices.answer().why == "offline"


@pytest.mark.parametrize(
    ("base", "old", "new", "path", "message"),
    [
        (SEASONS, '"edf_hphc"', '"edf_hpch"', "tariff.file", "did you mean edf_hphc?"),
        (SEASONS, '"edf_hphc"', '"s21"', "tariff.file", "for what is bought"),
        (SEASONS, '"edf_hphc"', '"edf_base"', "tariff.off_peak", "nothing"),
        (SEASONS, "subscribed_kva = 9", "subscribed_kva = 6", "control.import_limit_w", "at most 6000"),
        (SEASONS, '"2026-Q1"', '"2025-Q4"', "tariff.surplus.quarter", "2025-Q3, 2026-Q1; otherwise surplus_price"),
        (SEASONS, "kwp = 12", "kwp = 200", "tariff.surplus.kwp", "at most 100"),
        (SEASONS, '"s21"', '"edf_base"', "tariff.surplus.file", "kind surplus"),
        (SEASONS, '"s21"', '"s22"', "tariff.surplus.file", "s21"),
        (SEASONS, "kwp = 12 }", "kwp = 12 }\nsurplus_price = 0.04", "tariff", "not both"),
        (SEASONS, '"22:38-06:38"', '"22:38-06:60"', "tariff.off_peak.0.hours.0", "match"),
        (SEASONS, '"14:00-17:00"', '"06:30-09:30"', "tariff.off_peak.1", "do not overlap"),
        (SEASONS, '"02:00-07:00", "14:00-17:00"', '"02:00-07:00", "01:00-08:00"', "tariff.off_peak.1", "overlap"),
        (SEASONS, "end = 2026-04-01", "first = 2026-05-01\nend = 2026-04-01", "tariff.off_peak.0", "first before end"),
        (SEASONS, '["04-01", "10-31"]', '["04-01"]', "tariff.off_peak.1.season", "2 items"),
        (SEASONS, '["04-01", "10-31"]', '["04-01", "13-31"]', "tariff.off_peak.1.season.1", "match"),
        (SEASONS, "cost = 1", "cost = -1", "goals.cost", "greater than or equal to 0"),
        (SEASONS, "co2_eur_per_t", "co2_eur_per_ton", "goals.co2_eur_per_ton", "did you mean co2_eur_per_t?"),
        (SEASONS, "cost = 1\nself_consumption_eur_per_kwh = 0.02\nco2_eur_per_t = 100", "cost = 0", "goals", "above 0"),
        (
            TEMPO,
            "TEMPO_BLUE_HP = 0.15",
            "TEMPO_BLEU_HP = 0.15",
            "tariff.prices.TEMPO_BLEU_HP",
            "did you mean TEMPO_BLUE",
        ),
        (TEMPO, 'file = "edf_tempo"', "", "tariff", "either file or points"),
        (POINTS, "fallback_price = 0.3", "", "tariff", "fallback_price with points"),
        (POINTS, 'points = "prices.csv"', 'file = "edf_base"', "tariff", "fallback_price with points"),
        (
            POINTS,
            "price = 0.3",
            'price = 0.3\n[[tariff.off_peak]]\nhours = ["22:00-06:00"]',
            "tariff.off_peak",
            "nothing",
        ),
        (SEASONS, SEASONS[SEASONS.index("[[") : SEASONS.index("[goals]")], "", "tariff.off_peak", '["22:00-06:00"]'),
        (POINTS, "factor = 1.2", "factor = 0", "tariff.factor", "greater than 0"),
        (POINTS, "add = 0.05", "prices = { BASE = 0.2 }", "tariff.prices", "nothing"),
        (POINTS, "add = 0.05", "\n[feeds.weather]\nlatitude = 99\nlongitude = 2", "feeds.weather.latitude", "to 90"),
        (
            POINTS,
            "fallback_price = 0.3",
            "fallback_price = 0.3\n[feeds.weather]\nlatitude = 50\nlongitude = 2\ntilt_deg = 3",
            "feeds.weather",
            "or neither",
        ),
    ],
)
def test_mistakes_are_reported_with_their_place(
    tmp_path: Path, base: str, old: str, new: str, path: str, message: str
) -> None:
    assert old in base
    with pytest.raises(SiteFileError) as caught:
        read(tmp_path, base.replace(old, new, 1))
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert message in found.get(path, ""), found


def test_keys_that_had_no_effect_in_0_1_0_are_no_mistakes(tmp_path: Path) -> None:
    file = read(tmp_path, '\n[tariff]\nfile = "edf_base"\nfactor = 1.2\nadd = 0.05\noff_peak = []\n')
    assert site_prices.tariff(file, days={}).rate(at("2025-09-01T12:00")).buy == 0.1952


def test_several_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    wrong = SEASONS.replace('"edf_hphc"', '"edf"').replace("kva = 9", "kva = 6").replace("2026-Q1", "2024-Q1")
    with pytest.raises(SiteFileError) as caught:
        read(tmp_path, wrong)
    assert {mistake.path for mistake in caught.value.mistakes} == {
        "tariff.file",
        "control.import_limit_w",
        "tariff.surplus.quarter",
    }


def test_a_tariff_file_with_a_mistake_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "mine.toml").write_text("id = 3")
    with pytest.raises(SiteFileError, match=r"tariff\.file: found .*mine\.toml"):
        read(tmp_path, '\n[tariff]\nfile = "mine"\n')
