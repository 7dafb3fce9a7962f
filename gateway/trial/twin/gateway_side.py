"""The gateway of a twin: its real sessions, loop, observers and rules, awake only when the twin says so."""

from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.measurements import NodeMeasurements
from gateway.adapters.node.poll_tables import NodeTable
from gateway.adapters.node.session import NodeSession
from gateway.adapters.products.setpoints import raw_setpoint
from gateway.core.control.memory import StoredMemory
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site
from gateway.core.model.state import Reading, SetPoint, SiteState
from gateway.loop import Loop
from gateway.observers.load_observer import LoadObserver
from gateway.planning.load_inputs import LoadInputs
from gateway.ports import Cycle, CycleObserver, Plans, Row
from gateway.site.assembly import parts
from gateway.site.assembly.building import core_site, origin_of
from gateway.site.file.site_file import SiteFile
from gateway.trial.twin.clock import VirtualClock
from gateway.trial.twin.orders import Order
from gateway.trial.twin.planner import InlinePlanner
from gateway.wire import topics

KeepRows = Callable[[Iterable[Row]], None]
SendOrder = Callable[[str, int, Order], None]
"""(node, number of the actuator, order)"""


class _Sample:
    """Waited for by the loop: the twin is told until when, and gives the moment of the sample or None."""

    def __init__(self, until_s: float) -> None:
        self._until_s = until_s

    def __await__(self) -> Generator[float, float | None, float | None]:
        return (yield self._until_s)


class _Measurements:
    """The port Measurements: the real readings, and a wait that costs no time."""

    def __init__(self, readings: NodeMeasurements, clock: VirtualClock) -> None:
        self._clock = clock
        self.state = readings.state

    async def sample(self, timeout_s: float) -> float | None:
        """Wait for the next sample."""
        return await _Sample(self._clock.now_s + timeout_s)


class _Actuation:
    """The port Actuation: set-points become orders as `adapters.node.actuation` writes them, without their seal."""

    def __init__(self, file: SiteFile, sessions: Mapping[str, NodeSession], send: SendOrder) -> None:
        self._sessions = sessions
        self._send = send
        self._seq = 0
        self._lease_s = float(file.control.lease_s)
        self._places = {
            device: (node, number, file.profiles[device], session.table.ratings[device])
            for node, session in sessions.items()
            for device, number in session.table.actuators.items()
        }

    async def send(self, setpoint: SetPoint) -> None:
        """Send an order."""
        if setpoint.device not in self._places:
            return
        node, number, profile, rating = self._places[setpoint.device]
        if self._sessions[node].boot is None:
            return
        power_w = setpoint.power_w
        values = None if power_w is None else raw_setpoint(profile, power_w, rating)
        self._seq += 1
        self._send(node, number, Order(seq=self._seq, values=values, ttl_s=self._lease_s))

    async def answered(self) -> None:
        """Nothing waits in virtual time."""

    def yields_to(self) -> str | None:
        """There is no other gateway."""
        return None


def forgotten(_rows: Iterable[Row]) -> None:
    """What becomes of rows that nobody keeps."""


class _Nowhere:
    """The ports Persistence and Link without a disk and a broker."""

    def __init__(self, keep: KeepRows) -> None:
        self._keep = keep

    async def save(self, rows: Sequence[Row]) -> None:
        """Given to whoever looks at them."""
        self._keep(rows)

    async def attend(self) -> None:
        """Nothing is due."""


class NoNotes:
    """What was kept over a restart: nothing."""

    def note(self, _name: str) -> str | None:
        """The text that was saved."""
        return None

    async def save_note(self, _name: str, _text: str) -> None:
        """Kept by nobody."""


class PlainRule:
    """The port Plans without a planner: loads have what their own rules give them."""

    def __init__(self, loads: LoadInputs) -> None:
        self._loads = loads

    def slot(self, _utc_s: float) -> Slot | None:
        """No plan."""
        return None

    def requests(self, state: SiteState) -> Mapping[str, LoadSlot]:
        """By the plain rule."""
        return self._loads.plain_requests(state)


