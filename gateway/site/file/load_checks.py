"""Mistakes between the loads of a site file and the devices they name."""

from collections.abc import Iterator, Mapping

from gateway.adapters.products.profiles import Profile
from gateway.core.loads.kind import LoadSettings
from gateway.mistakes import Mistake, choice, shown
from gateway.site.file import role_checks
from gateway.site.file.sections import DeviceSection


def devices_of(
    loads: Mapping[str, LoadSettings], devices: Mapping[str, DeviceSection], profiles: Mapping[str, Profile]
) -> Iterator[Mistake]:
    """Devices and meters that are not there, are no loads, are named twice, or do not fit the kind of load."""
    seen: dict[str, str] = {}
    for id_, load in loads.items():
        found = [*_named(f"loads.{id_}.device", load.device, devices, seen)]
        found += _named(f"loads.{id_}.meter", load.meter, devices, seen)
        if load.device is None and load.meter is not None:
            allowed = "device = that, if it is the load's only device"
            found.append(Mistake(path=f"loads.{id_}.meter", found=shown(load.meter), allowed=allowed))
        yield from found
        if not found:
            yield from _fits(id_, load, devices, profiles)


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


def _fits(
    id_: str, load: LoadSettings, devices: Mapping[str, DeviceSection], profiles: Mapping[str, Profile]
) -> Iterator[Mistake]:
    """Whether the products report what the kind needs, and accept what the kind would be sent."""
    profile = profiles.get(load.device or "")
    if profile is None:
        return
    own = [name for name in load.needed_points if name != "p_w" or load.meter is None]
    missing = [name for name in own if profile.point(name) is None]
    if missing:
        allowed = f"for kind {load.kind} a product that reports {', '.join(own)}"
        allowed += ", or meter = a device that reports p_w" if missing == ["p_w"] else ""
        yield Mistake(path=f"loads.{id_}.device", found=f"{profile.id} without {', '.join(missing)}", allowed=allowed)
    elif load.meter is None:
        yield from _is_quick(f"loads.{id_}.device", profile)
    elif load.meter in profiles:
        yield from _is_quick(f"loads.{id_}.meter", profiles[load.meter])
    if profile.setpoint is not None and profile.setpoint.point.unit == "A":
        yield from _phases(id_, load, devices)
    if profile.setpoint is not None:
        misfits = list(load.misfits(profile.setpoint.point.unit))
        for misfit in misfits:
            yield Mistake(path=f"loads.{id_}.{misfit.key}", found=misfit.found, allowed=misfit.allowed)
        if not misfits and load.device is not None:
            yield from role_checks.of_load(f"loads.{id_}.device", devices[load.device], profile, load)


def _phases(id_: str, load: LoadSettings, devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    """Whether a charger is connected to as many phases as its amperes are spread over."""
    phases = None if load.device is None else devices[load.device].phases
    if phases is not None and len(phases) != load.phases_used:
        allowed = f"as many as loads.{id_}.phases says: {load.phases_used}"
        yield Mistake(path=f"devices.{load.device}.phases", found=f"{phases}", allowed=allowed)


def _is_quick(path: str, profile: Profile) -> Iterator[Mistake]:
    """Whether the product reports its power often enough."""
    found = role_checks.slow(profile, "p_w", role_checks.SLOWEST_POWER_S)
    if found is not None:
        allowed = f"a product that reports p_w every {role_checks.SLOWEST_POWER_S:g} s"
        yield Mistake(path=path, found=found, allowed=allowed)
