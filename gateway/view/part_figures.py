"""Figures of the parts of the gateway as rows for the database, each minute, and what is wrong with them."""

from collections.abc import Iterator, Mapping

from gateway.adapters.node.session import NodeSession
from gateway.core.model.site import Site
from gateway.core.model.state import Reason
from gateway.database.decision_rows import Alarm
from gateway.database.tags import RowOrigin
from gateway.observers.database_observer import Worst
from gateway.ports import Cycle, FieldValue, Row
from gateway.view.schema.status import PercentilesView
from gateway.view.status import GatewayStatus

SILENT_S = 120.0  # a device or node that says nothing for so long is an alarm
OF_METER = (
    "lost_meter",
    "frozen_meter",
    "meter_impossible",
    "phase_impossible",
    "meter_reversed",
    "meter_gain",
    "meter_mute",
)
OF_DEVICE = ("not_followed", "pv_not_followed", "load_not_followed", "lost_battery", "lost_soc")
NO_TIMES = PercentilesView(median=None, p99=None)


class PartFigures:
    """Asks the parts; keeps since when each device is silent. Times are those of the cycle that is given."""

    def __init__(
        self, *, site: Site, origin: RowOrigin, sessions: Mapping[str, NodeSession], status: GatewayStatus | None
    ) -> None:
        """Without a `status` (a gateway in virtual time) there are no figures of the gateway itself."""
        self._site = site
        self._origin = origin
        self._sessions = sessions
        self._status = status
        self._silent_s: dict[str, float] = {}

    def rows(self, cycle: Cycle, worst: Worst) -> Iterator[Row]:
        """One of each device and node, and one of the gateway."""
        now_s, utc_s = cycle.state.now_s, cycle.state.utc_s
        time_ms = round(1000 * utc_s)
        for node, session in self._sessions.items():
            fields = _node(session, now_s)
            yield Row(measurement="node", tags=self._origin.tags(node, "node"), fields=fields, time_ms=time_ms)
            for device, known in _devices(session, now_s, utc_s):
                tags = self._origin.device_tags(device)
                yield Row(measurement="device", tags=tags, fields=known, time_ms=time_ms)
        yield Row(measurement="gateway", tags=self._origin.site_tags(), fields=self._gateway(worst), time_ms=time_ms)

    def alarms(self, cycle: Cycle) -> Iterator[Alarm]:
        """What is wrong now."""
        site, roles = self._site, self._origin.roles
        found: dict[str, Alarm] = {}
        for setpoint in cycle.setpoints:
            code = setpoint.reason.code
            if code in OF_METER:
                found[code] = Alarm(device=site.grid, role="grid", reason=setpoint.reason, words="reason")
            elif code in OF_DEVICE:
                device = setpoint.device
                yield Alarm(device=device, role=roles[device], reason=setpoint.reason, words="reason")
        yield from found.values()
        yield from self._silent(cycle)
        if self._status is not None:
            troubles = self._status.database().troubles
            for trouble in troubles if isinstance(troubles, tuple) else ():
                reason = Reason(code=trouble.code, numbers=trouble.numbers)
                yield Alarm(device="gateway", role="gateway", reason=reason, words="trouble")

    def _silent(self, cycle: Cycle) -> Iterator[Alarm]:
        """Devices and nodes that say nothing for too long; an inverter that sleeps at night is none."""
        now_s = cycle.state.now_s
        for node, session in self._sessions.items():
            devices = dict.fromkeys(block.device for block in session.table.blocks)
            is_mute = {node: not session.up or now_s - session.seen_s > SILENT_S}
            for device in devices:
                assumed = cycle.state.reading(device, "p_w").mark is not None
                is_mute[device] = session.quality(device, now_s) != "good" and not assumed
            for name, mute in is_mute.items():
                since_s = self._silent_s.setdefault(name, now_s) if mute else self._silent_s.pop(name, now_s)
                if mute and now_s - since_s >= SILENT_S:
                    role = "node" if name == node else self._origin.roles[name]
                    reason = Reason(code=f"{'node' if name == node else 'device'}_silent", numbers={"name": name})
                    yield Alarm(device=name, role=role, reason=reason)

    def _gateway(self, worst: Worst) -> dict[str, FieldValue]:
        known: dict[str, float | None] = {"late_ms": worst.late_ms}
        if worst.import_w is not None and 0.0 < self._site.import_limit_w < float("inf"):
            known["import_share_pct"] = 100.0 * max(worst.import_w, 0.0) / self._site.import_limit_w
        if self._status is not None:
            figures = self._status.status(cycles=0, cycle_late_ms=NO_TIMES)
            refused = figures.database.refused
            known |= {
                "latency_ms": figures.latency_ms.median,
                "waiting": self._status.outbox.waiting,
                "dropped": figures.database.dropped,
                "refused": refused if isinstance(refused, int) else 0,
                "memory_mb": figures.rss_mb,
                "is_broker_up": self._status.broker.is_up,
            }
        return {name: float(value) for name, value in known.items() if value is not None}


def _node(session: NodeSession, now_s: float) -> dict[str, FieldValue]:
    status, health = session.status, session.health
    ring = health.get("ring")
    waiting = _number(ring.get("next")) - _number(ring.get("oldest")) if isinstance(ring, dict) else 0.0
    fields: dict[str, FieldValue] = {
        "is_up": float(status.up),
        "is_heard": float(status.heard),
        "lost": float(session.ledger.lost),
        "waiting": max(waiting, 0.0),
        "restarts": _number(health.get("restarts")),
    }
    if "uptime_s" in health:
        fields |= {"uptime_s": _number(health["uptime_s"]), "memory_kb": _number(health.get("heap_free")) / 1024.0}
    age_s = now_s - session.seen_s
    return fields if age_s == float("inf") else {**fields, "age_s": age_s}


def _devices(session: NodeSession, now_s: float, utc_s: float) -> Iterator[tuple[str, dict[str, FieldValue]]]:
    devices = list(dict.fromkeys(block.device for block in session.table.blocks))
    units = session.health.get("units")
    counts = units if isinstance(units, list) and len(units) == len(devices) and session.runs_our_table else []
    written = session.writes.today(utc_s)
    for number, device in enumerate(devices):
        quality = session.quality(device, now_s)
        fields: dict[str, FieldValue] = {"quality": quality, "is_good": float(quality == "good")}
        readings = session.readings.get(device, {}).values()
        if readings:
            fields["age_s"] = now_s - max(reading.measured_s for reading in readings)
        if counts and isinstance(counts[number], list) and len(counts[number]) == 5:
            answers, timeouts, bad, exceptions, answer_ms = (_number(each) for each in counts[number])
            fields |= {"answers": answers, "timeouts": timeouts, "errors": bad + exceptions, "answer_ms": answer_ms}
        setpoint = session.table.profile(device).setpoint
        if setpoint is not None and setpoint.writes_per_day is not None:
            fields["writes_left"] = float(max(setpoint.writes_per_day - written.get(device, 0), 0))
        yield device, fields


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
