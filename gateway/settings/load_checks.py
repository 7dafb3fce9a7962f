"""Mistakes between the loads of a site file and the devices they name."""

from collections.abc import Iterator, Mapping

from gateway.adapters.products.profiles import Profile
from gateway.mistakes import Mistake, choice, shown
from gateway.settings.loads import (
    ApplianceSection,
    CarSection,
    HeatPumpSection,
    LoadSection,
    SwitchableSection,
    TankSection,
)
from gateway.settings.sections import DeviceSection

NEEDED: Mapping[type[LoadSection], tuple[str, ...]] = {
    CarSection: ("p_w", "plugged", "e_session_wh"),
    TankSection: ("p_w", "temp_c"),
    HeatPumpSection: ("p_w", "temp_c"),
    ApplianceSection: ("p_w", "asked"),
    SwitchableSection: ("p_w",),
}
"""What a product must tell of each kind of load."""
SLOWEST_S = 3.0  # of a power that surplus is reckoned with


def devices_of(
    loads: Mapping[str, LoadSection], devices: Mapping[str, DeviceSection], profiles: Mapping[str, Profile]
) -> Iterator[Mistake]:
    """Devices that are not there, are no loads, are named twice, or do not fit the kind of load."""
    able = [id_ for id_, device in devices.items() if device.role == "load"]
    seen: dict[str, str] = {}
    for id_, section in loads.items():
        path, device = f"loads.{id_}.device", section.device
        if device is None:
            continue
        if device not in devices:
            yield Mistake(path=path, found=shown(device), allowed=choice(device, able))
        elif device not in able:
            found = f"{shown(device)} of role {devices[device].role}"
            yield Mistake(path=path, found=found, allowed=f"a device of role load: {choice(device, able)}")
        elif device in seen:
            found = f"the device of loads.{seen[device]}"
            yield Mistake(path=path, found=found, allowed="a device of its own")
        elif device in profiles:
            yield from _fits(id_, section, profiles[device])
        seen.setdefault(device, id_)


def _fits(id_: str, section: LoadSection, profile: Profile) -> Iterator[Mistake]:
    """Whether the product tells what the kind needs, and takes what the kind would be told."""
    path = f"loads.{id_}.device"
    missing = [name for name in NEEDED[type(section)] if profile.point(name) is None]
    power = profile.point("p_w")
    if missing:
        allowed = f"for kind {section.kind} a product that tells {', '.join(NEEDED[type(section)])}"
        yield Mistake(path=path, found=f"{profile.id} without {', '.join(missing)}", allowed=allowed)
    elif power is not None and power.every_s > SLOWEST_S:
        allowed = f"a product that tells p_w every {SLOWEST_S:g} s"
        yield Mistake(path=path, found=f"p_w every {power.every_s:g} s", allowed=allowed)
    if profile.setpoint is not None:
        yield from _commands(id_, section, profile.setpoint.point.unit)


def _commands(id_: str, section: LoadSection, unit: str) -> Iterator[Mistake]:
    """Whether the product can do all that the section says of the load."""
    path = f"loads.{id_}"
    if (unit == "A") != isinstance(section, CarSection) and unit in ("A", "switch"):
        allowed = "kind car for a charger, which is set in amperes" if unit == "A" else "another kind for a switch"
        yield Mistake(path=f"{path}.kind", found=shown(section.kind), allowed=allowed)
    if isinstance(section, CarSection):
        if len(section.phases) > 1:
            allowed = "[1] or [3]: nobody switches the phases of this charger"
            yield Mistake(path=f"{path}.phases", found=shown(section.phases), allowed=allowed)
        if section.give_w > 0.0:
            allowed = "0: giving back is planned, and commanded of no product yet"
            yield Mistake(path=f"{path}.give_w", found=f"{section.give_w:g}", allowed=allowed)
    if unit == "switch" and isinstance(section, TankSection) and section.least_w not in (None, section.power_w):
        yield Mistake(path=f"{path}.least_w", found=f"{section.least_w:g}", allowed="nothing: a switch is on or off")
    if unit == "switch" and isinstance(section, HeatPumpSection) and len(section.powers_w) > 1:
        found = shown(section.powers_w)
        yield Mistake(path=f"{path}.powers_w", found=found, allowed="one power: a switch is on or off")
