"""A plan as the page draws it: columns of fractions, prices and reasons."""

from collections.abc import Mapping, Sequence

from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Battery
from gateway.core.model.state import Reason
from gateway.planning.service import PlanStatus


def told(status: PlanStatus, batteries: Sequence[Battery], utc_s: float, kinds: Mapping[str, str]) -> dict[str, object]:
    """The slots from the present one on (`gateway.web.view.View.plan`); empty columns without a plan.

    `kinds`: of loads, by their names; one that is in the plan and not there is an inverter that is held back.
    """
    plan = status.plan
    slots = [slot for slot in plan.slots if slot.start_s > utc_s - plan.step_s] if plan else []
    whole_wh = sum(battery.capacity_wh for battery in batteries) or 1.0
    reserve_wh = sum(battery.reserve * battery.capacity_wh for battery in batteries)

    def share(stored_wh: float) -> float:
        return round((reserve_wh + stored_wh) / whole_wh, 4)

    return {
        "made_s": plan.made_s if plan else None,
        "step_s": plan.step_s if plan else None,
        "why": _reason(status.why) if status.why else None,
        "notes": [_reason(note) for note in plan.notes] if plan else [],
        "t": [slot.start_s for slot in slots],
        "charge": [share(slot.levels.charge_wh) if slot.levels.charge_wh > 0 else 0.0 for slot in slots],
        "reserve": [share(slot.levels.reserve_wh) for slot in slots],
        "fill": [share(slot.levels.fill_wh) for slot in slots],
        "export": [share(slot.levels.export_wh) for slot in slots],
        "expected": [None if slot.energy_wh is None else share(slot.energy_wh) for slot in slots],
        "buy": [slot.buy for slot in slots],
        "sell": [slot.sell for slot in slots],
        "names": [slot.name for slot in slots],
        "reasons": [_reason(slot.reason) for slot in slots],
        "loads": [_load(name, kinds, rows[-len(slots) :]) for name, rows in plan.loads.items()]
        if plan and slots
        else [],
    }


def _load(name: str, kinds: Mapping[str, str], rows: Sequence[LoadSlot]) -> dict[str, object]:
    """One load on the steps shown: mean power (W), and why."""
    return {
        "name": name,
        "kind": kinds.get(name, "inverter"),
        "power_w": [round(row.power_w, 1) for row in rows],
        "reasons": [_reason(row.reason) for row in rows],
    }


def _reason(reason: Reason) -> dict[str, object]:
    return {"code": reason.code, "numbers": dict(reason.numbers)}
