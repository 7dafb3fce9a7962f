"""The rows that the gateway makes of days drawn by hand (`days`): cycles, readings, plans, accounts and figures."""

import math
from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace

from gateway.core.model.house import HouseLoad
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Plan, Slot, SlotForecast
from gateway.core.model.site import Battery, LoadDevice, Site
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.database.cycle_rows import cycle_rows
from gateway.database.decision_rows import Alarm
from gateway.database.reading_rows import reading_rows
from gateway.database.tags import RowOrigin
from gateway.observers.database_observer import DatabaseObserver
from gateway.ports import Cycle, Row
from gateway.tests.report.grafana.days import CAPACITY_WH, PARIS, QUARTER_S, ROLES, Minute, minutes, price_at, quarters
from gateway.words import sentence


def site(loads: tuple[LoadDevice, ...] = ()) -> Site:
    """The building as control knows it."""
    battery = Battery(
        id="battery",
        capacity_wh=CAPACITY_WH,
        charge_max_w=3000.0,
        discharge_max_w=3000.0,
        reserve=0.1,
        soc_max=1.0,
        dead_time_s=1.0,
        ramp_w_per_s=1000.0,
    )
    return Site(
        grid="meter",
        pv=("roof",),
        batteries=(battery,),
        grid_setpoint_w=0.0,
        import_limit_w=9000.0,
        export_limit_w=6000.0,
        loads=loads,
    )


LOADS = tuple(
    LoadDevice(load=SimpleNamespace(id=load, bands=()), device=load, takes_orders=True)  # type: ignore[arg-type]
    for load in ("car", "water")
)


def decision_of(one: Minute) -> tuple[SetPoint, ...]:
    """What control would have said of it."""
    battery = Reason(code="hold_grid_idle", numbers={"net_w": one.grid_w, "target_w": 0.0, "power_w": 0.0})
    net_w = one.used_w - one.pv_w
    numbers = {"net_w": net_w, "target_w": 0.0, "power_w": one.battery_w}
    if one.battery_w > 0.0 and net_w > 0.0:
        prices = {"now_price": 0.1635, "worth_price": 0.2041}
        battery = Reason(
            code="plan_charges",
            numbers={"level_wh": 4000.0, "stored_wh": one.soc * CAPACITY_WH, "power_w": one.battery_w, **prices},
        )
    elif one.soc >= 0.999:
        battery = Reason(code="full", numbers={"soc_pct": 100.0})
    elif one.battery_w > 0.0:
        battery = Reason(code="hold_grid_charge", numbers=numbers)
    elif one.battery_w < 0.0:
        battery = Reason(code="hold_grid_discharge", numbers=numbers)
    elif one.soc <= 0.1001:
        battery = Reason(code="reserve", numbers={"soc_pct": 10.0, "reserve_pct": 10.0})
    pairs = [("battery", one.battery_w, battery)]
    for load, power_w in (("car", one.car_w), ("water", one.water_w)):
        code = "load_plain" if power_w else "load_done"
        pairs.append((load, power_w, Reason(code=code)))
    return tuple(
        SetPoint(device=device, power_w=power_w, mode=Mode.CONTROL, reason=reason) for device, power_w, reason in pairs
    )


def plan_at(t: float, ahead: list[tuple[float, Minute]]) -> Plan:
    """What would be planned: the truth of each quarter hour, with a forecast around it."""
    slots = []
    for start_s, one in ahead:
        pv, base = one.pv_w, one.base_w
        low = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=9000.0, export_wh=9000.0)
        reason = decision_of(one)[0].reason
        slots.append(
            Slot(
                start_s=start_s,
                buy=price_at(is_dear=one.is_dear).buy,
                sell=0.04,
                levels=low,
                value=0.19,
                reason=reason,
                net_w=one.used_w - pv,
                energy_wh=(0.97 * one.soc - 0.1) * CAPACITY_WH,
                name="HP" if one.is_dear else "HC",
                forecast=SlotForecast(
                    load_w=(0.7 * base, 0.95 * base, 1.4 * base), pv_w=(-0.5 * pv, -0.9 * pv, -1.2 * pv)
                ),
            )
        )
    loads = {
        load: tuple(
            LoadSlot(power_w=getattr(one, f"{load}_w"), value=0.1, reason=Reason(code="load_plain")) for _, one in ahead
        )
        for load in ("car", "water")
    }
    return Plan(made_s=t, step_s=900.0, slots=tuple(slots), loads=loads)


