"""A cycle as it is shown: flow, charge, devices and set-points."""

import math
from collections.abc import Callable, Sequence

from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, Reading, Reason, SetPoint, SiteState
from gateway.ports import Cycle
from gateway.view.labels import Labels
from gateway.view.schema.cycle import (
    DeviceView,
    FlowView,
    NamedSetPointView,
    PointView,
    ReasonView,
    SetPointView,
)
from gateway.view.schema.keys import LEFT_OUT, LeftOut

SOC_SHOWN_S = 60.0  # charge moves slowly: a minute is less than a percent

Quality = Callable[[str, float], str]
"""(device, monotonic now) -> good, stale or absent."""


def flow_view(site: Site, cycle: Cycle) -> FlowView:
    """Power now, of all devices of a role together."""
    state, house = cycle.state, cycle.house
    return FlowView(
        grid_w=state.value(site.grid, "p_w", max_age_s=SHOWN_S),
        pv_w=_power_w(state, site.pv),
        battery_w=_power_w(state, [battery.id for battery in site.batteries]),
        load_w=cycle.load_w,
        loads_w=_loads_w(state, site),
        load_low_w=house.low_w if house.missing else LEFT_OUT,
        load_high_w=house.high_w if house.missing else LEFT_OUT,
        unknown=house.missing or LEFT_OUT,
    )


def soc(site: Site, state: SiteState) -> float | None:
    """Charge of all batteries together (fraction); None without a battery and where one does not say it."""
    batteries = site.batteries
    charges = [state.value(battery.id, "soc", max_age_s=SOC_SHOWN_S) for battery in batteries]
    if len(charges) == 1:
        return charges[0]
    stored = [None if soc is None else soc * b.capacity_wh for soc, b in zip(charges, batteries, strict=True)]
    stored_wh = _sum(stored)
    return None if stored_wh is None else stored_wh / sum(battery.capacity_wh for battery in batteries)


def reserve(site: Site) -> float:
    """Share that all batteries together keep back; 0 without a battery."""
    whole_wh = sum(battery.capacity_wh for battery in site.batteries)
    kept_wh = sum(battery.reserve * battery.capacity_wh for battery in site.batteries)
    return kept_wh / whole_wh if whole_wh else 0.0


def device_views(state: SiteState, labels: Labels, quality: Quality) -> tuple[DeviceView, ...]:
    """All devices with all their points."""
    return tuple(_device_view(state, labels, device, quality(device, state.now_s)) for device in labels.devices)


def setpoint_view(setpoint: SetPoint) -> SetPointView:
    """A set-point alone."""
    return SetPointView(
        device=setpoint.device,
        power_w=setpoint.power_w,
        mode=setpoint.mode.value,
        reason=reason_view(setpoint.reason),
    )


def named_setpoint_view(setpoint: SetPoint, site: Site, labels: Labels) -> NamedSetPointView:
    """A set-point with what people call its device: the id of a load's section stands above that of its device."""
    name = next((load.id for load in site.loads if load.device == setpoint.device), setpoint.device)
    return NamedSetPointView(
        device=setpoint.device,
        power_w=setpoint.power_w,
        mode=setpoint.mode.value,
        reason=reason_view(setpoint.reason),
        name=name,
        kind=labels.kinds.get(name),
        role=labels.devices[setpoint.device].role,
        stays=True if math.isinf(site.reverts_after_s(setpoint.device)) else LEFT_OUT,
    )


def reason_view(reason: Reason) -> ReasonView:
    """A reason with its numbers."""
    return ReasonView(code=reason.code, numbers=reason.numbers)


def _device_view(state: SiteState, labels: Labels, device: str, quality: str) -> DeviceView:
    label, power = labels.devices[device], state.reading(device, "p_w")
    return DeviceView(
        id=device,
        role=label.role,
        title=label.title,
        node=label.node,
        quality="assumed" if power.mark else quality,
        age_s=_age_s(power, state.now_s),
        why=power.why or power.mark or ("stale" if quality == "stale" else None),
        points=tuple(_point_view(name, state.reading(device, name), state.now_s) for name in label.points),
    )


def _point_view(name: str, reading: Reading, now_s: float) -> PointView:
    return PointView(name=name, value=reading.value, age_s=_age_s(reading, now_s), why=reading.why or reading.mark)


def _age_s(reading: Reading, now_s: float) -> float | None:
    return None if math.isinf(reading.measured_s) else round(now_s - reading.measured_s, 2)


def _loads_w(state: SiteState, site: Site) -> float | LeftOut | None:
    """What planned loads draw, which is no part of the base load."""
    return _power_w(state, [load.device for load in site.loads]) if site.loads else LEFT_OUT


def _power_w(state: SiteState, devices: Sequence[str]) -> float | None:
    return _sum([state.value(device, "p_w", max_age_s=SHOWN_S) for device in devices])


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum; None without values and where one is missing."""
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
