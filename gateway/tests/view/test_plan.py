"""A plan as the page draws it: from the present slot on, with what each load does and why."""

from dataclasses import replace

from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.planning.service import PlanStatus
from gateway.tests.planning.made_inputs import NOW, plan
from gateway.view.plan import plan_view
from gateway.view.schema.cycle import ReasonView

WAIT = LoadSlot(
    power_w=0.0, value=0.1, reason=Reason(code="load_turn", numbers={"begin_day": 0.0, "begin_clock": 60.0})
)
DUE = LoadSlot(power_w=3680.04, value=0.3, reason=Reason(code="load_due"))
FREE = LoadSlot(power_w=-1000.0, value=0.04, reason=Reason(code="load_free"))


def test_loads_are_shown_on_the_slots_that_are_shown() -> None:
    made = plan()
    rows = (WAIT, *(DUE,) * (len(made.slots) - 1))
    made = replace(made, loads={"car": rows, "roof": (FREE,) * len(made.slots)})
    later = plan_view(PlanStatus(plan=made, why=None), (), NOW + made.step_s + 1.0, {"car": "car"})
    assert len(later.t) == len(made.slots) - 1
    car, roof = later.loads
    assert (car.name, car.kind, roof.kind) == ("car", "car", "inverter")
    assert car.power_w == (3680.0,) * len(later.t)
    assert car.reasons[0] == ReasonView(code="load_due", numbers={})


def test_without_a_plan_there_are_no_loads() -> None:
    assert plan_view(PlanStatus(plan=None, why=Reason(code="plan_starting")), (), NOW, {}).loads == ()
