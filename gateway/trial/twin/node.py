"""A virtual node: works on its poll table, keeps records while there is no broker, executes leased orders."""

import json
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.adapters.node.poll_tables import NodeTable
from gateway.trial.twin.bus import VirtualBlock, VirtualBus, VirtualUnit
from gateway.trial.twin.orders import Order, VirtualActuator
from gateway.trial.twin.wires import Wire
from gateway.wire import records, topics
from gateway.wire.records import CLOCK_SYNCED, EPOCH_2000

HEALTH_S = 10.0
RING_BYTES = 16_000  # as the rig gives a node
ONE_BY_ONE = (5, 6)  # functions that write one register or coil
WRITE_COILS, READ_COILS, READ_HOLDING = (5, 15), 1, 3
MOST_REGISTERS = 121  # that every function can write at once
CLOCK_ASKED_S = 60.0  # how often it asks the gateway for the time

Send = Callable[[str, bytes], None]
"""(leaf, payload) of each message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record in the ring."""

    seq: int
    moment_s: float  # monotonic
    block: int
    flag: int
    words: Sequence[int]

    @property
    def size(self) -> int:
        """Bytes of it."""
        return records.record_size(len(self.words))


class VirtualNode:
    """`step` lets it work, `send` is given what it says. Off or hung it does nothing at all."""

    def __init__(self, table: NodeTable, wires: Mapping[str, Wire | None], send: Send) -> None:
        self.table = table
        self.is_running = False
        self.is_linked = False  # whether the broker can be reached
        self.is_heard = False  # whether there is a gateway that stores what it sends
        self._send = send
        self._boot = 0
        self._seq = 0
        self._coming: list[tuple[float, int, int, Sequence[int]]] = []  # answers on their way: moment, block, flag
        self._ring: deque[Kept] = deque()
        self._ring_bytes = 0
        self._health_s = 0.0
        self._utc_offset_s = 0.0  # of its clock from the monotonic one
        self._clock_s = 0.0
        self._now_s = 0.0
        self.buses, self.actuators = self._plant(json.loads(table.text), wires)

    def _plant(
        self, rows: Mapping[str, Any], wires: Mapping[str, Wire | None]
    ) -> tuple[list[VirtualBus], list[VirtualActuator]]:
        devices = {block.device: row["u"] for block, row in zip(self.table.blocks, rows["blocks"], strict=True)}
        of_unit = {number: wires[device] for device, number in devices.items()}
        buses = [VirtualBus(entry, self._push) for entry in rows["buses"]]
        units = [_unit(row, of_unit.get(number)) for number, row in enumerate(rows["units"])]
        for number, row in enumerate(rows["blocks"]):
            block = VirtualBlock(
                number=number,
                unit=units[row["u"]],
                function=row["fc"],
                address=row["a"],
                count=row["n"],
                model=row.get("m"),
                period_s=row["ms"] / 1000,
            )
            buses[rows["units"][row["u"]]["bus"]].blocks.append(block)
        actuators = [
            VirtualActuator(number, spec, read_function=_read_back(rows["units"][spec["u"]]), say=self._answer)
            for number, spec in enumerate(rows["actuators"])
        ]
        for actuator in actuators:
            bus = buses[rows["units"][actuator.unit]["bus"]]
            bus.actuators.append((actuator, units[actuator.unit]))
        return buses, actuators

    def start(self, now_s: float, utc_s: float) -> None:
        """Power comes, or the watchdog has bitten: a new boot, with safe values first."""
        self._boot += 1
        self._seq, self._ring_bytes = 0, 0
        self._ring.clear()
        self._coming.clear()
        self.is_running = True
        self._now_s, self._health_s = now_s, now_s + HEALTH_S
        self._set_clock(now_s, utc_s)
        for bus in self.buses:
            bus.begin(now_s)
        for actuator in self.actuators:
            actuator.leave()

    def stop(self) -> None:
        """It does nothing any more; what the devices hold they hold."""
        self.is_running = False

    def step(self, now_s: float, utc_s: float) -> None:
        """Work until this moment; `utc_s` is what the gateway would say."""
        if not self.is_running:
            return
        self._now_s = now_s
        for bus in self.buses:
            bus.step(now_s)
        if self._coming:
            self._keep(now_s)
        if not self.is_linked:
            return
        if now_s - self._clock_s >= CLOCK_ASKED_S:
            self._set_clock(now_s, utc_s)
        if self._ring and self.is_heard:
            self._flush()
        if now_s >= self._health_s:
            self._health_s = now_s + HEALTH_S
            self._say(topics.HEALTH, {"actuators": [actuator.health() for actuator in self.actuators], "heard": True})

    def connect(self) -> None:
        """The broker can be reached (again)."""
        self.is_linked = True
        self.announce()

    def announce(self) -> None:
        """Its retained state."""
        if self.is_running and self.is_linked:
            state = {"up": True, "boot": self._boot, "table": self.table.identity, "mode": "run"}
            self._say(topics.STATE, state)

    def receive(self, number: int, order: Order) -> None:
        """An order of the gateway."""
        if self.is_running and self.is_linked:
            self.actuators[number].take(order, self._now_s)

    def gateway_gone(self) -> None:
        """The gateway, or its will, says that it is gone: no lease outlives it."""
        if self.is_running and self.is_linked:
            for actuator in self.actuators:
                actuator.leave()

    def _set_clock(self, now_s: float, utc_s: float) -> None:
        self._utc_offset_s, self._clock_s = utc_s - now_s, now_s

    def _push(self, block: int, moment_s: float, flag: int, words: Sequence[int]) -> None:
        self._coming.append((moment_s, block, flag, words))

    def _keep(self, now_s: float) -> None:
        """Answers that are complete become records; the oldest give way when the ring is full."""
        come = sorted(row for row in self._coming if row[0] <= now_s)
        self._coming = [row for row in self._coming if row[0] > now_s]
        for moment_s, block, flag, words in come:
            self._seq += 1
            self._ring.append(Kept(seq=self._seq, moment_s=moment_s, block=block, flag=flag, words=words))
            self._ring_bytes += self._ring[-1].size
        while self._ring_bytes > RING_BYTES:
            self._ring_bytes -= self._ring.popleft().size

    def _flush(self) -> None:
        """All that is in the ring, in messages that small brokers take."""
        while self._ring:
            batch: list[Kept] = []
            size = records.HEADER_SIZE
            while self._ring and size + self._ring[0].size <= records.MAX_BATCH:
                batch.append(self._ring.popleft())
                size += batch[-1].size
            self._send(topics.DATA, self._encoded(batch))
        self._ring_bytes = 0

    def _encoded(self, batch: Sequence[Kept]) -> bytes:
        """A batch as `gateway.wire.records` describes it."""
        sent_s = max(self._now_s, batch[-1].moment_s)
        head = (records.VERSION, len(batch), self.table.identity, self._boot, batch[0].seq, *self._wire_time(sent_s))
        parts = [struct.pack(records.HEADER, *head)]
        for kept in batch:
            s, ms = self._wire_time(kept.moment_s)
            row = (kept.seq, s, ms, CLOCK_SYNCED, kept.block, kept.flag, len(kept.words))
            parts.append(struct.pack(records.RECORD, *row) + struct.pack(f">{len(kept.words)}H", *kept.words))
        return b"".join(parts)

    def _wire_time(self, moment_s: float) -> tuple[int, int]:
        ms = round(1000 * (moment_s + self._utc_offset_s - EPOCH_2000))
        return ms // 1000, ms % 1000

    def _answer(self, answer: Mapping[str, Any]) -> None:
        s, ms = self._wire_time(self._now_s)
        self._say(topics.ACK, {**answer, "s": s, "ms": ms})

    def _say(self, leaf: str, message: Mapping[str, Any]) -> None:
        if self.is_linked:
            self._send(leaf, json.dumps(message).encode())


def _read_back(unit: Mapping[str, Any]) -> int:
    """The function that reads what the unit's own writes."""
    return READ_COILS if unit["wfc"] in WRITE_COILS else READ_HOLDING


def _unit(row: Mapping[str, Any], wire: Wire | None) -> VirtualUnit:
    function = row["wfc"]
    step = 1 if function in ONE_BY_ONE else min(row.get("max", MOST_REGISTERS), MOST_REGISTERS)
    return VirtualUnit(wire=wire, function=function, step=step, gap_s=row.get("gap_ms", 0) / 1000)
