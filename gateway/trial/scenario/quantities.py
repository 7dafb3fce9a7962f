"""What a run writes each second: the house's truth and the gateway's belief under one name for each quantity.

The belief is read from the page's own picture of a cycle, so that a twin, a chain and a wired bench say the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.simulator.settings.config import LOADS, HouseConfig
from gateway.site.file.site_file import SiteFile
from gateway.trial.scenario.expectation import Value
from gateway.words import text

HOUSE = (
    "grid_w",
    "l1_w",
    "l2_w",
    "l3_w",
    "base_load_w",
    "pv_w",
    "battery_w",
    "soc",
    "battery_mode",
    "setpoint_w",
    "import_wh",
    "export_wh",
)
MORE = {"car_soc": ("car", "soc"), "tank_c": ("tank", "temp_c"), "heat_pump_c": ("heat_pump", "temp_c")}
"""Of loads, beside their powers: the load and what its status calls it."""
GATEWAY = ("grid_w", "pv_w", "battery_w", "load_w", "loads_w", "soc", "cycle")


def quantities(config: HouseConfig, file: SiteFile) -> list[str]:
    """All that there is in a scenario's house and site."""
    commanded = [id_ for id_ in file.devices if file.profiles[id_].setpoint is not None]
    return [
        *(f"house.{name}" for name in HOUSE),
        *(f"house.{load}_w" for load in LOADS if getattr(config, load) is not None),
        *(f"house.{name}" for name, (load, _) in MORE.items() if getattr(config, load) is not None),
        *(f"gateway.{name}" for name in GATEWAY),
        *(f"{kind}.{device}{unit}" for device in commanded for kind, unit in ORDERED.items()),
        *(f"quality.{device}" for device in file.devices),
        *(f"point.{device}.{point.name}" for device in file.devices for point in file.profiles[device].points),
        *(f"node.{node}" for node in file.nodes),
        "reasons",
        "alarms",
        "broker",
    ]


ORDERED = {"order": "_w", "mode": "", "reason": "", "said": "", "applied": "_w", "held": "_w"}


def truth(house: Mapping[str, Any]) -> dict[str, Value]:
    """The house in one second, from what its control line says of itself (`{"do": "state"}`)."""
    first_w, second_w, third_w = house["phases_w"]
    energy_wh = house["energy_wh"]
    named = {"l1_w": first_w, "l2_w": second_w, "l3_w": third_w}
    named |= {"import_wh": energy_wh["import"], "export_wh": energy_wh["export"]}
    loads: Mapping[str, Mapping[str, Any]] = house.get("loads", {})
    named |= {f"{name}_w": load["power_w"] for name, load in loads.items()}
    named |= {quantity: loads[load][point] for quantity, (load, point) in MORE.items() if load in loads}
    return {f"house.{name}": named.get(name, house.get(name)) for name in (*HOUSE, *named)}


def belief(page: Mapping[str, Any]) -> dict[str, Value]:
    """The page's picture of a cycle (`/api/state`); what it does not have is left out."""
    return dict(_belief(page))


def _belief(page: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    flow: Mapping[str, float | None] = page["flow"]
    yield from ((f"gateway.{name}", flow.get(name)) for name in GATEWAY if name.endswith("_w"))
    yield "gateway.soc", page["soc"]
    yield "gateway.cycle", page["cycle"]
    for one in page["setpoints"]:
        device = one["device"]
        yield f"order.{device}_w", one["power_w"]
        yield f"mode.{device}", one["mode"]
        yield f"reason.{device}", one["reason"]["code"]
        yield f"said.{device}", _said(one["reason"])
    for device, order in page["orders"].items():
        yield f"applied.{device}_w", order["applied_w"]
        yield f"held.{device}_w", order["held_w"]
    for one in page["devices"]:
        yield f"quality.{one['id']}", one["quality"]
        yield from ((f"point.{one['id']}.{point['name']}", point["value"]) for point in one["points"])
    for node in page["links"]["nodes"]:
        yield f"node.{node['id']}", "up" if node["up"] else "down"
    yield "broker", "up" if page["links"]["broker"] else "down"
    yield "reasons", tuple(one["reason"]["code"] for one in page["setpoints"])
    yield "alarms", codes(page.get("alarms", ()))


def _said(reason: Mapping[str, Any]) -> str:
    """A reason as the page says it in English."""
    try:
        return text("en", f"reason.{reason['code']}", **reason["numbers"])
    except LookupError:
        return str(reason["code"])


def codes(alarms: Sequence[Any]) -> tuple[str, ...]:
    """The codes of what the page warns of."""
    return tuple(str(one["code"]) if isinstance(one, Mapping) else str(one) for one in alarms)
