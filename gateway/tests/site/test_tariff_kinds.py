"""Each kind of tariff is whole, wherever kinds matter: a module alone, or a text forgotten, fails here."""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters import tariffs
from gateway.core.pricing import kinds as package
from gateway.core.pricing.kind import TariffKind
from gateway.core.pricing.kinds import kinds, listed
from gateway.core.pricing.tariff import ListTariff
from gateway.paths import config_folder
from gateway.site.assembly import prices as site_prices
from gateway.site.file import site_file
from gateway.words import LANGUAGES, words

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "gateway"
DEMO = (config_folder() / "demo" / "site.toml").read_text().partition("\n[tariff]")[0] + "\n"
PARIS = ZoneInfo("Europe/Paris")
ALL = pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.id)
LISTED = pytest.mark.parametrize("kind", listed().values(), ids=lambda kind: kind.id)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, site_file.SiteFile]:
    """A site with the example of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    found = {}
    for kind in kinds().values():
        path = folder / f"{kind.id}.toml"
        path.write_text(DEMO + kind.example + "\n")
        found[kind.id] = site_file.read(path)
    return found


def test_every_module_of_the_package_is_a_kind_and_is_registered() -> None:
    modules = {path.stem for path in Path(str(package.__file__)).parent.glob("*.py")} - {"__init__"}
    assert {kind.settings.__module__.rpartition(".")[2] for kind in kinds().values()} == modules
    assert all(id_ == kind.id for id_, kind in kinds().items())


def test_no_module_outside_asks_which_kind_a_tariff_is_of() -> None:
    """The id of a kind stands in its module alone; everybody else reads what the kind says."""
    unclear = {"base", "dynamic"}  # words of other matters, too
    ids = set(kinds()) - unclear
    asking = {
        f"{path.relative_to(GATEWAY)}:{node.lineno}"
        for path in GATEWAY.rglob("*.py")
        if "tests" not in path.parts and path.parent != Path(str(package.__file__)).parent
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ids
    }
    assert asking == set()


@ALL
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kind_and_its_prices_have_names_in_every_language(kind: TariffKind, language: str) -> None:
    rows = words(language)
    assert [key for key in (f"tariff.{kind.id}", *(f"price.{name}" for name in kind.names)) if not rows.get(key)] == []


@ALL
def test_a_kind_is_on_the_reference_pages(kind: TariffKind) -> None:
    page = (ROOT / "docs" / "reference" / "tariffs.md").read_text(encoding="utf-8")
    assert f"Kind `{kind.id}`." in page
    assert kind.example in page


@LISTED
def test_a_kind_has_a_list_of_prices_that_comes_with_the_gateway(kind: TariffKind) -> None:
    lists = [tariffs.load(path) for path in (config_folder() / "tariffs").glob("*.toml")]
    found = [one for one in lists if one.kind == kind.id]
    assert found
    assert all(one.sources and one.check for one in found)


@ALL
def test_the_example_of_a_kind_is_of_that_kind_and_prices_every_moment(
    kind: TariffKind, sites: dict[str, site_file.SiteFile]
) -> None:
    file = sites[kind.id]
    assert site_prices.kind(file) is kind
    tariff = site_prices.tariff(file, days={})
    for hour in range(0, 24 * 366, 7):
        rate = tariff.rate(1_756_000_000.0 + 3600 * hour)
        assert rate.name in kind.names
        assert 0 < rate.buy < 2


@ALL
def test_called_days_say_all_that_planning_and_studies_need(kind: TariffKind) -> None:
    called = kind.called
    if called is None:
        return
    assert 0 <= called.begin_min < 1440
    assert called.announced_min <= called.begin_min  # a type is announced before it holds
    types = set(called.words.values())
    assert all(str(int(type_)) in called.words for type_ in types)
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(366)]
    assert {type_ for day in days for type_ in called.possible(day)} == types


@given(moment=st.integers(1_700_000_000, 1_800_000_000), data=st.data(), known=st.booleans())
@settings(max_examples=25)  # each is a day, minute by minute
@LISTED
def test_candidates_are_names_and_change_at_turns_only(
    kind: TariffKind, sites: dict[str, site_file.SiteFile], moment: int, data: st.DataObject, *, known: bool
) -> None:
    days = {}
    if kind.called is not None and known:
        first = datetime.fromtimestamp(moment, PARIS).date() - timedelta(days=2)
        around = [first + timedelta(days=n) for n in range(5)]
        days = {day: data.draw(st.sampled_from(kind.called.possible(day))) for day in around}
    tariff = site_prices.tariff(sites[kind.id], days=days)
    assert isinstance(tariff, ListTariff)
    assert set(tariff.scheme.names) == set(kind.names)
    before = None
    for minute in range(26 * 60):
        local = datetime.fromtimestamp(moment // 60 * 60 + 60 * minute, UTC).astimezone(PARIS)
        found = tariff.scheme.candidates(local)
        assert found
        assert set(found) <= set(kind.names)
        assert len(found) == 1 or not days or kind.called is None
        if before is not None and found != before[1] and local.utcoffset() == before[0].utcoffset():
            assert local.hour * 60 + local.minute in (0, *tariff.scheme.turns_min()), local
        before = (local, found)


@ALL
def test_what_is_not_known_is_the_dearest_that_is_possible(
    kind: TariffKind, sites: dict[str, site_file.SiteFile]
) -> None:
    """Whatever is called in the end, the assumed price is never below it."""
    called = kind.called
    if called is None:
        return
    unknown = site_prices.tariff(sites[kind.id], days={})
    start_s = datetime(2025, 10, 20, tzinfo=PARIS).timestamp()
    for hour in range(24 * 60):
        utc_s = start_s + 3600 * hour
        day = called.day_of(datetime.fromtimestamp(utc_s, PARIS))
        prices = [
            site_prices.tariff(sites[kind.id], days={day: type_}).rate(utc_s).buy for type_ in called.possible(day)
        ]
        assert unknown.rate(utc_s).buy == max(prices)
        assert unknown.rate(utc_s).assumed == (len(set(prices)) > 1)
