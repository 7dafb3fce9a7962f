"""What a building has agreed upon with its supplier, as a bill needs it."""

from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

from gateway.core.accounts.charges import Levies, Subscription
from gateway.core.pricing.tariff import PriceList, Rate, Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract for what is bought, and what is paid for surplus."""

    zone: tzinfo  # whose clock it goes by
    tariff: Tariff  # gives the period and price of each moment, taxes included
    lists: tuple[PriceList, ...] = ()  # of the same prices, for periods that are known from the accounts
    subscriptions: tuple[Subscription, ...] = ()  # rising by their first day; none where it is not known
    known_until: date | None = None  # the last local day for which its prices were read; None: they always hold
    levies: Levies | None = None  # what of the bill is tax and network; None where that is not known

    def rate(self, utc_s: float, day: date, period: str | None) -> Rate:
        """Period and prices of a moment; `period` is what it was called when it was lived, where that is known."""
        rate = self.tariff.rate(utc_s)
        begun = [row for row in self.lists if row.first <= day]
        if not rate.assumed or period is None or not begun or period not in begun[-1].prices:
            return rate
        return Rate(name=period, buy=begun[-1].prices[period], sell=rate.sell)

    def turns(self, first: date, end: date) -> set[date]:
        """Days between two others on which a line of the bill may end and another one begin."""
        found = {row.first for row in self.subscriptions} | {row.first for row in self.lists}
        if self.known_until is not None:
            found.add(date.fromordinal(self.known_until.toordinal() + 1))
        if self.levies is not None:
            found |= self.levies.turns(range(first.year, end.year + 1))
        return {day for day in found if first < day < end}


def exact(price: float) -> Decimal:
    """A price as it was written: the shortest decimal that is this float."""
    return Decimal(repr(price))
