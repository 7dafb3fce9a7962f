"""What happens once a day by the local clock."""

from datetime import datetime


class Alarm:
    """Rings once on each date from its time of day on, also where summer time leaves that time out or doubles it.

    A time that is past when the building begins rings on the next date first.
    """

    def __init__(self, clock: str) -> None:
        self._minutes = minutes(clock)
        self._rung_on: int | None = None

    def rings(self, local: datetime) -> bool:
        """Ask at every step."""
        today, past = local.toordinal(), 60 * local.hour + local.minute >= self._minutes
        first = self._rung_on is None
        if first:
            self._rung_on = today if past else today - 1
        if first or not past or self._rung_on == today:
            return False
        self._rung_on = today
        return True


def minutes(clock: str) -> int:
    """Minutes of the day of "07:30"."""
    return 60 * int(clock[:2]) + int(clock[3:])


def between(local: datetime, begin: str, end: str) -> bool:
    """Whether a moment lies between two times of day, over midnight if need be."""
    now = 60 * local.hour + local.minute
    first, last = minutes(begin), minutes(end)
    return first <= now < last if first < last else now >= first or now < last
