"""What of a bill is network and tax. The contract's prices are with taxes: these figures are worked out beside them.

Value added tax is in each line; it is due on excise and levy as well. The rest is what the supplier keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from gateway.core.accounts.charges import Levies, cents, holding
from gateway.core.accounts.contract import Contract
from gateway.core.accounts.spans import Span

YEAR_DAYS = 365  # by which the network operator shares a year's price out

Energies = Mapping[tuple[Span, str], float]  # Wh by span and period


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What is paid for one span, before it is rounded."""

    span: Span  # the days
    is_subscription: bool  # else for energy
    amount: Fraction  # EUR, taxes included


@dataclass(frozen=True, slots=True, kw_only=True)
class BillParts:
    """In EUR without VAT, but for VAT itself; each None where a day of the bill has no known figure of it."""

    network_fixed: Decimal | None  # management, metering and subscribed power
    network_energy: Decimal | None  # of the kWh
    excise: Decimal | None  # on the kWh
    levy: Decimal | None  # on the fixed part of the network tariff (CTA)
    vat: Decimal | None  # in all lines that are bought
    known_until: date  # the last local day for which these figures were read


def parts_of(contract: Contract, between: Sequence[Span], energies: Energies, paid: Sequence[Paid]) -> BillParts | None:
    """Of a bill; None where the contract knows nothing of taxes."""
    levies = contract.levies
    if levies is None:
        return None
    is_known = between[-1].last <= levies.known_until
    fixed = [_fixed(levies, span) for span in between] if is_known else [None]
    charged = [_levy(levies, span) for span in between] if is_known else [None]
    return BillParts(
        network_fixed=_sum(fixed),
        network_energy=_sum([_network(levies, span, period, wh) for (span, period), wh in energies.items()])
        if is_known
        else None,
        excise=_sum([_excise(levies, span, wh) for (span, _), wh in energies.items()]) if is_known else None,
        levy=_sum(charged),
        vat=_sum([_vat(levies, one) for one in paid]) if is_known else None,
        known_until=levies.known_until,
    )


def _sum(parts: Sequence[Fraction | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return cents(sum(known, Fraction(0))) if len(known) == len(parts) else None


def _fixed(levies: Levies, span: Span) -> Fraction | None:
    row = holding(levies.network, span.first)
    return None if row is None else Fraction(row.eur_per_year) * span.days / YEAR_DAYS


def _levy(levies: Levies, span: Span) -> Fraction | None:
    fixed, row = _fixed(levies, span), holding(levies.levy, span.first)
    return None if fixed is None or row is None else fixed * Fraction(row.rate)


def _network(levies: Levies, span: Span, period: str, wh: float) -> Fraction | None:
    """A span with a change of season inside is not known: such a day is a turn of the network's prices as well."""
    row = holding(levies.network, span.first)
    if row is None:
        return None
    class_ = row.class_of(period, span.first)
    if class_ is None or row.class_of(period, span.last) != class_:
        return None
    return Fraction(row.eur_per_kwh[class_]) * Fraction(wh) / 1000


def _excise(levies: Levies, span: Span, wh: float) -> Fraction | None:
    row = holding(levies.excise, span.first)
    return None if row is None else Fraction(row.eur_per_mwh) * Fraction(wh) / 1_000_000


def _vat(levies: Levies, paid: Paid) -> Fraction | None:
    """Of an amount with taxes: amount times rate / (1 + rate)."""
    row = holding(levies.vat, paid.span.first)
    if row is None:
        return None
    rate = Fraction(row.subscription if paid.is_subscription else row.energy)
    return paid.amount * rate / (1 + rate)
