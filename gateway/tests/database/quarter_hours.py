"""Quarter hours of a building whose figures can be told by hand: 1 kW from the grid all day, and a sun that is a box.

All day the building uses 1.5 kW. From 10:00 to 14:00 (local) PV gives 3 kW: 1.5 kW are used, 1 kW charges the battery,
0.5 kW are sold. From 18:00 to 20:00 the battery gives 1.5 kW, else the grid does. The car uses 1 kW of it from 2 to 4.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
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
QUARTER = timedelta(minutes=15)
HP = PriceInForce(period="HP", buy=0.2081, sell=0.04)
HC = PriceInForce(period="HC", buy=0.1635, sell=0.04)


def local(day: date) -> datetime:
    """When a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS)


def accounts(*, first: date = date(2026, 10, 24), days: int = 3) -> Iterator[QuarterAccount]:
    """Of so many days of the local clock."""
    now, end = local(first).astimezone(UTC), local(first + timedelta(days=days)).astimezone(UTC)
    while now < end:
        yield account(now)
        now += QUARTER


def account(start: datetime) -> QuarterAccount:
    """Of the quarter hour that begins then."""
    hour = start.astimezone(PARIS).hour
    sunny, evening, night = 10 <= hour < 14, 18 <= hour < 20, 2 <= hour < 4
    used_wh, pv_wh = 375.0, 750.0 if sunny else 0.0
    charge_wh, discharge_wh = (250.0 if sunny else 0.0), (375.0 if evening else 0.0)
    export_wh = 125.0 if sunny else 0.0
    import_wh = 0.0 if sunny or evening else used_wh
    return QuarterAccount(
        start_s=round(start.timestamp()),
        devices={
            "grid": DeviceEnergy(drawn_wh=export_wh, given_wh=import_wh, source=EnergySource.COUNTER),
            "pv": DeviceEnergy(drawn_wh=0.0, given_wh=pv_wh, source=EnergySource.COUNTER),
            "battery": DeviceEnergy(drawn_wh=charge_wh, given_wh=discharge_wh, source=EnergySource.POWER),
        },
        loads={"car": LoadEnergy(used_wh=250.0 if night else 0.0, of_sun_wh=0.0, of_battery_wh=0.0)},
        used_wh=used_wh,
        flows=Flows(
            pv_to_load_wh=375.0 if sunny else 0.0,
            pv_to_battery_wh=charge_wh,
            pv_to_grid_wh=export_wh,
            battery_to_load_wh=discharge_wh,
            grid_to_load_wh=import_wh,
        ),
        curtailed_wh=50.0 if sunny and hour == 12 else 0.0,
        stored_wh=2000.0,
        price=HC if hour >= 22 or hour < 6 else HP,
        co2_g_per_kwh=40.0,
    )
