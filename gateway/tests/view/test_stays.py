"""A set-point that nothing ends when its node is lost says so; all others leave the field out."""

import math
from dataclasses import replace

import pytest

from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.view.cycle import named_setpoint_view
from gateway.view.labels import DeviceLabel, Labels
from gateway.view.schema.cycle import SiteView
from gateway.view.schema.keys import LEFT_OUT

BATTERY = Battery(
    id="battery",
    capacity_wh=10000.0,
    charge_max_w=5000.0,
    discharge_max_w=5000.0,
    reserve=0.1,
    soc_max=1.0,
    dead_time_s=1.0,
    ramp_w_per_s=2000.0,
)
SITE = Site(grid="grid", pv=(), batteries=(BATTERY,), grid_setpoint_w=0.0, import_limit_w=9000.0, export_limit_w=6000.0)
LABELS = Labels(
    site=SiteView(id="lens", name="Lens", time_zone="Europe/Paris"),
    version="0",
    devices={"battery": DeviceLabel(role="battery", title="Battery", node="cellar", points=())},
    kinds={},
)


@pytest.mark.parametrize(("reverts_after_s", "stays"), [(60.0, LEFT_OUT), (math.inf, True)])
def test_a_set_point_that_stays_says_so(reverts_after_s: float, stays: object) -> None:
    site = replace(SITE, batteries=(replace(BATTERY, reverts_after_s=reverts_after_s),))
    setpoint = SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="surplus"))
    assert named_setpoint_view(setpoint, site, LABELS).stays is stays
