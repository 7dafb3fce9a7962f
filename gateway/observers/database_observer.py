"""Rows for the database that are no reading and no cycle: decisions, alarms, plans, quarter hours, figures of parts.

Fits the port CycleObserver. It writes nothing itself: rows go to `add`, which stores them with those of the next cycle.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.core.accounts.quarter_account import QuarterAccount
from gateway.core.model.plan import Plan
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S
from gateway.database.account_rows import account_rows
from gateway.database.decision_rows import Alarm, AlarmMemory, DecisionMemory, Say, alarm_rows, decision_rows
from gateway.database.plan_rows import plan_rows
from gateway.database.tags import RowOrigin
from gateway.ports import Cycle, Row

MINUTE_S = 60
LOOK_S = 10.0  # between two looks at what may be wrong with the parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """Of the cycles of a minute."""

    late_ms: float = 0.0  # latest start of a cycle
    import_w: float | None = None  # highest import; None where none was known

    def with_cycle(self, late_ms: float, grid_w: float | None) -> "Worst":
        """With one more cycle."""
        known = [power_w for power_w in (self.import_w, grid_w) if power_w is not None]
        return Worst(late_ms=max(self.late_ms, late_ms), import_w=max(known, default=None))


class DatabaseObserver:
    """Looks on. `figures` and `alarms` ask the parts of the gateway; `plan` gives what holds at a moment (UTC)."""

    def __init__(
        self,
        *,
        site: Site,
        origin: RowOrigin,
        say: Say,
        add: Callable[[Iterable[Row]], None],
        plan: Callable[[float], Plan | None],
        figures: Callable[[Cycle, Worst], Iterator[Row]] = lambda _cycle, _worst: iter(()),
        alarms: Callable[[Cycle], Iterator[Alarm]] = lambda _cycle: iter(()),
    ) -> None:
        self._site = site
        self._origin = origin
        self._say = say
        self._add = add
        self._plan = plan
        self._figures = figures
        self._alarms = alarms
        self._decisions: DecisionMemory = {}
        self._alarmed = AlarmMemory()
        self._looked_s = 0.0
        self._made_s: float | None = None
        self._minute: int | None = None
        self._worst = Worst()

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in; one without a date has no place in time."""
        if not cycle.state.is_dated:
            return
        utc_s = cycle.state.utc_s
        grid_w = cycle.state.value(self._site.grid, "p_w", max_age_s=SHOWN_S)
        self._worst = self._worst.with_cycle(cycle.late_ms, grid_w)
        self._decisions, rows = decision_rows(self._decisions, cycle.setpoints, utc_s, self._origin, self._say)
        self._add([*rows, *self._alarm_rows(cycle, utc_s), *self._plan_rows(utc_s), *self._minute_rows(cycle, utc_s)])

    def save_accounts(self, accounts: Sequence[QuarterAccount]) -> None:
        """Quarter hours that are over (port AccountSink)."""
        self._add([row for account in accounts for row in account_rows(account, self._origin)])

    def _alarm_rows(self, cycle: Cycle, utc_s: float) -> list[Row]:
        if abs(utc_s - self._looked_s) < LOOK_S:
            return []
        self._looked_s = utc_s
        self._alarmed, rows = alarm_rows(self._alarmed, self._alarms(cycle), utc_s, self._origin, self._say)
        return rows

    def _plan_rows(self, utc_s: float) -> Iterator[Row]:
        plan = self._plan(utc_s)
        if plan is not None and plan.made_s != self._made_s:
            self._made_s = plan.made_s
            yield from plan_rows(plan, self._site, self._origin, self._say)

    def _minute_rows(self, cycle: Cycle, utc_s: float) -> Iterator[Row]:
        minute, before = int(utc_s // MINUTE_S), self._minute
        if minute == before:
            return
        self._minute, worst, self._worst = minute, self._worst, Worst()
        if before is not None:
            yield from self._figures(cycle, worst)
