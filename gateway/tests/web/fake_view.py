"""A building for the page alone: states and a history as the gateway would give them, changed by the test."""

import asyncio
import copy
import math

from gateway.tests.view.decoder import decode
from gateway.view.schema.cycle import CycleView
from gateway.view.schema.plan import PlanView
from gateway.view.schema.status import StatusView
from gateway.view.schema.trend import TrendView

NOON = 1_718_964_605  # 2024-06-21T10:10:05Z


def point(name, value, age_s=0.4, why=None):
    return {"name": name, "value": value, "age_s": age_s, "why": why}


SUNNY = {
    "cycle": 1,
    "time": "2024-06-21T10:10:05Z",
    "site": {"id": "lens-demo", "name": "Maison de quartier, Lens", "time_zone": "Europe/Paris"},
    "version": "0.1.0",
    "flow": {"grid_w": -1200.0, "pv_w": -3400.0, "battery_w": 1500.0, "load_w": 700.0},  # -1200 = -3400 + 1500 + 700
    "soc": 0.53,
    "reserve": 0.1,
    "devices": [
        {
            "id": "grid", "role": "grid", "title": "Eastron SDM630-Modbus", "node": "cellar", "quality": "good",
            "age_s": 0.4, "why": None,
            "points": [point("p_w", -1200.0), point("e_import_wh", 1_234_560.0), point("e_export_wh", 987_600.0)],
        },
        {
            "id": "roof", "role": "pv", "title": "SunSpec three-phase inverter", "node": "cellar", "quality": "good",
            "age_s": 0.7, "why": None,
            "points": [point("p_w", -3400.0, 0.7), point("e_wh", 12_345_678.0, 0.7), point("f_hz", 49.98, 0.7)],
        },
        {
            "id": "battery", "role": "battery", "title": "SMA Sunny Boy Storage", "node": "cellar", "quality": "good",
            "age_s": 0.3, "why": None,
            "points": [
                point("p_w", 1500.0, 0.3), point("soc", 0.53, 0.3), point("e_charge_wh", 450_000.0, 0.3),
                point("temp_c", None, None, "nan"),
            ],
        },
    ],
    "setpoint": {
        "device": "battery", "power_w": 1500.0, "mode": "control",
        "reason": {"code": "hold_grid_charge", "numbers": {"net_w": -2700.0, "target_w": -1200.0, "power_w": 1500.0}},
    },
    "setpoints": [],
    "orders": {"battery": {"asked_w": 1500.0, "applied_w": 1500.0, "held_w": None, "by": "applied", "why": ""}},
    "plan": {"made_s": NOON - 5.0},
    "links": {
        "broker": True,
        "nodes": [
            {
                "id": "cellar", "up": True, "age_s": 0.2, "lost": 0, "boot": 7, "fw": "0.1.0", "build": 848000000,
                "mode": "run", "why": "", "refused": "", "heard": True, "update": "", "test": "", "has_table": True,
            }
        ],
    },
    "database": {"configured": True, "waiting": 0, "error": None},
}  # fmt: skip


SUNNY["setpoints"] = [{**SUNNY["setpoint"], "name": "battery", "kind": None, "role": "battery"}]


def with_loads():
    """A car takes surplus, the water is warm, and a second battery helps."""
    state = copy.deepcopy(SUNNY)
    state["flow"].update(grid_w=0.0, load_w=300.0, loads_w=1600.0)  # 0 = -3400 + 1500 + 300 + 1600
    load = {"mode": "control", "role": "load"}
    takes = {"code": "load_takes", "numbers": {"power_w": 1600.0, "surplus_w": 3100.0}}
    warm = {"code": "load_warm", "numbers": {"temp_c": 60.2, "high_c": 60.0}}
    state["setpoints"] += [
        {**state["setpoint"], "device": "loft", "name": "loft", "kind": None, "role": "battery", "power_w": 700.0},
        {**load, "device": "wallbox", "name": "car", "kind": "car", "power_w": 1600.0, "reason": takes},
        {**load, "device": "heater", "name": "water", "kind": "tank", "power_w": 0.0, "reason": warm},
    ]
    return state


