"""Rows of a cycle: the building's powers by role, and what each device is sent."""

from collections.abc import Iterable, Iterator, Sequence

from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, SetPoint
from gateway.database.tags import RowOrigin
from gateway.ports import Cycle, FieldValue, Row

SOC_SHOWN_S = 60.0  # charge moves slowly: a minute is less than a percent


def cycle_rows(cycle: Cycle, site: Site, origin: RowOrigin) -> Sequence[Row]:
    """One row of the building and one of each set-point, at the moment of the cycle."""
    time_ms = round(1000 * cycle.state.utc_s)
    whole = Row(measurement="site", tags=origin.site_tags(), fields=_building(cycle, site), time_ms=time_ms)
    return [whole, *(_control_row(setpoint, origin, time_ms) for setpoint in cycle.setpoints)]


def _building(cycle: Cycle, site: Site) -> dict[str, FieldValue]:
    """Powers by role (W, by the sign rule); what is not known is left out."""
    state, house = cycle.state, cycle.house
    known: dict[str, float | None] = {
        "grid_w": state.value(site.grid, "p_w", max_age_s=SHOWN_S),
        "pv_w": _sum_w(cycle, site.pv),
        "battery_w": _sum_w(cycle, [battery.id for battery in site.batteries]),
        "loads_w": _sum_w(cycle, [load.device for load in site.loads]),
        "load_w": cycle.load_w,
        "soc_pct": _soc_pct(cycle, site),
    }
    if house.missing:
        known |= {"load_low_w": house.low_w, "load_high_w": house.high_w}
    fields: dict[str, FieldValue] = {name: float(value) for name, value in known.items() if value is not None}
    fields["is_curtailed"] = float(cycle.curtailed)
    assumed = [device for device in (site.grid, *site.metered) if state.reading(device, "p_w").mark is not None]
    texts = {"assumed": ",".join(assumed), "unknown": ",".join(house.missing)}
    return fields | {name: text for name, text in texts.items() if text}


def _sum_w(cycle: Cycle, devices: Iterable[str]) -> float | None:
    """All of these together; None without any, and where one is not known: part of a sum is no sum."""
    powers = [cycle.state.value(device, "p_w", max_age_s=SHOWN_S) for device in devices]
    known = [power_w for power_w in powers if power_w is not None]
    return sum(known) if powers and len(known) == len(powers) else None


def _soc_pct(cycle: Cycle, site: Site) -> float | None:
    """Of all batteries together, weighed by their capacities."""
    whole_wh = sum(battery.capacity_wh for battery in site.batteries)
    stored_wh = 0.0
    for battery in site.batteries:
        soc = cycle.state.value(battery.id, "soc", max_age_s=SOC_SHOWN_S)
        if soc is None:
            return None
        stored_wh += soc * battery.capacity_wh
    return 100.0 * stored_wh / whole_wh if whole_wh else None


def _control_row(setpoint: SetPoint, origin: RowOrigin, time_ms: int) -> Row:
    fields: dict[str, FieldValue] = {"mode": setpoint.mode.value, "reason": setpoint.reason.code}
    fields |= dict(_numbers(setpoint))
    if setpoint.power_w is not None:
        fields["p_set_w"] = float(setpoint.power_w)
    return Row(measurement="control", tags=origin.device_tags(setpoint.device), fields=fields, time_ms=time_ms)


def _numbers(setpoint: SetPoint) -> Iterator[tuple[str, FieldValue]]:
    """The numbers of the reason, all of them floats."""
    for name, number in setpoint.reason.numbers.items():
        yield f"why_{name}", number if isinstance(number, str) else float(number)
