"""Orders as they are written for nodes, and what became of them (the wire form is in `gateway.wire.orders`)."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.wire.records import EPOCH_2000

OPEN_S = 60.0  # an order is answered within its lease, which is 30 s at most, and a try at the safe values
LATENCIES_KEPT = 100_000  # a day of one order a second
UNDATED = 2**32 - 1  # never long ago
OVERTAKEN_S = 12.0  # a node refuses our session: by then another gateway that commands has said so
FIRST_STEP = 64  # above our session, in seconds of the clock that sessions begin with; doubled as often as it takes
HIGHEST_SESSION = 2**32 - 1  # as much as the wire carries


class Origin(StrEnum):
    """Whose order an answer belongs to."""

    OURS = "ours"
    OTHERS = "others"  # of another gateway or a former run, long over, or what a node did at its start
    NOBODYS = "nobodys"  # no node that is honest and obeys us says this


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What became of an order. `written`: the device was really written in this answer.

    `boot`, `session` and `number` (of the actuator) as the answer names them, None for what is none. `device`: None for
    an actuator that is not in our poll table. `values`: of the order, raw; `back`: what was read back, as `rb` of
    `gateway.wire.orders`.
    """

    seq: int
    boot: int | None = None
    session: int | None = None
    number: int | None = None
    device: str | None = None
    done: str
    why: str
    written: bool
    at_s: float  # on our monotonic clock
    values: object = None
    back: Sequence[int | None] | None = None

    @property
    def is_overtaken(self) -> bool:
        """Whether a younger order stands in its place: a device that takes one in 5 s is sent one a second."""
        return self.done == "refused" and self.why == "sequence"


@dataclass(slots=True, kw_only=True)
class _OpenOrder:
    """An order that may still be answered, once or several times: applied, then expired."""

    node: str
    boot: int
    session: int
    number: int
    sent_s: float
    sample_s: float | None  # moment of the meter sample behind it
    told: set[tuple[str, str]] = field(default_factory=set)  # what was answered already

    def fits(self, node: str, answer: OrderAnswer) -> bool:
        names = (self.node, self.boot, self.session, self.number)
        return names == (node, answer.boot, answer.session, answer.number)


@dataclass(slots=True, kw_only=True)
class _Overtaken:
    """A node that refuses our session."""

    since_s: float
    step: int = FIRST_STEP


@dataclass(slots=True)
class OrderLog:
    """Numbers the orders of this run (`session`) and counts what became of them. Moments are monotonic seconds."""

    session: int
    seq: int = 0  # of the last order
    sent: int = 0
    applied: int = 0
    refused: int = 0
    failed: int = 0
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))
    """From the meter's sample to the device's answer."""
    _open: dict[int, _OpenOrder] = field(default_factory=dict)  # by sequence, in their order
    _above: dict[str, int] = field(default_factory=dict)  # by node, the session that it obeys us in, if above ours
    _overtaken: dict[str, _Overtaken] = field(default_factory=dict)  # by node

    def session_of(self, node: str) -> int:
        """The session of the next order to a node."""
        return max(self.session, self._above.get(node, 0))

    def order(
        self,
        node: str,
        boot: int,
        actuator: int,
        values: list[int] | None,
        *,
        ttl_ms: int,
        at: int,
        now_s: float,
        sample_s: float | None = None,
    ) -> str:
        """The text of the next order to that run of a node, written at `at` of the node's own clock or UNDATED."""
        self.seq += 1
        self.sent += 1
        while self._open and (first := next(iter(self._open.items())))[1].sent_s < now_s - OPEN_S:
            del self._open[first[0]]
        session = self.session_of(node)
        self._open[self.seq] = _OpenOrder(
            node=node, boot=boot, session=session, number=actuator, sent_s=now_s, sample_s=sample_s
        )
        order = {"boot": boot, "sid": session, "seq": self.seq, "act": actuator, "v": values, "ttl": ttl_ms, "at": at}
        return json.dumps(order, separators=(",", ":"))

    def origin(self, node: str, answer: OrderAnswer, *, alone: bool) -> Origin:
        """Whose order this answer of a node belongs to. `alone`: we have long been the only gateway that commands."""
        order = self._open.get(answer.seq)
        if order is not None and order.fits(node, answer):
            return Origin.OURS
        if answer.session is None or answer.boot is None:
            return Origin.NOBODYS
        if answer.session == answer.seq == 0:  # at its start a node writes safe values that nobody ordered
            is_possible = answer.done != "refused"
        elif answer.session in (self.session, self._above.get(node)):
            is_unheeded = answer.done == "refused" and answer.why == "boot"  # by a run that the order did not name
            is_possible = (order is None or is_unheeded) and 0 < answer.seq <= self.seq
        else:
            is_possible = not alone or answer.done not in ("applied", "refused")
        return Origin.OTHERS if is_possible else Origin.NOBODYS

    def settle(self, answer: OrderAnswer) -> bool:
        """Count an answer to an order of ours; False when it was told before.

        Only those that were written say something about latency.
        """
        order = self._open.get(answer.seq)
        if order is None or (answer.done, answer.why) in order.told:
            return False
        order.told.add((answer.done, answer.why))
        if answer.done in ("applied", "released"):
            self.applied += 1
        elif answer.done == "refused":
            self.refused += 1
        elif answer.done == "failed":
            self.failed += 1
        if order.sample_s is not None and answer.done == "applied" and answer.written:
            self.latency_ms.append(1000 * (answer.at_s - order.sample_s))
        self._follow(order, answer)
        return True

    def _follow(self, order: _OpenOrder, answer: OrderAnswer) -> None:
        """A node that obeys a newer session, though no other gateway says that it commands, is offered a higher one."""
        if answer.done != "refused" or answer.why != "session":
            self._overtaken.pop(order.node, None)
            return
        if order.session != self.session_of(order.node):  # an answer to one from before the last step
            return
        known = self._overtaken.setdefault(order.node, _Overtaken(since_s=answer.at_s))
        if answer.at_s - known.since_s >= OVERTAKEN_S:
            self._above[order.node] = min(order.session + known.step, HIGHEST_SESSION)
            known.step *= 2


def node_moment(utc_s: float | None) -> int:
    """`at` of an order for what a node's clock shows (seconds since 1970); None: it does not know the time."""
    return UNDATED if utc_s is None else min(max(0, int(utc_s) - EPOCH_2000), UNDATED)
