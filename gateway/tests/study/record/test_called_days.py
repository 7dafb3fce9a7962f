"""Tempo colours of past days: files, days without a colour, and since when each is known."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.pricing.kinds.tempo import KIND, Colour
from gateway.study.record.called_days import announced_until, read_days
from gateway.study.record.errors import InputError

PARIS = ZoneInfo("Europe/Paris")
TEMPO = KIND.called
assert TEMPO is not None


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=PARIS).timestamp()


def test_colours_are_read_in_both_languages_and_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "colours.csv"
    file.write_text("colour,day\nBlue,2024-12-02\nrouge,2024-12-03\n2,2024-12-04\n")
    assert read_days(file, TEMPO) == {
        date(2024, 12, 2): Colour.BLUE,
        date(2024, 12, 3): Colour.RED,
        date(2024, 12, 4): Colour.WHITE,
    }


@pytest.mark.parametrize(
    ("content", "code", "found"),
    [
        ("date,colour\n2024-12-02,blue\n", "columns", "date, colour"),
        ("day,colour\n2024-12-02,blue\n2024-12-03,green\n", "colour", "2024-12-03,green"),
        ("day,colour\n02/12/2024,blue\n", "colour", "02/12/2024,blue"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_with_its_place(
    tmp_path: Path, content: str, code: str, found: str
) -> None:
    file = tmp_path / "colours.csv"
    file.write_text(content)
    with pytest.raises(InputError) as raised:
        read_days(file, TEMPO)
    assert raised.value.code == code
    assert raised.value.facts["found"] == found


def test_days_without_a_colour_are_named_but_for_sundays() -> None:
    known = {date(2024, 12, 6): Colour.RED}
    # from Friday 6 December 07:00 to Monday 9 December 06:00: Saturday is missing, Sunday is blue, Monday not begun
    assert TEMPO.unknown(known, at("2024-12-06T07:00"), at("2024-12-09T06:00"), PARIS) == [date(2024, 12, 7)]
    # until 06:00 it is still the day before
    assert TEMPO.unknown(known, at("2024-12-06T05:00"), at("2024-12-06T07:00"), PARIS) == [date(2024, 12, 5)]


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2024-12-03T03:00", "2024-12-04T06:00"),  # that of the 3rd was told in the evening of the 2nd
        ("2024-12-03T19:59", "2024-12-04T06:00"),
        ("2024-12-03T20:00", "2024-12-05T06:00"),
        ("2024-03-30T21:00", "2024-04-01T06:00"),  # over the change of the clock
    ],
)
def test_a_colour_is_known_from_the_evening_before(moment: str, until: str) -> None:
    assert datetime.fromtimestamp(announced_until(TEMPO, at(moment), PARIS), UTC) == datetime.fromtimestamp(
        at(until), UTC
    )


def test_a_kind_that_calls_no_days_takes_nothing_of_the_file_but_reports_that_it_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "colours.csv"
    file.write_text("day,colour\n2024-12-02,blue\n")
    assert read_days(file, None) == {}
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        read_days(tmp_path / "nowhere.csv", None)
