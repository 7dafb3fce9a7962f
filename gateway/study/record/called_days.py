"""Types of past days, such as Tempo colours, as a person brings them: a file with a row for each day."""

from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from gateway.core.pricing.called_days import CalledDays, Days
from gateway.simulator.recordings.table_file import TableFileError, read_columns, read_names
from gateway.study.record.errors import InputError, no_columns, no_table

COLUMNS = ("day", "colour")


def read_days(path: Path, called: CalledDays | None) -> Days:
    """Columns `day` (ISO) and `colour`, which is a word or a number of the kind. InputError in plain words.

    Without a kind that calls its days the file is read all the same, so that a wrong name is found; it changes nothing.
    """
    try:
        names = read_names(path)
        if not set(COLUMNS) <= set(names):
            raise no_columns(path, ", ".join(COLUMNS), names)
        columns = read_columns(path, COLUMNS)
    except TableFileError as error:
        raise no_table(path, error) from error
    if called is None:
        return {}
    found = {}
    for row, (day, colour) in enumerate(zip(columns["day"], columns["colour"], strict=True), start=2):
        try:
            found[date.fromisoformat(str(day).strip())] = called.words[str(colour).strip().lower()]
        except (ValueError, KeyError) as error:
            facts = {"row": str(row), "found": f"{day},{colour}", "known": ", ".join(called.words)}
            raise InputError(path, "colour", **facts) from error
    return found


def announced_until(called: CalledDays, utc_s: float, zone: tzinfo) -> float:
    """When the last day ends (UTC) whose type has been announced at a moment: a record has no meter that says so."""
    local = datetime.fromtimestamp(utc_s, zone)
    since_midnight = local.hour * 60 + local.minute
    last = local.date() + timedelta(days=(since_midnight - called.announced_min) // (24 * 60))
    begin = time(called.begin_min // 60, called.begin_min % 60)
    return datetime.combine(last + timedelta(days=1), begin, zone).timestamp()
