"""Bills: to the cent those that were computed by hand (docs/bill.md), and the ones of published prices."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import tariffs, taxes
from gateway.core.accounts.bill import Bill, Use, bill
from gateway.core.accounts.charges import cents
from gateway.core.accounts.contract import Contract
from gateway.core.accounts.spans import months, spans
from gateway.core.pricing.kind import NO_POINTS, PriceSources
from gateway.core.pricing.kinds import listed
from gateway.core.pricing.tariff import PriceList
from gateway.site.file.declared import keys, made, section_of

PARIS = ZoneInfo("Europe/Paris")


def contract(
    name: str, *, kva: float, network: str | None = None, only: date | None = None, sell: float = 0.0, **own: object
) -> Contract:
    """Of a shipped list; `only`: the list of that day, for ever."""
    file = tariffs.find(name, Path("nowhere"))
    lists = file.lists({})
    subscriptions = file.subscriptions(kva)
    if only is not None:
        lists = tuple(PriceList(first=date.min, prices=row.prices) for row in lists if row.first == only)
        subscriptions = tuple(replace(row, first=date.min) for row in subscriptions if row.first == only)
    kind = listed()[file.kind]
    names = {key.name for key in keys(kind.settings)}
    section = section_of(kind.settings).model_validate(own)
    settings = made(kind.settings, {name: getattr(section, name) for name in names})
    built = settings.tariff(PriceSources(zone=PARIS, lists=lists, sell=sell, points=NO_POINTS))
    assert file.taxes is not None
    return Contract(
        zone=PARIS,
        tariff=built,
        lists=lists,
        subscriptions=subscriptions,
        known_until=None if only is not None else file.known_until,
        levies=taxes.load(file.taxes).levies(network, kva),
    )


def uses(first: date, end: date, energy: Callable[[datetime], tuple[float, float, str | None]]) -> Iterator[Use]:
    """Each quarter hour of local days: `energy` gives import, export (Wh) and the period of a local moment."""
    moment_s = int(datetime(first.year, first.month, first.day, tzinfo=PARIS).timestamp())
    while (local := datetime.fromtimestamp(moment_s, PARIS)).date() < end:
        imported, exported, period = energy(local)
        yield Use(start_s=moment_s, import_wh=imported, export_wh=exported, period=period)
        moment_s += 900


def rows(found: Bill) -> list[tuple[str, str, str, str]]:
    return sorted((line.what, line.period, str(line.quantity), str(line.amount)) for line in found.lines)


MOVED = [{"hours": ["22:00-06:00"], "end": date(2025, 8, 11)}, {"hours": ["02:00-07:00", "13:00-16:00"]}]


def test_the_first_bill_by_hand_has_a_change_of_prices_of_vat_and_of_hours_inside() -> None:
    """docs/bill.md, "HP/HC, 21 July to 20 August 2025": each figure was computed there with a pocket calculator."""
    agreed = contract("edf_hphc", kva=6, network="CU4", off_peak=MOVED)
    day = (date(2025, 7, 21), date(2025, 8, 21))
    found = bill(uses(*day, lambda at: (1000.0 if at.hour in (13, 14) else 100.0, 0.0, None)), agreed, *day)
    assert rows(found) == sorted(
        [
            ("subscription", "", "0.3548", "4.98"),
            ("subscription", "", "0.6452", "10.15"),
            ("energy", "HP", "149.600", "32.10"),
            ("energy", "HC", "35.200", "5.97"),
            ("energy", "HP", "200.000", "41.62"),
            ("energy", "HC", "136.000", "22.24"),
        ]
    )
    assert (found.total, found.is_confirmed, found.missing) == (Decimal("117.06"), True, ())
    parts = found.parts
    assert parts is not None
    assert (parts.network_fixed, parts.network_energy, parts.levy, parts.excise, parts.vat) == tuple(
        map(Decimal, ("8.46", "7.64", "1.86", "16.30", "18.94"))
    )


RED = [date(2025, 12, 31), *(date(2026, 1, day) for day in (5, 6, 7, 26, 28, 29))]


def colour(at: datetime) -> str:
    day = at.date() if at.hour >= 6 else at.date() - timedelta(days=1)
    return f"TEMPO_{'RED' if day in RED else 'BLUE'}_{'HP' if 6 <= at.hour < 22 else 'HC'}"


def test_the_second_bill_by_hand_is_tempo_with_surplus() -> None:
    """docs/bill.md, "Tempo, January 2026": the night before the first belongs to a red 31 December."""
    agreed = contract("edf_tempo", kva=9, sell=0.04)
    day = (date(2026, 1, 1), date(2026, 2, 1))
    found = bill(uses(*day, lambda at: (200.0, 50.0 if 11 <= at.hour < 14 else 0.0, colour(at))), agreed, *day)
    assert rows(found) == sorted(
        [
            ("subscription", "", "1.0000", "19.49"),
            ("energy", "TEMPO_BLUE_HC", "155.200", "19.12"),
            ("energy", "TEMPO_BLUE_HP", "320.000", "47.81"),
            ("energy", "TEMPO_RED_HC", "43.200", "6.31"),
            ("energy", "TEMPO_RED_HP", "76.800", "49.67"),
            ("surplus", "", "18.600", "-0.74"),
        ]
    )
    assert found.total == Decimal("141.66")


@pytest.mark.parametrize(
    ("name", "wh", "total"),
    [
        ("edf_base", {"BASE": 3_000_000.0}, "769.80"),  # 12 x 15.65 + 3000 x 0.1940
        ("edf_hphc", {"HP": 2_000_000.0, "HC": 1_000_000.0}, "758.70"),  # 12 x 15.65 + 2000 x 0.2065 + 1000 x 0.1579
    ],
)
def test_a_year_at_the_prices_of_february_2026(name: str, wh: dict[str, float], total: str) -> None:
    own = {"off_peak": [{"hours": ["22:00-06:00"]}]} if name == "edf_hphc" else {}
    agreed = contract(name, kva=6, only=date(2026, 2, 1), **own)
    day = (date(2026, 2, 1), date(2027, 2, 1))
    hours = {"HC": 8 / 24, "HP": 16 / 24, "BASE": 1.0}

    def energy(at: datetime) -> tuple[float, float, None]:
        period = "BASE" if name == "edf_base" else "HC" if at.hour >= 22 or at.hour < 6 else "HP"
        return wh[period] / (365 * 96 * hours[period]), 0.0, None

    assert bill(uses(*day, energy), agreed, *day).total == Decimal(total)


def test_the_levy_on_the_fixed_network_part_is_the_published_example() -> None:
    """CU4 and 6 kVA: 99.46 a year without VAT; 14.92 at 15 %, 21.81 at 21.93 %."""
    levies = taxes.load("france").levies("CU4", 6)
    row = levies.network[-1]
    assert row.eur_per_year == Decimal("99.46")
    assert [cents(row.eur_per_year * levy.rate) for levy in levies.levy] == [Decimal("21.81"), Decimal("14.92")]


def test_after_the_last_day_that_was_read_nothing_is_said_to_be_sure() -> None:
    agreed = contract("edf_base", kva=6, network="CU")
    day = (date(2026, 7, 25), date(2026, 8, 5))
    found = bill(uses(*day, lambda _: (100.0, 0.0, None)), agreed, *day)
    assert {(line.first, line.last, line.is_confirmed) for line in found.lines} == {
        (date(2026, 7, 25), date(2026, 7, 31), True),
        (date(2026, 8, 1), date(2026, 8, 4), False),
    }
    assert not found.is_confirmed
    assert found.parts is not None
    assert {found.parts.excise, found.parts.vat, found.parts.levy, found.parts.network_fixed} == {None}


@pytest.mark.parametrize(("day", "quarters"), [(date(2026, 3, 29), 92), (date(2025, 10, 26), 100)])
def test_days_of_23_and_25_hours_are_billed_whole(day: date, quarters: int) -> None:
    agreed = contract("edf_hphc", kva=6, off_peak=[{"hours": ["22:00-06:00"]}])
    end = day + timedelta(days=1)
    found = bill(uses(day, end, lambda _: (100.0, 0.0, None)), agreed, day, end)
    kwh = {line.period: line.quantity for line in found.lines if line.what == "energy"}
    # HP 06 to 22 h always are 64 quarter hours; the night has 7 h in March and 9 h in October
    assert kwh == {"HP": Decimal("6.400"), "HC": Decimal(quarters - 64) / 10}


def test_a_change_inside_of_a_quarter_hour_is_shared_by_time_and_said() -> None:
    agreed = contract("edf_hphc", kva=6, off_peak=[{"hours": ["22:38-06:38"]}])
    day = (date(2026, 3, 2), date(2026, 3, 3))
    found = bill(uses(*day, lambda _: (150.0, 0.0, None)), agreed, *day)
    kwh = {line.period: line.quantity for line in found.lines if line.what == "energy"}
    assert kwh == {"HP": Decimal("9.600"), "HC": Decimal("4.800")}  # 16 and 8 hours, to the minute
    assert found.shared_wh == pytest.approx(300.0)  # two quarter hours


def test_what_is_not_known_is_missing_and_not_0() -> None:
    agreed = contract("edf_base", kva=6)
    day = (date(2026, 3, 2), date(2026, 3, 3))
    some = list(uses(*day, lambda _: (100.0, 0.0, None)))[:90]
    found = bill([*some[1:], replace(some[0], import_wh=None)], agreed, *day)
    assert len(found.missing) == 7
    assert found.missing[0] == some[0].start_s
    assert sum(line.quantity for line in found.lines if line.what == "energy") == Decimal("8.900")


def test_a_colour_that_nobody_knows_is_the_dearest_one_and_said() -> None:
    agreed = contract("edf_tempo", kva=6)
    day = (date(2026, 1, 5), date(2026, 1, 6))  # a Monday: red is possible
    found = bill(uses(*day, lambda _: (100.0, 0.0, None)), agreed, *day)
    assumed = [line for line in found.lines if line.is_assumed]
    assert {line.period for line in assumed} == {"TEMPO_RED_HP", "TEMPO_RED_HC"}
    assert not found.is_confirmed


def test_without_subscribed_power_the_bill_says_that_it_lacks_the_subscription() -> None:
    agreed = replace(contract("edf_base", kva=6), subscriptions=())
    day = (date(2026, 3, 2), date(2026, 3, 3))
    assert bill(uses(*day, lambda _: (100.0, 0.0, None)), agreed, *day).lacks_subscription


@given(first=st.dates(date(2024, 2, 1), date(2026, 7, 1)), days=st.integers(1, 40), cut=st.integers(1, 39))
def test_months_add_up_however_they_are_cut(first: date, days: int, cut: int) -> None:
    last = first + timedelta(days=days - 1)
    middle = first + timedelta(days=min(cut, days) - 1)
    rest = months(middle + timedelta(days=1), last) if middle < last else 0
    assert months(first, middle) + rest == months(first, last)
    assert sum(span.days for span in spans(first, last + timedelta(days=1), [middle])) == days


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68")])
def test_cents_are_rounded_halves_up(amount: str, rounded: str) -> None:
    assert cents(Decimal(amount)) == Decimal(rounded)


def test_moments_are_those_of_utc() -> None:
    found = bill([], contract("edf_base", kva=6), date(2026, 3, 29), date(2026, 3, 30))
    assert datetime.fromtimestamp(found.start_s, UTC).isoformat() == "2026-03-28T23:00:00+00:00"
    assert (found.end_s - found.start_s) // 900 == 92
