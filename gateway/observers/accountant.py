"""Keeps the accounts: from cycles to finished quarter hours, each with the price that was in force.

Fits the port CycleObserver: it looks on, and never holds up a cycle. `run` keeps what outlives a restart.
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from gateway.adapters.store.outbox import OutboxError
from gateway.core.accounts.closing import counters
from gateway.core.accounts.ledger import AccountLedger, take
from gateway.core.accounts.ledger_note import from_note, to_note
from gateway.core.accounts.metering import Metering
from gateway.core.accounts.open_quarter import Seen
from gateway.core.accounts.quarter_account import PriceInForce, QuarterAccount
from gateway.core.model.state import SHOWN_S, SiteState
from gateway.core.model.undated import Undated
from gateway.observers.load_observer import Notes
from gateway.ports import AccountSink, Cycle

NOTE = "accounts"
SOC_S = 300.0  # a state of charge changes slowly: an older one is still that of the quarter hour
AGAIN_S = 10.0  # after a store that could not be written
UNDATED_KEPT = 3600  # cycles that wait for a clock that is not set yet: an hour


class PricesOfQuarters(Protocol):
    """What a kWh cost in a quarter hour, and its CO2."""

    def learn(self, state: SiteState) -> None:
        """What the meter announces now."""
        ...

    def price(self, start_s: int) -> PriceInForce | None:
        """The price of the quarter hour that began then (UTC); None where it is not known."""
        ...

    def co2_g_per_kwh(self, start_s: int) -> float | None:
        """The same of the grid's CO2."""
        ...


class Accountant:
    """Makes an account of each quarter hour, and gives it to the sinks as soon as its counters were read."""

    def __init__(
        self, *, metering: Metering, prices: PricesOfQuarters, past: Notes, sinks: Sequence[AccountSink] = ()
    ) -> None:
        self._metering = metering
        self._prices = prices
        self._past = past
        self._sinks = sinks
        self._counters = tuple(counters(metering))
        self._ledger = self._recalled()
        self._undated: Undated[Cycle] = Undated(UNDATED_KEPT)
        self._due = asyncio.Event()

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in; those whose time is not known yet wait until it is."""
        state = cycle.state
        self._undated.keep(state.now_s, cycle)
        if state.is_dated:
            self._prices.learn(state)
            for utc_s, one in self._undated.dated(state.now_s, state.utc_s):
                self._take(one, utc_s)

    def _take(self, cycle: Cycle, utc_s: float) -> None:
        before = self._ledger.open
        self._ledger, found = take(self._ledger, self._seen(cycle, utc_s), self._metering)
        if found:
            accounts = [self._priced(account) for account in found]
            for sink in self._sinks:
                sink.save_accounts(accounts)
        opened = self._ledger.open
        if found or before is None or opened is None or before.start_s != opened.start_s:
            self._due.set()

    def _seen(self, cycle: Cycle, utc_s: float) -> Seen:
        state, read = cycle.state, {}
        for key in self._counters:
            reading = state.reading(*key)
            if reading.value is not None:
                read[key] = (utc_s - (state.now_s - reading.measured_s), reading.value)
        return Seen(
            utc_s=utc_s,
            powers_w={device: state.value(device, "p_w", max_age_s=SHOWN_S) for device in self._metering.parts},
            counters=read,
            curtailed=cycle.curtailed,
            stored_wh=self._stored_wh(state),
        )

    def _stored_wh(self, state: SiteState) -> float | None:
        capacity_wh = self._metering.capacity_wh
        socs = {device: state.value(device, "soc", max_age_s=SOC_S) for device in capacity_wh}
        known = [soc * capacity_wh[device] for device, soc in socs.items() if soc is not None]
        return sum(known) if known and len(known) == len(socs) else None

    def _priced(self, account: QuarterAccount) -> QuarterAccount:
        start_s = account.start_s
        return replace(account, price=self._prices.price(start_s), co2_g_per_kwh=self._prices.co2_g_per_kwh(start_s))

    def _recalled(self) -> AccountLedger:
        with contextlib.suppress(ValueError, RecursionError):
            return from_note(json.loads(self._past.note(NOTE) or "null"))
        return AccountLedger()

    async def run(self) -> None:
        """Keep for ever what a restart needs: with each quarter hour."""
        while True:
            await self._due.wait()
            self._due.clear()
            with contextlib.suppress(OutboxError):  # the cycle reports it: its rows cannot be written either
                await self.write()
                continue
            await asyncio.sleep(AGAIN_S)
            self._due.set()

    async def write(self) -> None:
        """Write now what outlives a restart. Raises OutboxError."""
        await self._past.save_note(NOTE, json.dumps(to_note(self._ledger)))