class VirtualGateway:
    """Fed with messages of nodes by `deliver`, woken by `step`; `cycle` is its newest, None before the first."""

    def __init__(
        self,
        file: SiteFile,
        tables: Mapping[str, NodeTable],
        *,
        clock: VirtualClock,
        send: SendOrder,
        former: "VirtualGateway | None" = None,
        observers: Sequence[CycleObserver] = (),
        planner: InlinePlanner | None = None,
        keep: KeepRows = forgotten,
    ) -> None:
        """`former`: the run before, of which only what the store keeps is taken over. `keep` is given all rows."""
        self.site: Site = core_site(file)
        self.cycle: Cycle | None = None
        self._clock = clock
        self.sessions = _sessions(file, tables, former)
        readings = parts.node_measurements(file, self.site, clock, self.sessions)
        self.observer = LoadObserver(loads=file.loads, zone=ZoneInfo(file.site.time_zone), past=NoNotes())
        loads = LoadInputs(site=self.site, flexible=self.observer.flexible, weather=lambda: None)
        self._planner = planner
        plans: Plans = PlainRule(loads)
        if planner is not None:
            plans = planner.planning(state=readings.state, loads=loads, events=self.observer.events)
        self._keep = keep
        nowhere = _Nowhere(keep)
        self._newest: Reading | None = None
        self._sampled_s: float | None = None
        self._loop = Loop(
            site=self.site,
            origin=origin_of(file),
            clock=clock,
            measurements=_Measurements(readings, clock),
            actuation=_Actuation(file, self.sessions, send),
            persistence=nowhere,
            link=nowhere,
            plans=plans,
            observers=(self.observer, self, *([planner] if planner else ()), *observers),
            lasting=former.lasting if former else StoredMemory(),
        )
        self._running: Coroutine[Any, Any, None] = self._loop.run()
        self._wake_s: float = self._running.send(None)

        self.readings = readings.state

    @property
    def lasting(self) -> StoredMemory:
        """What the store would keep of its decisions."""
        return self.cycle.lasting if self.cycle else StoredMemory()

    def show(self, cycle: Cycle) -> None:
        """The newest cycle (port CycleObserver)."""
        self.cycle = cycle

    def deliver(self, node: str, leaf: str, payload: bytes) -> None:
        """One message of a node."""
        session, now_s = self.sessions[node], self._clock.now_s
        if leaf == topics.DATA:
            self._keep(session.receive_batch(payload, now_s, self._clock.utc_s()))
            self._look(session)
        elif leaf == topics.STATE:
            session.receive_state(payload, now_s)
        elif leaf == topics.HEALTH:
            session.receive_health(payload, now_s)
        elif leaf == topics.ACK:
            session.receive_answer(payload, now_s)

    def _look(self, session: NodeSession) -> None:
        """Whether the grid meter has a new sample."""
        newest = session.readings.get(self.site.grid, {}).get("p_w")
        if newest is not None and newest is not self._newest:
            self._newest, self._sampled_s = newest, self._clock.now_s

    def step(self) -> bool:
        """Wake the loop if it is time; whether there was a cycle."""
        before = self.cycle
        if self._planner is not None:
            self._planner.step()
        while self._sampled_s is not None or self._clock.now_s >= self._wake_s:
            arrived_s, self._sampled_s = self._sampled_s, None
            self._wake_s = self._running.send(arrived_s)
        return self.cycle is not before

    def release(self) -> None:
        """The last act of a gateway that is stopped in good order."""
        _run(self._loop.release())

    def close(self) -> None:
        """It runs no more."""
        self._running.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Something that waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("nothing waits in virtual time")


def _sessions(file: SiteFile, tables: Mapping[str, NodeTable], former: VirtualGateway | None) -> dict[str, NodeSession]:
    origin = origin_of(file)
    return {
        node: NodeSession(
            origin=origin,
            table=table,
            ledger=Ledger.restored(former.sessions[node].ledger.snapshot()) if former else Ledger(),
            trusted=set(former.sessions[node].trusted) if former else set(),
        )
        for node, table in tables.items()
    }
