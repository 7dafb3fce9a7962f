"""What a bill is made of beside the kWh, each by the day from which it holds. Money is decimal: never a float."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Protocol, TypeVar

CENT = Decimal("0.01")  # amounts of lines are rounded to it, halves up
WINTER = (11, 12, 1, 2, 3)  # months of the network tariff's high season (CRE 2025-40)
SEASONS = (4, 11)  # months with whose first day the seasons change


class FromDay(Protocol):
    """Something that holds from a day on."""

    @property
    def first(self) -> date:
        """The first local day."""
        ...


Row = TypeVar("Row", bound=FromDay)


def holding(rows: Sequence[Row], day: date) -> Row | None:
    """The row that holds on a day; None before the first one. Rows rise by their first day."""
    begun = [row for row in rows if row.first <= day]
    return begun[-1] if begun else None


def cents(amount: Decimal | Fraction) -> Decimal:
    """Rounded to the cent, halves away from zero: the commercial way."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator) if isinstance(amount, Fraction) else amount
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a month of the contract costs, taxes included, from a day on."""

    first: date  # local day, itself in
    eur_per_month: Decimal  # for the building's kVA


@dataclass(frozen=True, slots=True, kw_only=True)
class Excise:
    """The excise on electricity, from a day on."""

    first: date  # local day, itself in
    eur_per_mwh: Decimal  # without VAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Levy:
    """The levy on the fixed part of the network tariff (CTA), from a day on."""

    first: date  # local day, itself in
    rate: Decimal  # share of that part, 0…1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vat:
    """Value added tax, from a day on."""

    first: date  # local day, itself in
    subscription: Decimal  # on the subscription and the levy, 0…1
    energy: Decimal  # on kWh and excise, 0…1


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPrices:
    """The network tariff of one option, without tax, from a day on."""

    first: date  # local day, itself in
    eur_per_year: Decimal  # management, metering and the share of the subscribed power together
    eur_per_kwh: Mapping[str, Decimal]  # by its class: HPH, HCH, HPB, HCB; HP, HC; or "" for one price

    def class_of(self, period: str, day: date) -> str | None:
        """The class of a kWh that a contract calls so; None where the contract does not tell peak from off-peak."""
        if set(self.eur_per_kwh) == {""}:
            return ""
        hours = period[-2:]
        if hours not in ("HP", "HC"):
            return None
        seasonal = f"{hours}{'H' if day.month in WINTER else 'B'}"
        return seasonal if seasonal in self.eur_per_kwh else hours if hours in self.eur_per_kwh else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levies:
    """Taxes and network tariff of a country, each rising by its first day."""

    known_until: date  # the last local day for which these figures were read
    excise: tuple[Excise, ...]  # on kWh
    levy: tuple[Levy, ...]  # on the fixed part of the network tariff
    vat: tuple[Vat, ...]  # on everything
    network: tuple[NetworkPrices, ...] = ()  # of the building's option; none where it is not known

    def turns(self, years: Iterable[int]) -> set[date]:
        """Days on which one of them or the season changes, and the first day of which nothing was read."""
        rows: tuple[FromDay, ...] = (*self.excise, *self.levy, *self.vat, *self.network)
        seasons = {date(year, month, 1) for year in years for month in SEASONS}
        return {row.first for row in rows} | seasons | {date.fromordinal(self.known_until.toordinal() + 1)}
