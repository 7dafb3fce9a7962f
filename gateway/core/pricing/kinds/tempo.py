"""Tempo: blue, white and red days, called the day before, each from 06:00 to 06:00, with peak and off-peak hours."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from gateway.core.model.state import SiteState
from gateway.core.pricing.called_days import CalledDays, Days
from gateway.core.pricing.holidays import is_holiday
from gateway.core.pricing.kind import PriceSources, TariffKind, by_words
from gateway.core.pricing.periods import SATURDAY, SUNDAY, Window, in_season
from gateway.core.pricing.tariff import ListTariff


class Colour(IntEnum):
    """A Tempo day, numbered as the meter's status word numbers it (STGE, bits 24 to 27; 0 is "not known")."""

    BLUE = 1
    WHITE = 2
    RED = 3


RED_SEASON = ((11, 1), (3, 31))  # 1 November to 31 March, see `possible_colours`
PEAK = Window(begin_min=6 * 60, end_min=22 * 60)  # 06:00 to 22:00; a day's colour begins with them
ANNOUNCED_MIN = -4 * 60  # by 20:00 of the day before meters say the colour; some say it earlier
COLOUR_S = 120.0  # oldest age of what the meter shows: read every 10 s; an older one may be that of the day before
PTEC_BLUE = 5  # "HCJB" of the mode historique; the other colours and hours follow it
SETTLED_MIN = PEAK.begin_min + 10  # the meter and this clock may turn some minutes apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """The scheme of Tempo. On a day whose colour is not known yet all colours that the rules allow are possible."""

    colours: Days  # by the day on which the colour begins at 06:00

    @property
    def names(self) -> tuple[str, ...]:
        """Colour by colour, off-peak then peak."""
        return tuple(tempo_name(colour, hour) for colour in Colour for hour in ("HC", "HP"))

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """The name of the moment's colour and hour; several while the colour is not known."""
        minute = local.hour * 60 + local.minute
        day = local.date() if minute >= PEAK.begin_min else local.date() - timedelta(days=1)
        hour = "HP" if PEAK.holds(minute) else "HC"
        known = self.colours.get(day)
        colours = possible_colours(day) if known is None else (Colour(known),)
        return tuple(tempo_name(colour, hour) for colour in colours)

    def turns_min(self) -> tuple[int, ...]:
        """06:00 and 22:00."""
        return (PEAK.begin_min, PEAK.end_min)


def tempo_name(colour: Colour, hour: str) -> str:
    """For example TEMPO_RED_HP."""
    return f"TEMPO_{colour.name}_{hour}"


def possible_colours(day: date) -> tuple[Colour, ...]:
    """Colours that a day may have: Sundays are blue; red from 1 November to 31 March, on working days only.

    A public holiday is not red but may be white, as a Saturday.
    Source: arrêté of 30 October 2014, article 3 (season, Saturdays, Sundays); numerama.com, 2 December 2024;
    docs.tempo-forecast.mblq.cloud, "choix des couleurs".
    """
    if day.weekday() == SUNDAY:
        return (Colour.BLUE,)
    if day.weekday() == SATURDAY or is_holiday(day) or not in_season(day, RED_SEASON):
        return (Colour.BLUE, Colour.WHITE)
    return (Colour.BLUE, Colour.WHITE, Colour.RED)


def meter_colours(state: SiteState, meter: str) -> tuple[float | None, float | None]:
    """Today's and tomorrow's colour as the meter last showed them (0: it does not say), None without such a point.

    In the mode historique today's is part of the running tariff (`PTEC`: HCJB is 5, HPJB 6, … HPJR 10).
    """
    today = state.value(meter, "tempo_today", max_age_s=COLOUR_S)
    running = state.value(meter, "tariff", max_age_s=COLOUR_S)
    if today is None and running is not None and running >= PTEC_BLUE:
        today = float((running - PTEC_BLUE) // 2 + 1)
    return today, state.value(meter, "tempo_tomorrow", max_age_s=COLOUR_S)


def meter_days(state: SiteState, meter: str, local: datetime) -> Days:
    """The colours that the meter shows now, by their days.

    Nothing before 06:10: whether a meter's "today" is that of the calendar or of the tariff differs then.
    """
    if local.hour * 60 + local.minute < SETTLED_MIN:
        return {}
    today, tomorrow = meter_colours(state, meter)
    shown = {local.date(): today, local.date() + timedelta(days=1): tomorrow}
    return {day: Colour(int(colour)) for day, colour in shown.items() if colour}


@dataclass(frozen=True, slots=True, kw_only=True)
class TempoSettings:
    """Blue, white and red days, each from 06:00 to 06:00, with off-peak hours from 22:00 on.

    The meter shows the colour (`tempo_today`, `tempo_tomorrow`). Until it does, the dearest colour that is possible on
    that day is assumed: red on working days from November to March only, and never on a public holiday of all of
    France; Sundays are always blue.
    """

    def tariff(self, sources: PriceSources) -> ListTariff:
        """The colours that are known; the dearest possible ones of the other days."""
        return sources.listed(Tempo(colours=sources.days))


KIND = TariffKind(
    id="tempo",
    names=Tempo(colours={}).names,
    settings=TempoSettings,
    example='[tariff]\nfile = "edf_tempo"\n'
    "prices = { TEMPO_BLUE_HP = 0.1494, TEMPO_WHITE_HC = 0.1391, TEMPO_WHITE_HP = 0.1730, TEMPO_RED_HC = 0.1460 }",
    called=CalledDays(
        words=by_words((Colour.BLUE, "blue bleu"), (Colour.WHITE, "white blanc"), (Colour.RED, "red rouge")),
        begin_min=PEAK.begin_min,
        announced_min=ANNOUNCED_MIN,
        possible=possible_colours,
        meter=meter_days,
    ),
)