def without_meter():
    """The grid meter has been silent for 95 s: control released the battery."""
    state = copy.deepcopy(SUNNY)
    state["flow"].update(grid_w=None, load_w=None)
    state["devices"][0].update(quality="absent", age_s=95.0, why="timeout")
    state["devices"][0]["points"] = [point("p_w", None, 95.0, "timeout"), point("e_import_wh", None, 95.0, "timeout")]
    state["devices"][1].update(quality="stale", age_s=12.0, why="stale")
    state["setpoint"].update(power_w=None, mode="release", reason={"code": "lost_meter", "numbers": {"age_s": 95.0}})
    state["setpoints"] = [{**state["setpoint"], "name": "battery", "kind": None, "role": "battery"}]
    state["orders"]["battery"].update(asked_w=1200.0, applied_w=None, held_w=1180.0, why="readback")
    state["database"].update(waiting=1240, error="connection refused")
    return state


def without_room():
    """The disk is full, and the database refuses the token and had refused some values."""
    state = copy.deepcopy(SUNNY)
    troubles = [
        {"code": "store_full", "numbers": {}},
        {"code": "database_token", "numbers": {"status": "401", "said": "unauthorized access"}},
        {"code": "database_refused", "numbers": {"count": 200}},
    ]
    state["database"].update(waiting=1240, error="the store is not on disk", refused=200, troubles=troubles)
    return state


def day(hours, end=NOON, step_s=120):
    """A sunny day at a house with a battery: grid = pv + battery + load in each step, and half an hour of nothing."""
    times = [end - int(hours * 3600) + index * step_s for index in range(int(hours * 3600 / step_s))]
    rows = {"t": times, "pv_w": [], "load_w": [], "battery_w": [], "grid_w": [], "soc": []}
    soc = 0.35
    for time in times:
        clock = (time / 3600 + 2) % 24  # Paris in summer
        cloud = 0.75 + 0.25 * math.sin(time / 700) * math.sin(time / 430)
        pv = -4200 * max(0.0, math.sin(math.pi * (clock - 6) / 15.5)) ** 1.5 * cloud if 6 < clock < 21.5 else 0.0
        load = 260 + 90 * math.sin(time / 900) ** 2 + (1900 if 18.5 < clock < 19.6 or 7 < clock < 7.4 else 0)
        load += 2100 if time % 14400 < 360 else 0
        wanted = -(pv + load)
        battery = max(-2500.0, min(2500.0, wanted))
        battery = 0.0 if (battery > 0 and soc >= 0.98) or (battery < 0 and soc <= 0.1) else battery
        soc = min(0.98, max(0.1, soc + battery * step_s / 3600 / 9000))
        known = not end - 9.0 * 3600 < time < end - 8.5 * 3600
        row = {"pv_w": pv, "load_w": load, "battery_w": battery, "grid_w": pv + load + battery, "soc": soc}
        for name, value in row.items():
            rows[name].append(round(value, 3) if known else None)
    return rows


