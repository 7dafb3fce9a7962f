"""Rows of a plan: its levels, what it expects and why, slot by slot; and its prices."""

from collections.abc import Iterator

from gateway.core.model.plan import Plan, Slot
from gateway.core.model.site import Site
from gateway.database.decision_rows import Say
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row


def plan_rows(plan: Plan, site: Site, origin: RowOrigin, say: Say) -> Iterator[Row]:
    """A row of the plan and one of the price for each slot, and one for each load in it."""
    for slot in plan.slots:
        time_ms = round(1000 * slot.start_s)
        tags = origin.site_tags()
        yield Row(measurement="plan", tags=tags, fields=_slot(plan, slot, site, say), time_ms=time_ms)
        yield Row(measurement="price", tags=tags, fields=_price(slot), time_ms=time_ms)
    for load, slots in plan.loads.items():
        role = origin.roles.get(load, "load")  # an inverter that may be curtailed stands under its device
        for slot, each in zip(plan.slots, slots, strict=True):
            fields: dict[str, FieldValue] = {
                "p_w": float(each.power_w),
                "surplus_w": float(each.surplus_w),
                "reason": each.reason.code,
                "sentence": say("reason", each.reason),
            }
            time_ms = round(1000 * slot.start_s)
            yield Row(measurement="load_plan", tags=origin.tags(load, role), fields=fields, time_ms=time_ms)


def _slot(plan: Plan, slot: Slot, site: Site, say: Say) -> dict[str, FieldValue]:
    """Levels and forecasts; charges in percent of all batteries, the reserve below them included."""
    whole_wh = sum(battery.capacity_wh for battery in site.batteries)
    reserve_wh = sum(battery.reserve * battery.capacity_wh for battery in site.batteries)
    fields: dict[str, FieldValue] = {
        "made_s": float(plan.made_s),
        "value_eur_per_kwh": float(slot.value),
        "reason": slot.reason.code,
        "sentence": say("reason", slot.reason),
    }
    if whole_wh:

        def pct(stored_wh: float) -> float:
            return 100.0 * (reserve_wh + stored_wh) / whole_wh

        levels = slot.levels
        fields["charge_pct"] = pct(levels.charge_wh) if levels.charge_wh > 0.0 else 0.0
        fields |= {"reserve_pct": pct(levels.reserve_wh), "fill_pct": pct(levels.fill_wh)}
        fields["export_pct"] = pct(levels.export_wh)
        if slot.energy_wh is not None:
            fields["soc_pct"] = pct(slot.energy_wh)
    if slot.net_w is not None:
        fields["net_w"] = float(slot.net_w)
    if slot.forecast is not None:
        for name, (low_w, mid_w, high_w) in (("load", slot.forecast.load_w), ("pv", slot.forecast.pv_w)):
            fields |= {f"{name}_low_w": low_w, f"{name}_mid_w": mid_w, f"{name}_high_w": high_w}
    return fields


def _price(slot: Slot) -> dict[str, FieldValue]:
    prices: dict[str, FieldValue] = {"buy_eur_per_kwh": float(slot.buy), "sell_eur_per_kwh": float(slot.sell)}
    return {**prices, "period": slot.name} if slot.name else prices
