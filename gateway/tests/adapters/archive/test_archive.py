"""What is given to the archive is what it says later: to its resolution, over restarts, late quarters and long days."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.adapters.archive.archive import AWAY, Archive
from gateway.adapters.archive.reader import ArchiveReader
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.adapters.archive.writing import COUNTER_EPOCH
from gateway.core.accounts.quarter_account import DeviceEnergy, EnergySource, LoadEnergy, QuarterAccount
from gateway.tests.adapters.archive.made_up import ACCOUNTS, DECISIONS, EVENTS, realistic

PARIS = ZoneInfo("Europe/Paris")
ALL = (0.0, 4e9)
FOUND = (Phase.reuse, Phase.generate)  # to make one smaller would write files for minutes
PER_RUN = [HealthCheck.function_scoped_fixture]


def fresh(tmp_path: Path) -> Path:
    for one in tmp_path.glob("h.sqlite*"):
        one.unlink()
    return tmp_path / "h.sqlite"


def kept(path: Path, *, accounts=(), decisions=(), events=(), alive_s: float | None = None, zone=PARIS) -> None:
    """One run of a gateway."""
    with closing(Archive(path, zone=zone)) as archive:
        archive.save_accounts(accounts)
        archive.save_decisions(decisions)
        archive.save_events(events)
        if alive_s is not None:
            archive.is_alive(alive_s)
        assert asyncio.run(archive.flush()) is True
        assert (archive.trouble, archive.lost) == (None, 0)


def near(found: float | None, given_: float | None, within: float) -> bool:
    return found is given_ is None or (found is not None and given_ is not None and abs(found - given_) <= within)


@settings(max_examples=30, phases=FOUND, suppress_health_check=PER_RUN)
@given(st.lists(ACCOUNTS, max_size=8))
def test_quarter_hours_are_read_as_they_were_given(tmp_path: Path, accounts: Sequence[QuarterAccount]) -> None:
    path = fresh(tmp_path)
    kept(path, accounts=accounts)
    newest = {account.start_s: account for account in accounts}
    found = ArchiveReader(path).quarters(*ALL)
    assert [one.start_s for one in found] == sorted(newest)
    for one in found:
        given_ = newest[one.start_s]
        assert {id_: device.source for id_, device in one.devices.items()} == {
            id_: device.source for id_, device in given_.devices.items()
        }
        assert one.loads.keys() == given_.loads.keys()
        pairs = [
            *((getattr(one, name), getattr(given_, name)) for name in ("used_wh", "curtailed_wh", "stored_wh")),
            *((one.devices[id_].drawn_wh, device.drawn_wh) for id_, device in given_.devices.items()),
            *((one.devices[id_].given_wh, device.given_wh) for id_, device in given_.devices.items()),
            *((one.loads[id_].of_sun_wh, load.of_sun_wh) for id_, load in given_.loads.items()),
        ]
        assert all(near(*pair, 0.0501) for pair in pairs)
        assert (one.flows is None) == (given_.flows is None)
        if one.flows and given_.flows:
            for name in type(one.flows).__dataclass_fields__:
                assert near(getattr(one.flows, name), getattr(given_.flows, name), 0.0501)
        assert near(one.seen, given_.seen, 0.000501)
        assert near(one.co2_g_per_kwh, given_.co2_g_per_kwh, 0.0501)
        assert (one.price and one.price.period) == (given_.price and given_.price.period)
        if one.price and given_.price:
            assert near(one.price.buy, given_.price.buy, 5.01e-7)
            assert near(one.price.sell, given_.price.sell, 5.01e-7)
        assert (one.epochs, one.notes) == (given_.epochs, given_.notes)
    epochs = {(account.start_s, device) for account in newest.values() for device in account.epochs}
    told = ArchiveReader(path).events(*ALL)
    assert {(event.since_s, event.device) for event in told} == epochs
    assert {event.kind for event in told} <= {COUNTER_EPOCH}


@settings(max_examples=20, phases=FOUND, suppress_health_check=PER_RUN)
@given(st.lists(DECISIONS, max_size=6), st.lists(EVENTS, max_size=6))
def test_decisions_and_events_are_read_as_they_were_given(
    tmp_path: Path, decisions: Sequence[Decision], events: Sequence[HistoryEvent]
) -> None:
    path = fresh(tmp_path)
    kept(path, decisions=decisions, events=events)
    rounded = {
        (one.device, one.since_s): replace(one, numbers={name: _rounded(n) for name, n in one.numbers.items()})
        for one in decisions
    }
    found = ArchiveReader(path).decisions(*ALL)
    assert {(one.device, one.since_s): one for one in found} == rounded
    assert [one.since_s for one in found] == sorted(one.since_s for one in found)
    newest = {(one.kind, one.device, one.since_s): one.until_s for one in events}
    assert {(one.kind, one.device, one.since_s): one.until_s for one in ArchiveReader(path).events(*ALL)} == newest


def _rounded(number: float | str) -> float | str:
    """Four digits, three places."""
    if isinstance(number, str):
        return number
    digits = len(str(int(abs(number))))
    return round(number, max(0, 4 - digits))


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-07-14", 96), ("2026-10-25", 100)])
def test_a_day_is_the_sum_of_its_quarter_hours_however_many_it_has(tmp_path: Path, day: str, quarters: int) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=PARIS)
    first = int((begin - timedelta(hours=6)).astimezone(UTC).timestamp())
    accounts = list(realistic(first, 24 * 4 + 60, devices=3))
    kept(tmp_path / "h.sqlite", accounts=accounts)
    totals = {one.day: one for one in ArchiveReader(tmp_path / "h.sqlite").days(*ALL)}
    assert list(totals) == sorted(totals)
    assert len(totals) == 3
    one = totals[day]
    assert (one.quarters, one.expected) == (quarters, quarters)
    inside = [
        account
        for account in accounts
        if datetime.fromtimestamp(account.start_s, PARIS).date().isoformat() == day  # an oracle that knows no bounds
    ]
    assert len(inside) == quarters
    assert one.used_wh == pytest.approx(sum(account.used_wh or 0 for account in inside), abs=0.05 * quarters)
    assert one.flows is not None
    assert one.flows.pv_to_load_wh == pytest.approx(
        sum(account.flows.pv_to_load_wh for account in inside if account.flows), abs=0.05 * quarters
    )
    for id_, device in one.devices.items():
        drawn = sum(account.devices[id_].drawn_wh or 0 for account in inside)
        assert device.drawn_wh == pytest.approx(drawn, abs=0.05 * quarters)
        assert device.quarters == quarters


def test_a_quarter_that_comes_late_or_again_changes_its_day(tmp_path: Path) -> None:
    path, start_s = tmp_path / "h.sqlite", 1_784_066_400  # 2026-07-15 00:00 in Paris
    accounts = list(realistic(start_s, 96, devices=2))
    kept(path, accounts=[*accounts[:10], *accounts[11:]])
    [before] = ArchiveReader(path).days(*ALL)
    assert (before.day, before.quarters, before.expected) == ("2026-07-15", 95, 96)
    late = replace(accounts[10], used_wh=1234.5)
    kept(path, accounts=[late])
    kept(path, accounts=[late])
    [after] = ArchiveReader(path).days(*ALL)
    assert after.quarters == 96
    assert after.used_wh is not None
    assert before.used_wh is not None
    assert after.used_wh - before.used_wh == pytest.approx(1234.5)
    kept(path, accounts=[replace(late, used_wh=None, devices={}, flows=None)])
    [again] = ArchiveReader(path).days(*ALL)
    assert again.used_wh == pytest.approx(before.used_wh)
    assert {one.quarters for one in again.devices.values()} == {95}


def test_what_is_not_known_of_any_quarter_is_not_known_of_the_day(tmp_path: Path) -> None:
    empty = QuarterAccount(
        start_s=1_784_066_400,
        devices={"grid": DeviceEnergy(drawn_wh=None, given_wh=None, source=EnergySource.UNKNOWN)},
        loads={"car": LoadEnergy(used_wh=None, of_sun_wh=None, of_battery_wh=None)},
        used_wh=None,
        flows=None,
        curtailed_wh=None,
    )
    kept(tmp_path / "h.sqlite", accounts=[empty])
    [day] = ArchiveReader(tmp_path / "h.sqlite").days(*ALL)
    assert (day.used_wh, day.flows, day.curtailed_wh, day.quarters) == (None, None, None, 1)
    assert (day.devices["grid"].drawn_wh, day.devices["grid"].quarters) == (None, 0)
    assert (day.loads["car"].used_wh, day.loads["car"].quarters) == (None, 0)


def test_another_time_zone_makes_all_days_anew(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    kept(path, accounts=list(realistic(1_784_066_400, 96, devices=1)))
    assert [one.day for one in ArchiveReader(path).days(*ALL)] == ["2026-07-15"]
    kept(path, zone=ZoneInfo("UTC"), alive_s=1_784_152_800)
    assert [(one.day, one.quarters) for one in ArchiveReader(path).days(*ALL)] == [
        ("2026-07-14", 8),
        ("2026-07-15", 88),
    ]


def test_what_a_run_left_open_ends_when_it_was_last_alive_and_the_time_without_one_is_an_event(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    decision = Decision(device="b", since_s=1e9, until_s=None, mode="hold", code="late_meter", power_w=None)
    silent = HistoryEvent(kind="device_silent", since_s=1e9 + 5, until_s=None, device="pv")
    kept(path, decisions=[decision], events=[silent], alive_s=1e9 + 50)
    kept(path, alive_s=1e9 + 5000)
    reader = ArchiveReader(path)
    assert [one.until_s for one in reader.decisions(*ALL)] == [1e9 + 50]
    assert [(one.kind, one.since_s, one.until_s) for one in reader.events(*ALL)] == [
        ("device_silent", 1e9 + 5, 1e9 + 50),
        (AWAY, 1e9 + 50, 1e9 + 5000),
    ]


def test_a_period_has_what_held_in_it(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    spans = [(100.0, 200.0), (200.0, 300.0), (300.0, None)]
    decisions = [
        Decision(device="b", since_s=begin, until_s=end, mode="control", code=f"code-{begin:.0f}", power_w=1.0)
        for begin, end in spans
    ]
    kept(path, decisions=decisions)
    reader = ArchiveReader(path)
    rows = [((0, 100), []), ((0, 101), [100]), ((150, 160), [100]), ((200, 250), [200]), ((900, 901), [300])]
    for (begin, end), codes in rows:
        assert [one.since_s for one in reader.decisions(begin, end)] == codes
    assert len(reader.decisions(0, 1000, most=2)) == 2


def test_ten_years_are_kept_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    now_s = 1_784_066_400
    old = [now_s - int(years * 365.25 * 86400) // 900 * 900 for years in (11, 10, 1)]
    for start_s in old:
        kept(path, accounts=list(realistic(start_s, 4, devices=1)))
    kept(path, alive_s=now_s)
    found = ArchiveReader(path)
    assert {one.start_s for one in found.quarters(*ALL)} == {start_s + 900 * i for start_s in old[1:] for i in range(4)}
    assert len(found.days(*ALL)) == 2


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    for reader in (ArchiveReader(None), ArchiveReader(tmp_path / "none.sqlite")):
        assert reader.quarters(*ALL) == reader.days(*ALL) == reader.decisions(*ALL) == reader.events(*ALL) == []
    with closing(Archive(None, zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(0, 1)))
        assert asyncio.run(archive.flush()) is True
