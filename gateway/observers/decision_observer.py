"""What was decided, as people ask for it later: a decision lasts until mode or reason of its device change.

Fits the port CycleObserver: it looks on, gives what it sees to the archive, and never waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.adapters.archive.records import LONGEST_S, Decision
from gateway.core.model.state import SetPoint
from gateway.core.model.undated import Undated
from gateway.ports import Cycle

UNDATED_KEPT = 3600  # cycles that wait for a clock that is not set yet: an hour
AT_ONCE = 200  # changes of one device that may come in a row and are all kept …
EACH_S = 1200.0  # … then one in this time: 72 a day, which ten years of 20 devices have room for (docs/history.md)


class DecisionSink(Protocol):
    """Where decisions are kept."""

    def save_decisions(self, decisions: Sequence[Decision]) -> None:
        """Decisions, as they begin and again as they end. Never waits."""
        ...

    def is_alive(self, utc_s: float) -> None:
        """There was a cycle at that moment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Budget:
    """How many changes of a device may still be kept one by one."""

    left: float = AT_ONCE
    at_s: float = 0.0  # monotonic, when that was

    def at(self, now_s: float) -> "_Budget":
        gained = max(0.0, now_s - self.at_s) / EACH_S
        return _Budget(left=min(AT_ONCE, self.left + gained), at_s=now_s)


class DecisionObserver:
    """Holds the present decision of each device."""

    def __init__(self, sink: DecisionSink) -> None:
        self._sink = sink
        self._open: dict[str, Decision] = {}
        self._seen: dict[str, tuple[str, str]] = {}  # mode and reason of the last cycle
        self._budgets: dict[str, _Budget] = {}
        self._undated: Undated[Cycle] = Undated(UNDATED_KEPT)

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in; those whose time is not known yet wait until it is."""
        state = cycle.state
        self._undated.keep(state.now_s, cycle)
        if state.is_dated:
            for utc_s, seen in self._undated.dated(state.now_s, state.utc_s):
                changed = [one for setpoint in seen.setpoints for one in self._changed(setpoint, seen, utc_s)]
                if changed:
                    self._sink.save_decisions(changed)
            self._sink.is_alive(state.utc_s)

    def _changed(self, setpoint: SetPoint, cycle: Cycle, utc_s: float) -> Sequence[Decision]:
        """The decision that this ends and the one that it begins; nothing while it is the same."""
        device, before = setpoint.device, self._open.get(setpoint.device)
        what = (setpoint.mode.value, setpoint.reason.code)
        is_change, self._seen[device] = self._seen.get(device) != what, what
        if before is not None:
            is_same = (before.mode, before.code) == what
            if is_same and not is_change and 0.0 <= utc_s - before.since_s < LONGEST_S:
                return ()
            budget = self._budgets[device] = self._budgets[device].at(cycle.state.now_s)
            if budget.left < 1.0 or (is_same and is_change):  # flutter: it goes on as one
                if is_change:
                    self._open[device] = replace(before, more=before.more + 1)
                return (self._open[device],) if is_change else ()
        else:
            budget = _Budget(at_s=cycle.state.now_s)
        self._budgets[device] = replace(budget, left=budget.left - 1.0)
        self._open[device] = Decision(
            device=device,
            since_s=utc_s,
            until_s=None,
            mode=setpoint.mode.value,
            code=setpoint.reason.code,
            power_w=setpoint.power_w,
            numbers=setpoint.reason.numbers,
        )
        ended = () if before is None else (replace(before, until_s=max(utc_s, before.since_s)),)
        return (*ended, self._open[device])
