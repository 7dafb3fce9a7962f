"""EJP (effacement des jours de pointe): 22 days of winter with dear hours, called the day before or later.

Source: arrêté of 30 October 2014 on regulated tariffs, article 3: 22 days between 1 November and 31 March, each with
18 hours of mobile peak from 07:00 to 01:00 of the next morning; one price at all other hours. The option is closed.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from gateway.core.model.state import SiteState
from gateway.core.pricing.called_days import CalledDays, Days
from gateway.core.pricing.kind import PriceSources, TariffKind, by_words
from gateway.core.pricing.periods import Window, in_season
from gateway.core.pricing.tariff import ListTariff


class EjpDay(IntEnum):
    """The type of a day under EJP: normal or mobile peak."""

    NORMAL = 1
    PEAK = 2


NORMAL, PEAK = "EJP_HN", "EJP_PM"  # prices: heures normales, (heures de) pointe mobile
SEASON = ((11, 1), (3, 31))  # 1 November to 31 March (article 3, see above)
PEAK_HOURS = Window(begin_min=7 * 60, end_min=1 * 60)  # 07:00 to 01:00 (article 3, see above)
NOTICE_MIN = 30  # so long before a peak the meter gives notice (PEJP)
SETTLE_MIN = 10  # the meter and this clock may turn some minutes apart
METER_FRESH_S = 120.0  # oldest age of what the meter shows: read every 10 s
PTEC_NORMAL, PTEC_PEAK = 3, 4  # "HN..", "PM.." of the mode historique
INDEX_NORMAL, INDEX_PEAK = 1, 2  # supplier's index in the mode standard (EASF01 is EJPHN, EASF02 is EJPHPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejp:
    """The scheme of EJP. On a winter day that is not known yet both prices are possible from 07:00 to 01:00."""

    days: Days  # by the day on which a peak begins at 07:00

    @property
    def names(self) -> tuple[str, ...]:
        """Normal hours and mobile peak."""
        return (NORMAL, PEAK)

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """The name of the moment; both where it is not known whether its day is called."""
        minute = local.hour * 60 + local.minute
        if not PEAK_HOURS.holds(minute):
            return (NORMAL,)
        day = local.date() if minute >= PEAK_HOURS.begin_min else local.date() - timedelta(days=1)
        known = self.days.get(day)
        types = possible_types(day) if known is None else (known,)
        return tuple(PEAK if type_ == EjpDay.PEAK else NORMAL for type_ in types)

    def turns_min(self) -> tuple[int, ...]:
        """01:00 and 07:00, and midnight, where the season ends on a day that is not known."""
        return (0, PEAK_HOURS.end_min, PEAK_HOURS.begin_min)


def possible_types(day: date) -> tuple[EjpDay, ...]:
    """Types that the rules allow: they exclude no day of the week."""
    return (EjpDay.NORMAL, EjpDay.PEAK) if in_season(day, SEASON) else (EjpDay.NORMAL,)


def meter_days(state: SiteState, meter: str, local: datetime) -> Days:
    """The day by the meter's notice or by the hours that run now; nothing near the changes at 01:00 and 07:00.

    Both modes of the telegram have it; the mode standard by its status word as well. That no peak is noted there
    proves nothing by itself: a meter whose supplier does not use the word shows none.
    """
    minute = local.hour * 60 + local.minute
    peak, normal = _running(state, meter)
    if PEAK_HOURS.begin_min - NOTICE_MIN <= minute < PEAK_HOURS.begin_min:
        is_noticed = bool(state.value(meter, "peak_notice", max_age_s=METER_FRESH_S))
        return {local.date(): EjpDay.PEAK} if is_noticed else {}
    if PEAK_HOURS.end_min - SETTLE_MIN <= minute < PEAK_HOURS.begin_min + SETTLE_MIN or not (peak or normal):
        return {}
    day = local.date() if minute >= PEAK_HOURS.begin_min else local.date() - timedelta(days=1)
    return {day: EjpDay.PEAK if peak else EjpDay.NORMAL}


def _running(state: SiteState, meter: str) -> tuple[bool, bool]:
    """Whether the meter says that a peak runs, and whether it says that normal hours run."""
    tariff = state.value(meter, "tariff", max_age_s=METER_FRESH_S)
    peak = tariff in (PTEC_PEAK, INDEX_PEAK) or bool(state.value(meter, "peak_running", max_age_s=METER_FRESH_S))
    return peak, tariff in (PTEC_NORMAL, INDEX_NORMAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EjpSettings:
    """22 days of winter on which the hours from 07:00 to 01:00 are dear; one price at all other hours.

    The meter announces a peak half an hour before. Until then every day from 1 November to 31 March is
    assumed to be one. Normal hours in the running tariff mean that a day is none.
    """

    def tariff(self, sources: PriceSources) -> ListTariff:
        """The days that are known; the others of the season as peaks."""
        return sources.listed(Ejp(days=sources.days))


KIND = TariffKind(
    id="ejp",
    names=(NORMAL, PEAK),
    settings=EjpSettings,
    example='[tariff]\nfile = "edf_ejp"',
    called=CalledDays(
        words=by_words((EjpDay.NORMAL, "normal normale"), (EjpDay.PEAK, "peak pointe ejp")),
        begin_min=PEAK_HOURS.begin_min,
        announced_min=PEAK_HOURS.begin_min - NOTICE_MIN,
        possible=possible_types,
        meter=meter_days,
    ),
)
