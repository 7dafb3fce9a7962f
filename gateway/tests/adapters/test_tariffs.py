"""Every shipped tariff is right and prices every moment; a wrong file says where."""

import math
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters import tariffs
from gateway.adapters.tariffs import TariffError
from gateway.core.pricing.kind import PriceSources
from gateway.core.pricing.kinds import listed
from gateway.paths import config_folder
from gateway.site.file.declared import keys, made, section_of

SHIPPED = sorted((config_folder() / "tariffs").glob("*.toml"))
# A building's own keys, whichever the kinds of the shipped lists need; each kind takes those that it has.
KEYS = {"off_peak": [{"hours": ["22:00-06:00"]}]}
# As published: first day -> price, from the pages that the files name as their sources.
PUBLISHED = [
    ("edf_base", "2025-02-01", "BASE", 0.2016),
    ("edf_base", "2025-08-01", "BASE", 0.1952),
    ("edf_hphc", "2025-02-01", "HP", 0.2146),
    ("edf_hphc", "2025-02-01", "HC", 0.1696),
    ("edf_hphc", "2025-08-01", "HP", 0.2081),
    ("edf_hphc", "2025-08-01", "HC", 0.1635),
    ("edf_tempo", "2025-08-01", "TEMPO_BLUE_HC", 0.1232),
    ("edf_tempo", "2025-08-01", "TEMPO_RED_HP", 0.6468),
    ("edf_base", "2026-02-01", "BASE", 0.1940),
    ("edf_hphc", "2026-02-01", "HC", 0.1579),
    ("edf_tempo", "2026-02-01", "TEMPO_WHITE_HP", 0.1871),
]


def test_there_are_tariffs_to_choose_from(tmp_path: Path) -> None:
    assert {"edf_base", "edf_hphc", "edf_tempo", "s21"} <= set(tariffs.names(tmp_path))
    assert {path.stem for path in SHIPPED} == set(tariffs.names(tmp_path))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_tariff_prices_every_moment_once_it_is_complete(path: Path) -> None:
    found = tariffs.load(path)
    assert found.check
    if found.kind == "surplus":
        assert all(row.above_kwp < row.up_to_kwp for row in found.surplus)
        return
    own = dict.fromkeys(found.missing({}), 0.2)
    assert found.missing(own) == []
    kind = listed()[found.kind]
    names = {key.name for key in keys(kind.settings)}
    section = section_of(kind.settings).model_validate({key: value for key, value in KEYS.items() if key in names})
    settings = made(kind.settings, {name: getattr(section, name) for name in names})
    tariff = settings.tariff(PriceSources(zone=ZoneInfo("Europe/Paris"), lists=found.lists(own), sell=0.0))
    for hour in range(0, 24 * 366, 5):
        rate = tariff.rate(1_754_000_000 + 3600 * hour)
        assert math.isfinite(rate.buy)
        assert rate.name in found.names


@pytest.mark.parametrize(("name", "first", "period", "price"), PUBLISHED)
def test_prices_are_those_that_were_published(name: str, first: str, period: str, price: float, tmp_path: Path) -> None:
    rows = [row for row in tariffs.find(name, tmp_path).prices if row.first.isoformat() == first]
    assert [row.prices[period] for row in rows] == [price]


@pytest.mark.parametrize(
    ("quarter", "kwp", "price"),
    [
        ("2025-Q3", 3, 0.04),
        ("2025-Q3", 9, 0.04),
        ("2025-Q3", 9.1, 0.0731),
        ("2026-Q1", 9, 0.04),
        ("2026-Q1", 100, 0.0536),
        ("2026-Q1", 101, None),
        ("2025-Q4", 3, None),
    ],
)
def test_surplus_is_paid_by_the_quarter_and_the_size(
    quarter: str, kwp: float, price: float | None, tmp_path: Path
) -> None:
    assert tariffs.find("s21", tmp_path).surplus_price(quarter, kwp) == price


def test_what_a_tariff_does_not_know_is_named(tmp_path: Path) -> None:
    (tmp_path / "tariffs").mkdir()
    own = OWN.replace('"base"', '"tempo"').replace("BASE = 0.21", "TEMPO_BLUE_HC = 0.12\nTEMPO_RED_HP = 0.65")
    (tmp_path / "tariffs" / "mine.toml").write_text(own)
    missing = tariffs.find("mine", tmp_path).missing({"TEMPO_BLUE_HP": 0.15})
    assert missing == ["TEMPO_WHITE_HC", "TEMPO_WHITE_HP", "TEMPO_RED_HC"]


OWN = """
id = "mine"
title = "Mine"
kind = "base"
check = "My bill."
sources = ["my contract"]
[[prices]]
first = 2026-01-01
BASE = 0.21
"""


def test_a_tariff_beside_the_site_file_goes_first(tmp_path: Path) -> None:
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "mine.toml").write_text(OWN)
    (tmp_path / "tariffs" / "edf_base.toml").write_text(OWN.replace('"mine"', '"edf_base"'))
    assert "mine" in tariffs.names(tmp_path)
    assert tariffs.find("edf_base", tmp_path).title == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("BASE = 0.21", "HC = 0.21", "HC: a tariff of kind base has BASE"),
        ("BASE = 0.21", "BASE = 21", "prices.0.prices.BASE"),  # cents
        ("BASE = 0.21", "BASE = nan", "prices.0.prices.BASE"),
        ("BASE = 0.21", 'BASE = "0.21"', "prices.0.prices.BASE"),
        ("first = 2026-01-01", "", "prices.0.first"),
        ("BASE = 0.21", "BASE = 0.21\n[[prices]]\nfirst = 2025-01-01\nBASE = 0.2", "rise by their first day"),
        ('kind = "base"', 'kind = "surplus"', "rows for kind surplus"),
        ('kind = "base"', 'kind = "bsae"', "kind"),
        ('sources = ["my contract"]', "sources = []", "sources"),
        ('title = "Mine"', 'title = "Mine"\ncolour = 1', "colour"),
        ('id = "mine"', 'id = "yours"', "is called 'mine'"),
        ("[[prices]]", "[[prices", "not TOML"),
    ],
)
def test_a_wrong_file_says_where(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in OWN
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(TariffError) as caught:
        tariffs.load(path)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(TariffError, match="No such file"):
        tariffs.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "kva", "first", "eur"),
    [
        ("edf_base", 3, "2026-02-01", "12.03"),
        ("edf_hphc", 9, "2025-02-01", "18.01"),
        ("edf_tempo", 36, "2025-08-01", "54.43"),
    ],
)
def test_subscriptions_are_those_that_were_published(
    name: str, kva: float, first: str, eur: str, tmp_path: Path
) -> None:
    rows = {row.first.isoformat(): str(row.eur_per_month) for row in tariffs.find(name, tmp_path).subscriptions(kva)}
    assert rows[first] == eur


def test_a_power_without_a_subscription_has_none(tmp_path: Path) -> None:
    assert tariffs.find("edf_hphc", tmp_path).subscriptions(7) == ()


def test_rows_of_subscriptions_rise(tmp_path: Path) -> None:
    row = "[[subscription]]\nfirst = 2026-01-01\n6 = 10\n"
    path = tmp_path / "mine.toml"
    path.write_text(OWN + row + row)
    with pytest.raises(TariffError, match="rise by their first day"):
        tariffs.load(path)
