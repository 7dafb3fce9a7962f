"""Rows of decisions and alarms: a row when something changes, and again at each quarter hour."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.state import Reason, SetPoint
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row

Say = Callable[[str, Reason], str]
"""(`reason`, `alarm` or `trouble`; code with its numbers) -> the sentence in the site's language."""


PAUSE_S = 60.0  # between two reasons of a device: around 0 W they change each second, and each row is kept for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidDecision:
    """What was written of a device last."""

    quarter: int  # of UTC, counted from 1970
    at_s: float  # UTC
    mode: str
    code: str  # of the reason


DecisionMemory = Mapping[str, SaidDecision]  # by device


def decision_rows(
    memory: DecisionMemory, setpoints: tuple[SetPoint, ...], utc_s: float, origin: RowOrigin, say: Say
) -> tuple[DecisionMemory, list[Row]]:
    """A row for each device whose mode or reason is another one, or that has none in this quarter hour yet."""
    said, rows = dict(memory), []
    for setpoint in setpoints:
        mode, code = setpoint.mode.value, setpoint.reason.code
        now = SaidDecision(quarter=int(utc_s // QUARTER_S), at_s=utc_s, mode=mode, code=code)
        if not _is_due(memory.get(setpoint.device), now):
            continue
        said[setpoint.device] = now
        tags, time_ms = origin.device_tags(setpoint.device), round(1000 * utc_s)
        rows.append(Row(measurement="decision", tags=tags, fields=_decision(setpoint, say), time_ms=time_ms))
    return said, rows


def _is_due(before: SaidDecision | None, now: SaidDecision) -> bool:
    if before is None or (now.quarter, now.mode) != (before.quarter, before.mode):
        return True
    return now.code != before.code and abs(now.at_s - before.at_s) >= PAUSE_S


def _decision(setpoint: SetPoint, say: Say) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {
        "mode": setpoint.mode.value,
        "reason": setpoint.reason.code,
        "sentence": say("reason", setpoint.reason),
    }
    return fields if setpoint.power_w is None else {**fields, "p_set_w": float(setpoint.power_w)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person should look at."""

    device: str  # or a node, or `gateway`
    role: str  # of it
    reason: Reason  # a code with its numbers
    words: str = "alarm"  # its text is that of `<words>.<code>`


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMemory:
    """What was written last."""

    quarter: int = -1  # of UTC, counted from 1970
    on: Mapping[tuple[str, str], Alarm] = field(default_factory=dict)  # by device and code


def alarm_rows(
    memory: AlarmMemory, alarms: Iterator[Alarm], utc_s: float, origin: RowOrigin, say: Say
) -> tuple[AlarmMemory, list[Row]]:
    """A row for each alarm that begins or ends, and for each one at each quarter hour while it lasts."""
    quarter = int(utc_s // QUARTER_S)
    on = {(alarm.device, alarm.reason.code): alarm for alarm in alarms}
    said = memory.on if quarter == memory.quarter else {}
    begun = [_alarm_row(alarm, 1.0, utc_s, origin, say) for key, alarm in on.items() if key not in said]
    over = [_alarm_row(alarm, 0.0, utc_s, origin, say) for key, alarm in memory.on.items() if key not in on]
    return AlarmMemory(quarter=quarter, on=on), [*over, *begun]


def _alarm_row(alarm: Alarm, is_on: float, utc_s: float, origin: RowOrigin, say: Say) -> Row:
    return Row(
        measurement="alarm",
        tags=origin.tags(alarm.device, alarm.role),
        fields={"is_on": is_on, "code": alarm.reason.code, "sentence": say(alarm.words, alarm.reason)},
        time_ms=round(1000 * utc_s),
    )
