"""A bill, line by line: what was bought by period and price, the subscription by its days, and surplus sold.

Rounding: a line has its energy to the Wh (0.001 kWh) and its amount to the cent, halves away from zero; the total is
the sum of the rounded lines. What is tax and network in it is worked out beside it and does not change the total.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from gateway.core.accounts.bill_parts import BillParts, Paid, parts_of
from gateway.core.accounts.charges import cents, holding
from gateway.core.accounts.contract import Contract, exact
from gateway.core.accounts.period import local_days
from gateway.core.accounts.quarter_account import QuarterAccount
from gateway.core.accounts.spans import Span, months, spans
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.tariff import Rate

WH = Decimal("0.001")  # of a kWh: to what an energy is rounded
MOST_PRICES = 12  # of one period in one span: more are the prices of a market, and one line with their mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What went through the connection in a quarter hour. None where it is not known."""

    start_s: int  # when it began (UTC)
    import_wh: float | None  # from the grid
    export_wh: float | None  # into it
    period: str | None = None  # what the tariff called it when it was lived, where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line. What is sold has an amount below 0."""

    what: str  # "subscription", "energy" or "surplus": a text of `bill.line` in gateway/words
    period: str  # the tariff's name of the hours; empty where there is none
    first: date  # local days, both in
    last: date  # both in
    quantity: Decimal  # kWh; months of the subscription
    price: Decimal | None  # EUR for one of them, taxes included; None: the mean of many
    amount: Decimal  # EUR, rounded to the cent
    is_assumed: bool = False  # which price holds there is not known: the dearest possible one
    is_confirmed: bool = True  # whether it lies before the day up to which prices were read


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A bill from one local day to another, both in."""

    first: date  # local day, itself in
    last: date  # local day, itself in
    lines: tuple[BillLine, ...]  # what is to be paid
    parts: BillParts | None  # what of it is network and tax; None where the contract does not say
    start_s: int  # the first quarter hour (UTC)
    end_s: int  # behind the last (UTC)
    missing: tuple[int, ...]  # quarter hours (UTC) whose import is not known: their energy is not in the bill
    shared_wh: float  # in quarter hours inside of which the period changes: shared out by time
    lacks_subscription: bool = False  # whether no figure is known for it

    @property
    def total(self) -> Decimal:
        """EUR, taxes included."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def is_confirmed(self) -> bool:
        """Whether every price was read, and none assumed."""
        return all(line.is_confirmed and not line.is_assumed for line in self.lines)


@dataclass(slots=True)
class _Sums:
    """Of one period and price in one span."""

    imported: list[float] = field(default_factory=list)
    exported: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)


Key = tuple[Span, str, float, float, bool]  # span, period, price bought at, price sold at, assumed


def use_of(account: QuarterAccount, grid: str) -> Use:
    """What an account says of the connection; `grid`: its device."""
    energy = account.devices.get(grid)
    return Use(
        start_s=account.start_s,
        import_wh=None if energy is None else energy.given_wh,
        export_wh=None if energy is None else energy.drawn_wh,
        period=None if account.price is None else account.price.period,
    )


def bill(uses: Iterable[Use], contract: Contract, first: date, end: date) -> Bill:
    """Of the local days from `first` to before `end`. A quarter hour that is there twice counts once, the last one."""
    days = list(local_days(first, end, contract.zone))
    start_s, end_s = days[0][1], days[-1][2]
    of = {use.start_s: use for use in uses if start_s <= use.start_s < end_s}
    between = spans(first, end, contract.turns(first, end))
    sums = _summed(of.values(), contract, between)
    wanted = range(start_s, end_s, QUARTER_S)
    lines = (*_subscription(contract, between), *_energy(sums, contract), *_surplus(sums))
    return Bill(
        first=first,
        last=between[-1].last,
        lines=lines,
        parts=parts_of(contract, between, _by_period(sums), [*_paid(sums), *_paid_for_months(contract, between)]),
        start_s=start_s,
        end_s=end_s,
        missing=tuple(one for one in wanted if one not in of or of[one].import_wh is None),
        shared_wh=math.fsum(wh for found in sums.values() for wh in found.shared),
        lacks_subscription=any(holding(contract.subscriptions, span.first) is None for span in between),
    )


def _summed(uses: Iterable[Use], contract: Contract, between: list[Span]) -> dict[Key, _Sums]:
    """All energy by span, period and price; a quarter hour inside of which they change is shared out by time."""
    found: dict[Key, _Sums] = {}
    for use in sorted(uses, key=lambda one: one.start_s):
        grid = TimeGrid(start_s=float(use.start_s), step_s=float(QUARTER_S), steps=1)
        pieces = [
            (_key(contract, between, begin_s, use.period), share)
            for begin_s, share in next(grid.pieces(contract.tariff.edges(grid.start_s, grid.end_s)))
        ]
        is_shared = len({key for key, _ in pieces}) > 1
        for key, share in pieces:
            sums = found.setdefault(key, _Sums())
            if use.import_wh is not None:
                sums.imported.append(use.import_wh * share)
                sums.shared += [use.import_wh * share] if is_shared else []
            if use.export_wh is not None:
                sums.exported.append(use.export_wh * share)
    return found


