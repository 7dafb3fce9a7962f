"""Orders as they are written for nodes, and what became of them (the wire form is in `gateway.wire.orders`)."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.wire.records import EPOCH_2000

OPEN_ORDERS = 50  # an order a second lives for 30 s at most: an older one is never answered any more
LATENCIES_KEPT = 100_000  # a day of one order a second


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What became of an order. `written`: the device was really written in this answer.

    `device`: None for an actuator that is not in our poll table. `values`: of the order, raw; `back`: what was read
    back, as `rb` of `gateway.wire.orders`.
    """

    seq: int
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


@dataclass(slots=True)
class OrderLog:
    """Numbers the orders of this run (`session`) and counts what became of them."""

    session: int
    seq: int = 0  # of the last order
    sent: int = 0
    applied: int = 0
    refused: int = 0
    failed: int = 0
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))
    """From the meter's sample to the device's answer."""
    _open: dict[int, float | None] = field(default_factory=dict)  # moments of the samples behind them, by sequence

    def order(
        self, boot: int, actuator: int, values: list[int] | None, ttl_ms: int, utc_s: float, sample_s: float | None
    ) -> str:
        """The text of the next order to that run of a node; `sample_s` is the moment of the meter sample behind it."""
        self.seq += 1
        self.sent += 1
        self._open = {seq: at for seq, at in self._open.items() if seq > self.seq - OPEN_ORDERS}
        self._open[self.seq] = sample_s
        order = {"boot": boot, "sid": self.session, "seq": self.seq, "act": actuator, "v": values, "ttl": ttl_ms}
        order["at"] = max(0, int(utc_s) - EPOCH_2000)
        return json.dumps(order, separators=(",", ":"))

    def settle(self, answer: OrderAnswer) -> None:
        """Count an answer; only those of orders that were written say something about latency."""
        if answer.done in ("applied", "released"):
            self.applied += 1
        elif answer.done == "refused":
            self.refused += 1
        elif answer.done == "failed":
            self.failed += 1
        sample_s = self._open.pop(answer.seq, None)
        if sample_s is not None and answer.done == "applied" and answer.written:
            self.latency_ms.append(1000 * (answer.at_s - sample_s))
