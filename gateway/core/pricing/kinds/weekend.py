"""Off-peak all day at weekends and on a chosen day of the week, beside the nightly hours of the meter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from gateway.core.pricing.kind import PriceSources, TariffKind
from gateway.core.pricing.off_peak import OffPeakRows, PeakOffPeak
from gateway.core.pricing.periods import SATURDAY, SUNDAY
from gateway.core.pricing.tariff import ListTariff

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekend:
    """The scheme with off-peak days: HC all day on some days of the week, on the others as the meter's hours say."""

    off_peak_days: frozenset[int]  # 0 Monday … 6 Sunday
    nights: PeakOffPeak | None  # None: the contract has no off-peak hours on other days

    @property
    def names(self) -> tuple[str, ...]:
        """Peak and off-peak."""
        return KIND.names

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """HP or HC; both on a day of the week of which the hours of the meter say nothing."""
        if local.weekday() in self.off_peak_days:
            return ("HC",)
        return ("HP",) if self.nights is None else self.nights.candidates(local)

    def turns_min(self) -> tuple[int, ...]:
        """Midnight, when days begin, and the hours of the meter."""
        return (0,) if self.nights is None else self.nights.turns_min()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekendSettings:
    """Off-peak on Saturdays and Sundays, from midnight to midnight, and on a `chosen_day` where the contract has one.

    `off_peak` are the hours of the other days, as on the bill; left out for a contract with one price on these days.
    A public holiday counts as any other day of its week.
    """

    off_peak: OffPeakRows = ()  # of the other days; empty: these have one price, that of peak hours
    chosen_day: Weekday | None = None  # off-peak all day as well; None: the contract has no such day

    def tariff(self, sources: PriceSources) -> ListTariff:
        """HP and HC by the day of the week and the hours of the meter."""
        days = {SATURDAY, SUNDAY}
        if self.chosen_day is not None:
            days.add(get_args(Weekday).index(self.chosen_day))
        nights = PeakOffPeak(rows=tuple(hours.row() for hours in self.off_peak)) if self.off_peak else None
        return sources.listed(Weekend(off_peak_days=frozenset(days), nights=nights))


KIND = TariffKind(
    id="weekend",
    names=("HP", "HC"),
    settings=WeekendSettings,
    example='[tariff]\nfile = "edf_zen_weekend_plus"\nchosen_day = "wednesday"\n\n'
    '[[tariff.off_peak]]\nhours = ["22:38-06:38"]',
)