def _key(contract: Contract, between: list[Span], utc_s: float, period: str | None) -> Key:
    day = datetime.fromtimestamp(utc_s, contract.zone).date()
    rate: Rate = contract.rate(utc_s, day, period)
    span = next(one for one in between if one.first <= day <= one.last)
    return span, rate.name, rate.buy, rate.sell, rate.assumed


def _by_period(sums: dict[Key, _Sums]) -> dict[tuple[Span, str], float]:
    found: dict[tuple[Span, str], list[float]] = {}
    for (span, period, *_), one in sums.items():
        found.setdefault((span, period), []).extend(one.imported)
    return {key: math.fsum(energies) for key, energies in found.items()}


def _paid(sums: dict[Key, _Sums]) -> Iterator[Paid]:
    for (span, _, buy, _, _), one in sums.items():
        amount = Fraction(exact(buy)) * Fraction(_exact_kwh(one.imported))
        yield Paid(span=span, is_subscription=False, amount=amount)


def _paid_for_months(contract: Contract, between: list[Span]) -> Iterator[Paid]:
    for span in between:
        row = holding(contract.subscriptions, span.first)
        if row is not None:
            amount = Fraction(row.eur_per_month) * months(span.first, span.last)
            yield Paid(span=span, is_subscription=True, amount=amount)


def _subscription(contract: Contract, between: list[Span]) -> Iterator[BillLine]:
    """A line for each price: whole months count one, of others the share of their days. Spans of one price are one."""
    merged: dict[tuple[Decimal, bool], list[Span]] = {}
    for span in between:
        row = holding(contract.subscriptions, span.first)
        if row is not None:
            merged.setdefault((row.eur_per_month, _is_confirmed(contract, span)), []).append(span)
    for (price, is_confirmed), held in merged.items():
        length = sum((months(span.first, span.last) for span in held), Fraction(0))
        yield BillLine(
            what="subscription",
            period="",
            first=held[0].first,
            last=held[-1].last,
            quantity=(Decimal(length.numerator) / Decimal(length.denominator)).quantize(Decimal("0.0001")),
            price=price,
            amount=cents(Fraction(price) * length),
            is_confirmed=is_confirmed,
        )


def _energy(sums: dict[Key, _Sums], contract: Contract) -> Iterator[BillLine]:
    """A line for each price of each period; one with the mean where prices change all the time."""
    groups: dict[tuple[str, bool, bool], dict[Decimal, list[tuple[Span, _Sums]]]] = {}
    for (span, period, buy, _, assumed), one in sums.items():
        if one.imported:
            prices = groups.setdefault((period, assumed, _is_confirmed(contract, span)), {})
            prices.setdefault(exact(buy), []).append((span, one))
    for (period, assumed, is_confirmed), prices in groups.items():
        marks: dict[str, str | bool] = {"period": period, "is_assumed": assumed, "is_confirmed": is_confirmed}
        if len(prices) > MOST_PRICES:
            yield _mean_line(prices, marks)
            continue
        for price, held in prices.items():
            kwh = _kwh(wh for _, one in held for wh in one.imported)
            yield _line("energy", held, kwh, price, cents(kwh * price), marks)


def _mean_line(prices: dict[Decimal, list[tuple[Span, _Sums]]], marks: dict[str, str | bool]) -> BillLine:
    all_of = [one for held in prices.values() for one in held]
    kwh = _kwh(wh for _, one in all_of for wh in one.imported)
    exactly = sum(
        (_exact_kwh(wh for _, one in held for wh in one.imported) * price for price, held in prices.items()),
        Decimal(0),
    )
    return _line("energy", all_of, kwh, None, cents(exactly), marks)


def _surplus(sums: dict[Key, _Sums]) -> Iterator[BillLine]:
    """What is paid for surplus, a line for each price."""
    prices: dict[Decimal, list[tuple[Span, _Sums]]] = {}
    for (span, _, _, sell, _), one in sums.items():
        if any(one.exported):
            prices.setdefault(exact(sell), []).append((span, one))
    for price, held in prices.items():
        kwh = _kwh(wh for _, one in held for wh in one.exported)
        yield _line("surplus", held, kwh, price, -cents(kwh * price), {"period": ""})


def _line(
    what: str,
    held: list[tuple[Span, _Sums]],
    quantity: Decimal,
    price: Decimal | None,
    amount: Decimal,
    marks: dict[str, str | bool],
) -> BillLine:
    return BillLine(
        what=what,
        period=str(marks["period"]),
        first=min(span.first for span, _ in held),
        last=max(span.last for span, _ in held),
        quantity=quantity,
        price=price,
        amount=amount,
        is_assumed=bool(marks.get("is_assumed", False)),
        is_confirmed=bool(marks.get("is_confirmed", True)),
    )


def _kwh(energies: Iterable[float]) -> Decimal:
    return _exact_kwh(energies).quantize(WH, rounding="ROUND_HALF_UP")


def _exact_kwh(energies: Iterable[float]) -> Decimal:
    return Decimal(repr(math.fsum(energies))) / 1000


def _is_confirmed(contract: Contract, span: Span) -> bool:
    return contract.known_until is None or span.last <= contract.known_until
