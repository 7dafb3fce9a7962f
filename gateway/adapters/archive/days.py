"""Local days, which follow from their quarter hours: of 23, 24 and 25 hours, made anew when a quarter comes late."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.adapters.archive.schema import FLOWS, QUARTER_S

_FLOWS = ", ".join(FLOWS)
_SUMS = ", ".join(f"SUM({name})" for name in FLOWS)


def day_of(utc_s: float, zone: tzinfo) -> date:
    """The local day of a moment."""
    return datetime.fromtimestamp(utc_s, zone).date()


def bounds(day: date, zone: tzinfo) -> tuple[int, int]:
    """From its midnight to the next one (UTC seconds)."""
    begin, end = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return int(begin.timestamp()), int(end.timestamp())


def make_days(db: sqlite3.Connection, days: Iterable[date], zone: tzinfo) -> None:
    """Write the days anew from the quarters that are there. To be called in a transaction."""
    for day in days:
        begin, end = bounds(day, zone)
        span = (begin // QUARTER_S, end // QUARTER_S)
        key = _key(day)
        db.execute(
            f"INSERT OR REPLACE INTO days (day, start, until, quarters, used, {_FLOWS}, curtailed)"  # noqa: S608 - ours
            f" SELECT ?, ?, ?, COUNT(*), SUM(used), {_SUMS}, SUM(curtailed) FROM quarters WHERE t >= ? AND t < ?",
            (key, begin, end, *span),
        )
        db.execute("DELETE FROM device_days WHERE day = ?", (key,))
        db.execute(
            "INSERT INTO device_days SELECT ?, device, SUM(drawn), SUM(given), COUNT(drawn + given)"
            " FROM device_quarters WHERE t >= ? AND t < ? GROUP BY device",
            (key, *span),
        )
        db.execute("DELETE FROM load_days WHERE day = ?", (key,))
        db.execute(
            "INSERT INTO load_days SELECT ?, load, SUM(used), SUM(sun), SUM(battery), COUNT(used)"
            " FROM load_quarters WHERE t >= ? AND t < ? GROUP BY load",
            (key, *span),
        )


def make_all(db: sqlite3.Connection, zone: tzinfo) -> None:
    """All days anew, as where the building's time zone has changed. To be called in a transaction."""
    found = {day_of(t * QUARTER_S, zone) for (t,) in db.execute("SELECT DISTINCT t / 4 * 4 FROM quarters")}
    for table in ("days", "device_days", "load_days"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names are ours
    make_days(db, sorted(found), zone)


def _key(day: date) -> int:
    """As the tables have it: 20261025."""
    return int(day.strftime("%Y%m%d"))