def winter_plan(start=NOON // 900 * 900, steps=96):
    """A battery that is filled at night and kept for the evening; the keys of `PlanView`."""
    hours = [(start + 900 * i) / 3600 % 24 + 2 for i in range(steps)]  # Paris in summer
    night = [hour % 24 < 6 or hour % 24 >= 22 for hour in hours]
    until = {"begin_day": 1.0, "begin_clock": 360.0, "end_clock": 1320.0}
    kept = {"code": "kept", "numbers": {"kept_wh": 3100.0, "worth_price": 0.19, **until}}
    bought = {"energy_wh": 3100.0, "buy_price": 0.1635, "worth_price": 0.19, **until}
    fill = {"code": "grid_charge", "numbers": bought}
    return {
        "made_s": start + 3.0,
        "step_s": 900.0,
        "why": None,
        "notes": [],
        "t": [start + 900 * i for i in range(steps)],
        "charge": [0.7 if cheap else 0.0 for cheap in night],
        "reserve": [0.8 if cheap else 0.1 + 0.35 * (hour % 24 < 17) for hour, cheap in zip(hours, night, strict=True)],
        "fill": [0.9 if 11 < hour % 24 < 13 else 1.0 for hour in hours],
        "export": [1.0] * steps,
        "expected": [0.5 + 0.2 * math.sin(hour / 4) for hour in hours],
        "buy": [0.1635 if cheap else 0.2081 for cheap in night],
        "sell": [0.04] * steps,
        "names": ["HC" if cheap else "HP" for cheap in night],
        "reasons": [fill if cheap else kept for cheap in night],
        "loads": [],
    }


def plan_with_loads():
    """The same with a car that is charged at night, and hot water at noon."""
    plan = winter_plan()
    cheap = [name == "HC" for name in plan["names"]]
    waits = {"now_price": 0.2081, "later_price": 0.1635, "begin_day": 0.0, "begin_clock": 1320.0}
    due = {"power_w": 3680.0, "buy_price": 0.1635, "wanted_wh": 12_000.0, "due_day": 1.0, "due_clock": 420.0}
    noon = [value < 1.0 for value in plan["fill"]]
    wait, charge = {"code": "load_wait", "numbers": waits}, {"code": "load_due", "numbers": due}
    sun = {"code": "load_surplus", "numbers": {"power_w": 2400.0, "surplus_w": 2400.0, "sell_price": 0.04}}
    done = {"code": "load_done", "numbers": {}}
    car = {"name": "car", "kind": "car", "power_w": [3680.0 * now for now in cheap]}
    water = {"name": "water", "kind": "tank", "power_w": [2400.0 * now for now in noon]}
    roof = {"name": "roof", "kind": "inverter", "power_w": [-1000.0] * len(noon)}
    free = {"code": "load_free", "numbers": {}}
    plan["loads"] = [
        {**car, "reasons": [charge if now else wait for now in cheap]},
        {**water, "reasons": [sun if now else done for now in noon]},
        {**roof, "reasons": [free for _ in noon]},
    ]
    return plan


STATUS = {
    "cycles": 1,
    "cycle_late_ms": {"median": 0.5, "p99": 1.5},
    "instance": "1f2e3d4c",
    "orders": {"sent": 1, "applied": 1, "refused": 0, "failed": 0},
    "latency_ms": {"median": 240.0, "p99": 310.0},
    "nodes": {},
    "time": {"answered": 0, "ignored": 0},
    "database": {"written": 0, "dropped": 0},
    "rss_mb": 61.0,
    "rss_peak_mb": 64.5,
}


class FakeView:
    """What the tests show to the page."""

    def __init__(self, state=SUNNY, *, known_h=168.0):
        """`known_h`: how far back the history goes."""
        self._known_h = known_h
        self._state = copy.deepcopy(state)
        self.shown_plan = winter_plan()
        self._news = asyncio.Event()
        self.asked_hours = []

    def publish(self, state=None):
        """The next cycle, with the same or another content."""
        cycle = self._state["cycle"] + 1
        self._state = {**copy.deepcopy(state or self._state), "cycle": cycle}
        self._news.set()
        self._news = asyncio.Event()

    def state(self):
        return decode(CycleView, self._state)

    def trend(self, hours):
        self.asked_hours.append(hours)
        hours = min(hours, self._known_h)
        return decode(TrendView, day(hours, step_s=max(12, int(hours * 3600 / 1400))))

    def plan(self):
        return decode(PlanView, self.shown_plan)

    def status(self):
        return decode(StatusView, STATUS)

    async def changed(self, after):
        while self._state["cycle"] <= after:
            await self._news.wait()
        return self._state["cycle"]
