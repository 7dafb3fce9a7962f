"""Rows of a quarter hour that is over: what flowed, what it cost, and what batteries and loads had of it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from gateway.core.accounts.quarter_account import Flows, PriceInForce, QuarterAccount
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row

WH_PER_KWH = 1000.0
Numbers = Mapping[str, float | None]


def account_rows(account: QuarterAccount, origin: RowOrigin) -> Iterator[Row]:
    """One row of the building, one of each device and load, and one of the price where it is known."""
    time_ms = 1000 * account.start_s
    tags = origin.site_tags()
    yield Row(measurement="account", tags=tags, fields=_known(_building(account, origin)), time_ms=time_ms)
    if price := _price(account):
        yield Row(measurement="price", tags=tags, fields=price, time_ms=time_ms)
    for device, energy in account.devices.items():
        fields = _known({"drawn_wh": energy.drawn_wh, "given_wh": energy.given_wh})
        fields |= {"is_new_counter": float(device in account.epochs), "source": energy.source.value}
        yield Row(measurement="account_device", tags=origin.device_tags(device), fields=fields, time_ms=time_ms)
    for load, used in account.loads.items():
        parts: Numbers = {
            "used_wh": used.used_wh,
            "of_sun_wh": used.of_sun_wh,
            "of_battery_wh": used.of_battery_wh,
            "cost_eur": _load_cost(used.used_wh, used.of_sun_wh, used.of_battery_wh, account.price),
        }
        if fields := _known(parts):
            yield Row(measurement="account_load", tags=origin.tags(load, "load"), fields=fields, time_ms=time_ms)


def battery_eur(flows: Flows, price: PriceInForce) -> float:
    """What the batteries brought in a quarter hour (EUR): spared import and sales, less purchases and unsold PV."""
    spared = flows.battery_to_load_wh - flows.grid_to_battery_wh
    sold = flows.battery_to_grid_wh - flows.pv_to_battery_wh
    return (spared * price.buy + sold * price.sell) / WH_PER_KWH


def _building(account: QuarterAccount, origin: RowOrigin) -> Numbers:
    price, flows = account.price, account.flows
    import_wh, export_wh = _total(account, origin, "grid")[::-1]
    charge_wh, discharge_wh = _total(account, origin, "battery")
    co2 = account.co2_g_per_kwh
    return {
        "import_wh": import_wh,
        "export_wh": export_wh,
        "pv_wh": _total(account, origin, "pv")[1],
        "charge_wh": charge_wh,
        "discharge_wh": discharge_wh,
        "used_wh": account.used_wh,
        "curtailed_wh": account.curtailed_wh,
        "stored_wh": account.stored_wh,
        **(asdict(flows) if flows is not None else {}),
        "cost_eur": None if price is None or import_wh is None else import_wh / WH_PER_KWH * price.buy,
        "revenue_eur": None if price is None or export_wh is None else export_wh / WH_PER_KWH * price.sell,
        "battery_eur": None if price is None or flows is None else battery_eur(flows, price),
        "co2_g": None if co2 is None or import_wh is None else import_wh / WH_PER_KWH * co2,
        "seen_pct": 100.0 * account.seen,
    }


def _total(account: QuarterAccount, origin: RowOrigin, role: str) -> tuple[float | None, float | None]:
    """(drawn, given) of all devices of a role; None where one is not known, and without any."""
    found = [energy for device, energy in account.devices.items() if origin.roles.get(device) == role]
    return _sum([one.drawn_wh for one in found]), _sum([one.given_wh for one in found])


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None


def _load_cost(
    used_wh: float | None, of_sun_wh: float | None, of_battery_wh: float | None, price: PriceInForce | None
) -> float | None:
    if price is None or used_wh is None or of_sun_wh is None or of_battery_wh is None:
        return None
    return (used_wh - of_sun_wh - of_battery_wh) / WH_PER_KWH * price.buy


def _price(account: QuarterAccount) -> dict[str, FieldValue]:
    price = account.price
    found: dict[str, FieldValue] = {}
    if price is not None:
        found = {"buy_eur_per_kwh": float(price.buy), "sell_eur_per_kwh": float(price.sell)}
        found |= {"period": price.period} if price.period else {}
    return found if account.co2_g_per_kwh is None else {**found, "co2_g_per_kwh": float(account.co2_g_per_kwh)}


def _known(numbers: Numbers) -> dict[str, FieldValue]:
    return {name: float(value) for name, value in numbers.items() if value is not None}
