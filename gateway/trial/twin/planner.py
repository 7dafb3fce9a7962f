"""The real planner of a twin: called when its service would call it, and its time costs none."""

import asyncio
from collections.abc import Callable

from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.plan import Plan
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.state import Reason, SiteState
from gateway.observers.battery_observer import BatteryObserver
from gateway.observers.recorder import Recorder
from gateway.planning import worker
from gateway.planning.load_inputs import LoadInputs
from gateway.planning.plan_inputs import PlanInputs
from gateway.planning.process import WorkerError
from gateway.planning.service import Planning, PlanStatus
from gateway.ports import Cycle
from gateway.site.assembly import parts
from gateway.site.assembly.building import core_site
from gateway.site.assembly.feeds import Feeds
from gateway.site.file.site_file import SiteFile
from gateway.trial.twin.clock import VirtualClock

NO_FEEDS = Feeds(weather=None, prices=None, co2=None)


class InlinePlanner:
    """Makes a `Planning` for each run of the gateway and keeps its plan fresh; the past is kept in memory."""

    def __init__(self, file: SiteFile, clock: VirtualClock) -> None:
        self._file = file
        self._clock = clock
        self._outbox = Outbox(None, max_mb=50)
        self._past = HistoryStore(self._outbox)
        self._recorder = Recorder(site=core_site(file), past=self._past)
        self._batteries = BatteryObserver(core_site(file))
        self._planning: Planning | None = None
        self._events: Callable[[], object] = lambda: None
        self._known: object = None
        self._due_s = 0.0
        self._quarter = 0

    def planning(self, *, state: Callable[[], SiteState], loads: LoadInputs, events: Callable[[], object]) -> Planning:
        """What a new run of the gateway asks for its plan."""
        collector = parts.collector(
            self._file,
            NO_FEEDS,
            clock=self._clock,
            state=state,
            past=self._past,
            flexible=loads,
            batteries=self._batteries.usable,
            clock_is_set=lambda: True,
        )
        self._events, self._due_s = events, self._clock.now_s
        self._planning = Planning(
            clock=self._clock, prepare=collector.collect, ask=_ask, plain=loads.plain_requests, events=events
        )
        return self._planning

    def show(self, cycle: Cycle) -> None:
        """Quarter hours become the past of the next plan (port CycleObserver)."""
        self._recorder.show(cycle)
        self._batteries.show(cycle)

    def step(self) -> None:
        """Make a plan when one is due."""
        planning, now_s = self._planning, self._clock.now_s
        if planning is None:
            return
        quarter = int(self._clock.utc_s() // QUARTER_S)
        if quarter != self._quarter:
            self._quarter = quarter
            asyncio.run(self._recorder.write())
        if now_s >= self._due_s or self._events() != self._known:
            self._known = self._events()
            self._due_s = now_s + asyncio.run(planning.renew())

    def status(self, utc_s: float) -> PlanStatus:
        """The plan that holds."""
        return self._planning.status(utc_s) if self._planning else NO_PLAN

    def close(self) -> None:
        """End it."""
        self._outbox.close()


NO_PLAN = PlanStatus(plan=None, why=Reason(code="plan_starting"))


async def _ask(inputs: PlanInputs) -> Plan:
    try:
        return worker.answer(inputs)
    except ValueError as error:
        raise WorkerError("failed", str(error)) from error
