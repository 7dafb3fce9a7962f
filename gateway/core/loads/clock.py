"""Times of the local clock as moments (UTC), right on days of 23 and 25 hours."""

from datetime import datetime, timedelta, tzinfo

DAY_S = 86_400.0  # of UTC; a local day may be an hour longer, which the searches below allow for


def minutes(clock: str) -> int:
    """Minutes of the day."""
    return int(clock[:2]) * 60 + int(clock[3:])


def hours_between(earliest: str, latest: str) -> float:
    """Length of the time between two clocks (h); of the same two a whole day."""
    return (minutes(latest) - minutes(earliest)) % (24 * 60) / 60 or 24.0


def next_clock(after_s: float, clock: str, zone: tzinfo) -> float:
    """The next moment (UTC) after another one at which local clocks show this time."""
    local = datetime.fromtimestamp(after_s, zone)
    minute = minutes(clock)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        at_s = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).timestamp()
        if at_s > after_s:
            return at_s
    raise ValueError(f"no {clock} after {after_s}")


def clock_before(before_s: float, clock: str, zone: tzinfo) -> float:
    """The last moment (UTC) before another one, at most a day of 25 h back, at which local clocks showed this time."""
    at_s = next_clock(before_s - DAY_S - 7200.0, clock, zone)
    while (later_s := next_clock(at_s, clock, zone)) < before_s:
        at_s = later_s
    return at_s


def last_clock(utc_s: float, clock: str, zone: tzinfo) -> float:
    """The last moment (UTC) up to this one at which local clocks showed that time."""
    at_s = next_clock(utc_s - DAY_S - 3600.0, clock, zone)
    while (later_s := next_clock(at_s, clock, zone)) <= utc_s:
        at_s = later_s
    return at_s
