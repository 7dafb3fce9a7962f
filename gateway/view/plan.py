"""A plan as it is shown: columns of fractions, prices and reasons."""

from collections.abc import Mapping, Sequence

from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Battery
from gateway.planning.service import PlanStatus
from gateway.view.cycle import reason_view
from gateway.view.schema.plan import LoadPlanView, PlanView


def plan_view(status: PlanStatus, batteries: Sequence[Battery], utc_s: float, kinds: Mapping[str, str]) -> PlanView:
    """The slots from the present one on; empty columns without a plan.

    `kinds`: of loads, by their names; one that is in the plan and not there is an inverter that may be curtailed.
    """
    plan = status.plan
    slots = [slot for slot in plan.slots if slot.start_s > utc_s - plan.step_s] if plan else []
    whole_wh = sum(battery.capacity_wh for battery in batteries) or 1.0
    reserve_wh = sum(battery.reserve * battery.capacity_wh for battery in batteries)

    def share(stored_wh: float) -> float:
        return round((reserve_wh + stored_wh) / whole_wh, 4)

    return PlanView(
        made_s=plan.made_s if plan else None,
        step_s=plan.step_s if plan else None,
        why=reason_view(status.why) if status.why else None,
        notes=tuple(reason_view(note) for note in plan.notes) if plan else (),
        t=tuple(slot.start_s for slot in slots),
        charge=tuple(share(slot.levels.charge_wh) if slot.levels.charge_wh > 0 else 0.0 for slot in slots),
        reserve=tuple(share(slot.levels.reserve_wh) for slot in slots),
        fill=tuple(share(slot.levels.fill_wh) for slot in slots),
        export=tuple(share(slot.levels.export_wh) for slot in slots),
        expected=tuple(None if slot.energy_wh is None else share(slot.energy_wh) for slot in slots),
        buy=tuple(slot.buy for slot in slots),
        sell=tuple(slot.sell for slot in slots),
        names=tuple(slot.name for slot in slots),
        reasons=tuple(reason_view(slot.reason) for slot in slots),
        loads=tuple(_load_view(name, kinds, rows[-len(slots) :]) for name, rows in plan.loads.items())
        if plan and slots
        else (),
    )


def _load_view(name: str, kinds: Mapping[str, str], rows: Sequence[LoadSlot]) -> LoadPlanView:
    """One load on the steps shown."""
    return LoadPlanView(
        name=name,
        kind=kinds.get(name, "inverter"),
        power_w=tuple(round(row.power_w, 1) for row in rows),
        reasons=tuple(reason_view(row.reason) for row in rows),
    )
