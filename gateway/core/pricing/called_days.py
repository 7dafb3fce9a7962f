"""Days whose price is called shortly before, such as those of Tempo and EJP: what is known of them, and since when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from gateway.core.model.state import SiteState

Days = Mapping[date, int]
"""The type of each day that is known, numbered as its kind numbers them; a day that is absent is not known."""

KEPT_DAYS = 3  # a plan looks ahead, and at most back to the evening before


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledDays:
    """What the days of a kind are called, when they begin and what announces them."""

    words: Mapping[str, int]  # how people write a type in a file, in lower case -> the type
    begin_min: int  # minute of the local day at which its type begins to hold; it lasts until that of the next day
    announced_min: int  # minutes after the day's local midnight by which the meter shows its type; negative: before
    possible: Callable[[date], tuple[int, ...]]  # types that the rules allow for a day
    meter: Callable[[SiteState, str, datetime], Days]  # what the meter of this name shows at a local moment

    def day_of(self, local: datetime) -> date:
        """The day whose type holds at a local moment."""
        begun = local.hour * 60 + local.minute >= self.begin_min
        return local.date() if begun else local.date() - timedelta(days=1)

    def unknown(self, days: Days, start_s: float, end_s: float, zone: tzinfo) -> list[date]:
        """The days between two moments (UTC) whose type is neither known nor the only possible one."""
        first, last = (self.day_of(datetime.fromtimestamp(moment, zone)) for moment in (start_s, end_s - 1.0))
        all_days = (first + timedelta(days=after) for after in range((last - first).days + 1))
        return [day for day in all_days if day not in days and len(self.possible(day)) > 1]


def learn(known: Days, announced: Days, day: date) -> Days:
    """What is known on the local `day` after the meter has announced something; days long past are forgotten."""
    oldest = day - timedelta(days=KEPT_DAYS)
    return {each: type_ for each, type_ in {**known, **announced}.items() if each >= oldest}
