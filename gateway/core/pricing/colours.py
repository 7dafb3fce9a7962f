"""Tempo colours from what the meter says: today's and tomorrow's, each for the day on which it begins at 06:00."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

from gateway.core.model.state import SiteState
from gateway.core.pricing.periods import TEMPO_TURN_H, Colour

KEPT_DAYS = 3
COLOUR_S = 120.0  # asked every 10 s; an older one may be that of the day before
PTEC_BLUE = 5
SETTLED_MIN = TEMPO_TURN_H * 60 + 10  # the meter and this clock may turn some minutes apart


def meter_colours(state: SiteState, meter: str) -> tuple[float | None, float | None]:
    """Today's and tomorrow's colour as the meter last said them (0: it does not say), None where it has no such point.

    In the mode historique today's is part of the running tariff (`PTEC`: HCJB is 5, HPJB 6, … HPJR 10).
    """
    today = state.value(meter, "tempo_today", max_age_s=COLOUR_S)
    running = state.value(meter, "tariff", max_age_s=COLOUR_S)
    if today is None and running is not None and running >= PTEC_BLUE:
        today = float((running - PTEC_BLUE) // 2 + 1)
    return today, state.value(meter, "tempo_tomorrow", max_age_s=COLOUR_S)


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
