"""Tempo colours of past days, as a person brings them: a file with a row for each day."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from gateway.core.pricing.periods import TEMPO_TURN_H, Colour, possible_colours, tempo_day
from gateway.simulator.recordings.table_file import TableFileError, read_columns, read_names
from gateway.study.record.errors import InputError, no_columns, no_table

TOLD_H = 20  # by then meters say tomorrow's colour; some say it earlier
COLUMNS = ("day", "colour")
NAMES = {
    **dict.fromkeys(("1", "blue", "bleu"), Colour.BLUE),
    **dict.fromkeys(("2", "white", "blanc"), Colour.WHITE),
    **dict.fromkeys(("3", "red", "rouge"), Colour.RED),
}


def read_colours(path: Path) -> dict[date, Colour]:
    """Columns `day` (ISO) and `colour`: a name in English or French, or 1 to 3. InputError in plain words."""
    try:
        names = read_names(path)
        if not set(COLUMNS) <= set(names):
            raise no_columns(path, ", ".join(COLUMNS), names)
        columns = read_columns(path, COLUMNS)
    except TableFileError as error:
        raise no_table(path, error) from error
    found = {}
    for row, (day, colour) in enumerate(zip(columns["day"], columns["colour"], strict=True), start=2):
        try:
            found[date.fromisoformat(str(day).strip())] = NAMES[str(colour).strip().lower()]
        except (ValueError, KeyError) as error:
            raise InputError(path, "colour", row=str(row), found=f"{day},{colour}") from error
    return found


def untold(colours: Mapping[date, Colour], start_s: float, end_s: float, zone: tzinfo) -> list[date]:
    """Days between two moments whose colour is neither told nor sure."""
    first, last = (tempo_day(datetime.fromtimestamp(moment, zone)) for moment in (start_s, end_s - 1.0))
    days = (first + timedelta(days=after) for after in range((last - first).days + 1))
    return [day for day in days if day not in colours and len(possible_colours(day)) > 1]


def told_until(utc_s: float, zone: tzinfo) -> float:
    """End (UTC) of the last day whose colour is known at a moment; days end at 06:00."""
    local = datetime.fromtimestamp(utc_s, zone)
    end = local.date() + timedelta(days=2 if local.hour >= TOLD_H else 1)
    return datetime.combine(end, time(TEMPO_TURN_H), zone).timestamp()