def rows(
    first: date, days: int, *, building: str = "lens", language: str = "en", raw_from_s: float = 0.0, now_s: float = 9e9
) -> Iterator[Row]:
    """All rows of these days up to `now_s`, readings and cycles from `raw_from_s` on; plans reach further."""
    origin = RowOrigin(site=building, building=building, roles=ROLES)
    building_site, out = site(LOADS), list[Row]()
    alarms: list[Alarm] = []
    mute = Alarm(device="water", role="load", reason=Reason(code="device_silent", numbers={"name": "water"}))
    plans: dict[str, Plan] = {}
    observer = DatabaseObserver(
        site=building_site,
        origin=origin,
        say=lambda kind, reason: sentence(language, kind, reason.code, reason.numbers),
        add=out.extend,
        plan=lambda _utc_s: plans.get("now"),
        alarms=lambda _cycle: iter(alarms),
    )
    every = list(minutes(first, days))
    for quarter in quarters(first, days):
        if quarter.start_s + QUARTER_S <= now_s:
            observer.save_accounts([quarter])
    energy = dict.fromkeys(("import", "export", "pv", "charge", "discharge"), 1_000_000.0)
    for number, (t, one) in enumerate(every):
        energy["import"] += max(one.grid_w, 0.0) / 60.0
        energy["export"] += max(-one.grid_w, 0.0) / 60.0
        energy["pv"] += one.pv_w / 60.0
        if t < raw_from_s or t > now_s:
            continue
        if t % QUARTER_S == 0:
            plans["now"] = plan_at(t, every[number : number + 720 : 15])
        hour = datetime.fromtimestamp(t, PARIS).hour
        silent = hour == 9
        alarms[:] = [mute] if silent else []
        observer.show(_cycle(number, t, one))
        out += cycle_rows(_cycle(number, t, one), building_site, origin)
        out += _readings(t, one, energy, origin, silent=silent)
        out += _figures(number, t, one, origin, silent=silent)
        yield from out
        out.clear()
    yield from out


def _cycle(number: int, t: float, one: Minute) -> Cycle:
    powers = {"meter": one.grid_w, "roof": -one.pv_w, "battery": one.battery_w, "car": one.car_w, "water": one.water_w}
    devices = {device: {"p_w": Reading(value=power_w, measured_s=t)} for device, power_w in powers.items()}
    devices["battery"]["soc"] = Reading(value=one.soc, measured_s=t)
    return Cycle(
        number=number,
        state=SiteState(now_s=t, utc_s=t, devices=devices),
        setpoints=decision_of(one),
        load_w=one.base_w,
        late_ms=5.0,
        house=HouseLoad(load_w=one.base_w, low_w=one.base_w, high_w=one.base_w),
    )


def _readings(t: float, one: Minute, energy: dict[str, float], origin: RowOrigin, *, silent: bool) -> Iterator[Row]:
    def said(device: str, **values: float) -> Iterator[Row]:
        fresh = {name: Reading(value=value, measured_s=t) for name, value in values.items()}
        return reading_rows(fresh, origin=origin, device=device, time_ms=round(1000 * t))

    third = one.grid_w / 3.0
    yield from said(
        "meter", p_w=one.grid_w, e_import_wh=energy["import"], e_export_wh=energy["export"], p_l1_w=third, u_l1_v=231.0
    )
    yield from said("roof", p_w=-one.pv_w, e_produced_wh=energy["pv"])
    yield from said("battery", p_w=one.battery_w, soc=one.soc)
    yield from said("car", p_w=one.car_w)
    if silent:
        absent = {"p_w": Reading.absent("timeout", t)}
        yield from reading_rows(absent, origin=origin, device="water", time_ms=round(1000 * t))
    else:
        yield from said("water", p_w=one.water_w, temp_c=46.0 + (12.0 if one.water_w else 4.0 * math.sin(t / 20_000.0)))


def _figures(number: int, t: float, one: Minute, origin: RowOrigin, *, silent: bool) -> Iterator[Row]:
    """Of the parts: what `gateway/view/part_figures.py` makes in a running gateway."""
    time_ms = round(1000 * t)
    for device in ROLES:
        bad = silent and device == "water"
        fields: dict[str, float | str] = {
            "quality": "absent" if bad else "good",
            "is_good": 0.0 if bad else 1.0,
            "age_s": 60.0 if bad else 0.6,
            "answers": 60.0 * number,
            "timeouts": float(number // 300 + (30 if bad else 0)),
            "errors": float(number // 700),
            "answer_ms": 24.0,
        }
        if device == "battery":
            fields["writes_left"] = 480.0
        yield Row(measurement="device", tags=origin.device_tags(device), fields=fields, time_ms=time_ms)
    node: dict[str, float | str] = {
        "is_up": 1.0,
        "is_heard": 1.0,
        "is_twin": 0.0,
        "age_s": 0.4,
        "uptime_s": 60.0 * number,
        "memory_kb": 96.0 + number % 7,
        "waiting": float(number % 3),
        "lost": 0.0,
        "restarts": 0.0,
        "build": 12.0,
    }
    texts = {"fw": "0.1.0", "mode": "run", "why": "power", "refused": "", "update": "", "test": "good"}
    fields = {**node, **texts} if number % 360 == 0 else node
    yield Row(measurement="node", tags=origin.tags("cellar", "node"), fields=fields, time_ms=time_ms)
    figures = {
        "late_ms": 4.0 + number % 5,
        "import_share_pct": max(one.grid_w, 0.0) / 90.0,
        "latency_ms": 180.0 + number % 11,
        "waiting": float(number % 40),
        "dropped": 0.0,
        "refused": 0.0,
        "memory_mb": 92.0,
        "is_broker_up": 1.0,
    }
    yield Row(measurement="gateway", tags=origin.site_tags(), fields=figures, time_ms=time_ms)
