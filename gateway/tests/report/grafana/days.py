"""Days of a building drawn by hand, as the rows that the gateway makes of them: one cycle a minute, and its quarters.

A roof of 6 kW, a battery of 10 kWh, a base load with a kettle and an evening, a car at night and a water heater. What
flows follows one rule: the sun serves the building, then the battery, then the grid; the battery serves the evening.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core.accounts.quarter_account import (
    DeviceEnergy,
    EnergySource,
    Flows,
    LoadEnergy,
    PriceInForce,
    QuarterAccount,
)

PARIS = ZoneInfo("Europe/Paris")
MINUTE_S, QUARTER_S = 60, 900
CAPACITY_WH = 10_000.0
ROLES = {"meter": "grid", "roof": "pv", "battery": "battery", "car": "load", "water": "load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What flows in one minute (W; each 0 or above but `battery_w`, which is positive while charging)."""

    pv_w: float
    base_w: float
    car_w: float
    water_w: float
    battery_w: float
    soc: float
    is_dear: bool

    @property
    def used_w(self) -> float:
        return self.base_w + self.car_w + self.water_w

    @property
    def grid_w(self) -> float:
        return self.used_w + self.battery_w - self.pv_w


def local(day: date) -> float:
    """When a day begins (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp()


def minutes(first: date, days: int, soc: float = 0.4) -> Iterator[tuple[float, Minute]]:
    """(UTC, what flows) of so many days of the local clock."""
    t, end = local(first), local(first + timedelta(days=days))
    while t < end:
        at = datetime.fromtimestamp(t, PARIS)
        hour, cloud = at.hour + at.minute / 60.0, 0.55 + 0.45 * math.sin(at.toordinal() * 1.7)
        pv_w = 6000.0 * max(0.0, math.sin((hour - 7.5) / 10.5 * math.pi)) ** 1.5 * cloud if 7.5 < hour < 18.0 else 0.0
        base_w = 260.0 + 240.0 * math.exp(-((hour - 7.4) ** 2)) + 900.0 * math.exp(-((hour - 19.6) ** 2) / 3.0)
        base_w += 1900.0 if at.minute < 3 and at.hour in (7, 12, 16, 20) else 0.0
        base_w += 90.0 * math.sin(t / 700.0) ** 2
        car_w = 3680.0 if 2.0 <= hour < 4.5 and at.weekday() not in (5, 6) else 0.0
        water_w = 1800.0 if 12.5 <= hour < 14.0 else 0.0
        net_w = base_w + water_w - pv_w
        if net_w < 0.0:
            battery_w = min(-net_w, 3000.0) if soc < 1.0 else 0.0
        else:
            battery_w = -min(net_w, 3000.0) if soc > 0.1 and hour >= 6.0 else 0.0
        if 3.0 <= hour < 4.0 and soc < 0.5:
            battery_w = 2000.0  # bought at night for the morning
        soc += battery_w * (0.95 if battery_w > 0.0 else 1.0 / 0.95) / 60.0 / CAPACITY_WH
        soc = min(max(soc, 0.1), 1.0)
        yield (
            t,
            Minute(
                pv_w=pv_w,
                base_w=base_w,
                car_w=car_w,
                water_w=water_w,
                battery_w=battery_w,
                soc=soc,
                is_dear=6 <= at.hour < 22,
            ),
        )
        t += MINUTE_S


def price_at(*, is_dear: bool) -> PriceInForce:
    return PriceInForce(period="HP" if is_dear else "HC", buy=0.2081 if is_dear else 0.1635, sell=0.04)


@dataclass(slots=True)
class Sums:
    """Energies of a quarter hour (Wh)."""

    flows: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    minutes: list[Minute] = field(default_factory=list)

    def add(self, one: Minute) -> None:
        self.minutes.append(one)
        charge_w, discharge_w = max(one.battery_w, 0.0), max(-one.battery_w, 0.0)
        pv_to_load = min(one.pv_w, one.used_w)
        pv_to_battery = min(one.pv_w - pv_to_load, charge_w)
        flows = {
            "pv_to_load_wh": pv_to_load,
            "pv_to_battery_wh": pv_to_battery,
            "pv_to_grid_wh": one.pv_w - pv_to_load - pv_to_battery,
            "battery_to_load_wh": discharge_w,
            "grid_to_load_wh": one.used_w - pv_to_load - discharge_w,
            "grid_to_battery_wh": charge_w - pv_to_battery,
        }
        sun = pv_to_load / one.used_w if one.used_w else 0.0
        cell = discharge_w / one.used_w if one.used_w else 0.0
        values = {"pv": one.pv_w, "charge": charge_w, "discharge": discharge_w, "used": one.used_w}
        for load, power_w in (("car", one.car_w), ("water", one.water_w)):
            values |= {load: power_w, f"{load}_sun": power_w * sun, f"{load}_battery": power_w * cell}
        for name, power_w in flows.items():
            self.flows[name] = self.flows.get(name, 0.0) + power_w / 60.0
        for name, power_w in values.items():
            self.values[name] = self.values.get(name, 0.0) + power_w / 60.0

    def account(self, start_s: float) -> QuarterAccount:
        known, value = self.flows, self.values
        counted = EnergySource.COUNTER
        return QuarterAccount(
            start_s=round(start_s),
            devices={
                "meter": DeviceEnergy(
                    drawn_wh=known["pv_to_grid_wh"],
                    given_wh=known["grid_to_load_wh"] + known["grid_to_battery_wh"],
                    source=counted,
                ),
                "roof": DeviceEnergy(drawn_wh=0.0, given_wh=value["pv"], source=counted),
                "battery": DeviceEnergy(drawn_wh=value["charge"], given_wh=value["discharge"], source=counted),
            },
            loads={
                load: LoadEnergy(
                    used_wh=value[load], of_sun_wh=value[f"{load}_sun"], of_battery_wh=value[f"{load}_battery"]
                )
                for load in ("car", "water")
            },
            used_wh=value["used"],
            flows=Flows(**known),
            curtailed_wh=20.0 if value["pv"] > 1200.0 else 0.0,
            stored_wh=(self.minutes[-1].soc - 0.1) * CAPACITY_WH,
            price=price_at(is_dear=self.minutes[0].is_dear),
            co2_g_per_kwh=28.0,
        )


def quarters(first: date, days: int) -> Iterator[QuarterAccount]:
    """The accounts of so many days."""
    sums, start_s = Sums(), local(first)
    for t, one in minutes(first, days):
        if t - start_s >= QUARTER_S:
            yield sums.account(start_s)
            sums, start_s = Sums(), t
        sums.add(one)
    yield sums.account(start_s)
