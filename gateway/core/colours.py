"""Tempo colours from what the meter says: today's and tomorrow's, each for the day on which it begins at 06:00."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

from gateway.core.periods import TEMPO_TURN_H, Colour

KEPT_DAYS = 3
SETTLED_MIN = TEMPO_TURN_H * 60 + 10  # the meter and this clock may turn some minutes apart


def learn(
    known: Mapping[date, Colour], *, utc_s: float, zone: tzinfo, today: float | None, tomorrow: float | None
) -> Mapping[date, Colour]:
    """Known colours after a look at the meter (0 or None: it does not say); days long past are forgotten.

    Before 06:10 nothing is learnt: whether a meter's "today" is that of the calendar or of the tariff differs then.
    """
    local = datetime.fromtimestamp(utc_s, zone)
    if local.hour * 60 + local.minute < SETTLED_MIN:
        return known
    day = local.date()
    told = {day: today, day + timedelta(days=1): tomorrow}
    fresh = {each: Colour(int(colour)) for each, colour in told.items() if colour}
    oldest = day - timedelta(days=KEPT_DAYS)
    return {each: colour for each, colour in {**known, **fresh}.items() if each >= oldest}
