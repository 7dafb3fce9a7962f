"""Orders sent to nodes, and their answers."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.wire.records import EPOCH_2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an order. `written`: the device was really written in this answer; moment on our clock.

    `values`: of the order, raw; `back`: what was read back, as `rb` of `gateway.wire.orders`.
    """

    seq: int
    device: str | None = None
    done: str
    why: str
    written: bool
    at_s: float
    values: object = None
    back: Sequence[int | None] | None = None

    @property
    def is_overtaken(self) -> bool:
        """Whether a younger order stands in its place: a device that takes one in 5 s is sent one a second."""
        return self.done == "refused" and self.why == "sequence"


@dataclass(slots=True)
class OrderBook:
    """Orders sent and what became of them. `latency_ms`: from the meter's sample to the device's answer."""

    session: int
    seq: int = 0
    sent: int = 0
    applied: int = 0
    refused: int = 0
    failed: int = 0
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))
    _open: dict[int, float | None] = field(default_factory=dict)

    def order(
        self, boot: int, actuator: int, values: list[int] | None, ttl_ms: int, utc_s: float, sample_s: float | None
    ) -> str:
        """The text of the next order to that run of a node; `sample_s` is the moment of the meter sample behind it."""
        self.seq += 1
        self.sent += 1
        self._open = {seq: at for seq, at in self._open.items() if seq > self.seq - 50}
        self._open[self.seq] = sample_s
        order = {"boot": boot, "sid": self.session, "seq": self.seq, "act": actuator, "v": values, "ttl": ttl_ms}
        order["at"] = max(0, int(utc_s) - EPOCH_2000)
        return json.dumps(order, separators=(",", ":"))

    def settle(self, answer: Answer) -> None:
        """Count an answer; only those that really wrote tell about latency."""
        if answer.done in ("applied", "released"):
            self.applied += 1
        elif answer.done == "refused":
            self.refused += 1
        elif answer.done == "failed":
            self.failed += 1
        sample_s = self._open.pop(answer.seq, None)
        if sample_s is not None and answer.done == "applied" and answer.written:
            self.latency_ms.append(1000 * (answer.at_s - sample_s))
