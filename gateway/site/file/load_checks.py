"""Mistakes between the loads of a site file and the devices they name."""

from collections.abc import Iterator, Mapping

from gateway.adapters.products.profiles import Profile
from gateway.mistakes import Mistake, choice, shown
from gateway.site.file.load_sections import (
    ApplianceSection,
    CarSection,
    HeatPumpSection,
    LoadSection,
    SwitchableSection,
    TankSection,
)
from gateway.site.file.sections import DeviceSection

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
    """Devices and meters that are not there, are no loads, are named twice, or do not fit the kind of load."""
    seen: dict[str, str] = {}
    for id_, section in loads.items():
        found = [*_named(f"loads.{id_}.device", section.device, devices, seen)]
        found += _named(f"loads.{id_}.meter", section.meter, devices, seen)
        if section.device is None and section.meter is not None:
            allowed = "device = that, if it is the load's only device"
            found.append(Mistake(path=f"loads.{id_}.meter", found=shown(section.meter), allowed=allowed))
        yield from found
        if not found:
            yield from _fits(id_, section, profiles)


def _named(
    path: str, device: str | None, devices: Mapping[str, DeviceSection], seen: dict[str, str]
) -> Iterator[Mistake]:
    """Whether that is a device of role load which nothing else has named; `seen`: who has named which."""
    able = [id_ for id_, section in devices.items() if section.role == "load"]
    if device is None:
        return
    if device not in devices:
        yield Mistake(path=path, found=shown(device), allowed=choice(device, able))
    elif device not in able:
        found = f"{shown(device)} of role {devices[device].role}"
        yield Mistake(path=path, found=found, allowed=f"a device of role load: {choice(device, able)}")
    elif device in seen:
        yield Mistake(path=path, found=f"the same as {seen[device]}", allowed="a device of its own")
    seen.setdefault(device, path)


def _fits(id_: str, section: LoadSection, profiles: Mapping[str, Profile]) -> Iterator[Mistake]:
    """Whether the products tell what the kind needs, and take what the kind would be told."""
    profile = profiles.get(section.device or "")
    if profile is None:
        return
    own = [name for name in NEEDED[type(section)] if name != "p_w" or section.meter is None]
    missing = [name for name in own if profile.point(name) is None]
    if missing:
        allowed = f"for kind {section.kind} a product that tells {', '.join(own)}"
        allowed += ", or meter = a device that tells p_w" if missing == ["p_w"] else ""
        yield Mistake(path=f"loads.{id_}.device", found=f"{profile.id} without {', '.join(missing)}", allowed=allowed)
    elif section.meter is None:
        yield from _is_quick(f"loads.{id_}.device", profile)
    elif section.meter in profiles:
        yield from _is_quick(f"loads.{id_}.meter", profiles[section.meter])
    if profile.setpoint is not None:
        yield from _commands(id_, section, profile.setpoint.point.unit)


def _is_quick(path: str, profile: Profile) -> Iterator[Mistake]:
    """Whether the product tells its power often enough."""
    power = profile.point("p_w")
    if power is None or power.every_s > SLOWEST_S:
        found = f"{profile.id} without p_w" if power is None else f"p_w every {power.every_s:g} s"
        yield Mistake(path=path, found=found, allowed=f"a product that tells p_w every {SLOWEST_S:g} s")


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
