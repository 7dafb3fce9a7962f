"""Mistakes in limits, circuits and times of a site file, and between them and the devices."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from gateway.adapters.products.profiles import Profile
from gateway.core.loads.kind import LoadSettings
from gateway.mistakes import Mistake, choice, shown
from gateway.site.file.limit_sections import CircuitSection, LimitKeys, LimitSection
from gateway.site.file.price_sections import TariffSection
from gateway.site.file.sections import ControlSection, DeviceSection
from gateway.site.file.tariff_checks import Lists, kind_of

PHASE_POINTS = ("p_l1_w", "p_l2_w", "p_l3_w")
NEEDED = ("import_limit", "export_limit")


def of_control(
    control: Any, devices: Mapping[str, DeviceSection], profiles: Mapping[str, Profile]
) -> Iterator[Mistake]:
    """Limits of the connection that are missing, or that its meter cannot show. Only what is right in itself counts."""
    if not isinstance(control, ControlSection):
        return
    for kind in NEEDED:
        if kind not in control.limited:
            yield Mistake(path=f"control.{kind}_w", found="nothing", allowed=f"a value, here or as {kind}_a")
    for id_, device in devices.items():
        if device.role == "grid":
            yield from _shows_phases("control", control, control.phases, profiles.get(id_))
    yield from _phases_of_devices(control, devices)


def of_circuits(
    circuits: Mapping[str, CircuitSection],
    control: Any,
    devices: Mapping[str, DeviceSection],
    loads: Mapping[str, LoadSettings],
    profiles: Mapping[str, Profile],
) -> Iterator[Mistake]:
    """Circuits that feed themselves, devices that are nowhere or twice, limits that another one makes pointless."""
    for id_, circuit in circuits.items():
        if circuit.parent is not None and circuit.parent not in circuits:
            allowed = choice(circuit.parent, [other for other in circuits if other != id_])
            yield Mistake(path=f"circuits.{id_}.parent", found=shown(circuit.parent), allowed=allowed)
        elif id_ in parents(id_, circuits):
            allowed = "a circuit that is not fed by this one, or none"
            yield Mistake(path=f"circuits.{id_}.parent", found=shown(circuit.parent), allowed=allowed)
        else:
            yield from _below_parent(id_, circuit, circuits, control)
        yield from _meter(id_, circuit, devices, loads, profiles)
    yield from _devices(circuits, devices)


def of_times(
    limits: Mapping[str, LimitSection],
    circuits: Mapping[str, CircuitSection],
    control: Any,
    tariff: Any,
    lists: Lists,
) -> Iterator[Mistake]:
    """Times of places or prices that do not exist, and limits that narrow nothing."""
    kind = kind_of(tariff, lists.bought) if isinstance(tariff, TariffSection) else None
    for id_, section in limits.items():
        path = f"limits.{id_}"
        if section.circuit is not None and section.circuit not in circuits:
            allowed = choice(section.circuit, list(circuits))
            yield Mistake(path=f"{path}.circuit", found=shown(section.circuit), allowed=allowed)
            continue
        known = [] if kind is None else list(kind.names)
        for name in section.tariff:
            if name not in known and not lists.mistakes:
                allowed = "hours, days or season: no [tariff] is known" if kind is None else choice(name, known)
                yield Mistake(path=f"{path}.tariff", found=shown(name), allowed=allowed)
        place = control if section.circuit is None else circuits[section.circuit]
        if isinstance(place, ControlSection | CircuitSection):
            where = "control" if section.circuit is None else f"circuits.{section.circuit}"
            yield from _narrower(path, section, where, place, place.phases)


def parents(id_: str, circuits: Mapping[str, CircuitSection]) -> list[str]:
    """The circuits above one, the nearest first; with itself as the last one where they feed each other."""
    found: list[str] = []
    parent = circuits[id_].parent
    while parent is not None and parent in circuits and parent not in found:
        found.append(parent)
        parent = circuits[parent].parent
    return found


def _below_parent(
    id_: str, circuit: CircuitSection, circuits: Mapping[str, CircuitSection], control: Any
) -> Iterator[Mistake]:
    """Whether it is on phases that feed it, and its limits are no greater than those of what feeds it."""
    parent, where = (
        (control, "control") if circuit.parent is None else (circuits[circuit.parent], f"circuits.{circuit.parent}")
    )
    if not isinstance(parent, ControlSection | CircuitSection):
        return
    beyond = sorted(set(circuit.phases) - set(parent.phases))
    if beyond:
        allowed = f"of {parent.phases}, the phases of {where}"
        yield Mistake(path=f"circuits.{id_}.phases", found=f"{circuit.phases}", allowed=allowed)
    yield from _narrower(f"circuits.{id_}", circuit, where, parent, circuit.phases)


def _narrower(
    path: str, limits: LimitKeys, where: str, wider: ControlSection | CircuitSection, phases: Sequence[int]
) -> Iterator[Mistake]:
    """Whether limits are no greater than those that hold in any case. Amperes of several phases are those of each."""
    most, found = wider.watts(len(wider.phases)), limits.watts(len(phases))
    for kind in limits.limited:
        in_amperes = getattr(limits, f"{kind}_a") is not None
        compared = f"phase_{kind}" if in_amperes and f"phase_{kind}" in found else kind
        if found[compared] > most.get(compared, math.inf):
            key, allowed = f"{kind}_{'a' if in_amperes else 'w'}", f"at most {most[compared]:g} W, as in {where}"
            yield Mistake(path=f"{path}.{key}", found=f"{found[compared]:g} W", allowed=allowed)


def _meter(
    id_: str,
    circuit: CircuitSection,
    devices: Mapping[str, DeviceSection],
    loads: Mapping[str, LoadSettings],
    profiles: Mapping[str, Profile],
) -> Iterator[Mistake]:
    """Whether the meter of a circuit is one, and shows what is limited."""
    if circuit.meter is None:
        return
    path = f"circuits.{id_}.meter"
    taken = {named for load in loads.values() for named in (load.device, load.meter) if named is not None}
    able = [one for one, section in devices.items() if section.role == "load" and one not in taken]
    if circuit.meter not in able:
        yield Mistake(
            path=path, found=shown(circuit.meter), allowed=f"a meter of role load: {choice(circuit.meter, able)}"
        )
    elif circuit.meter in profiles and profiles[circuit.meter].point("p_w") is None:
        yield Mistake(path=path, found=profiles[circuit.meter].id, allowed="a product that reports p_w")
    else:
        yield from _shows_phases(f"circuits.{id_}", circuit, circuit.phases, profiles.get(circuit.meter))


def _shows_phases(path: str, limits: LimitKeys, phases: Sequence[int], profile: Profile | None) -> Iterator[Mistake]:
    """Whether a meter shows each phase, where one of them is limited."""
    limited = [kind for kind in limits.watts(len(phases)) if kind.startswith("phase_")]
    if limited and profile is not None and any(profile.point(point) is None for point in PHASE_POINTS):
        found = f"a limit of each phase, and {profile.id} as meter"
        yield Mistake(path=path, found=found, allowed=f"a meter that reports {', '.join(PHASE_POINTS)}")


def _devices(circuits: Mapping[str, CircuitSection], devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    """Whether each device of a circuit is there once, and on phases of its circuit."""
    able = [id_ for id_, device in devices.items() if device.role != "grid"]
    seen: dict[str, str] = {}
    for id_, device in chain.from_iterable(((id_, one) for one in c.devices) for id_, c in circuits.items()):
        path = f"circuits.{id_}.devices"
        if device not in able:
            yield Mistake(path=path, found=shown(device), allowed=choice(device, able))
        elif device in seen:
            found = f"{shown(device)}, which is in circuits.{seen[device]}"
            yield Mistake(
                path=path, found=found, allowed="each device once: that it is behind the parents, too, is known"
            )
        elif not set(devices[device].phases or ()) <= set(circuits[id_].phases):
            allowed = f"phases of circuits.{id_}: {circuits[id_].phases}"
            yield Mistake(path=f"devices.{device}.phases", found=f"{devices[device].phases}", allowed=allowed)
        seen.setdefault(device, id_)


def _phases_of_devices(control: ControlSection, devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    """Whether phases are given to loads and inverters only, and are phases of the connection."""
    for id_, device in devices.items():
        if device.phases is None:
            continue
        path = f"devices.{id_}.phases"
        if device.role not in ("load", "pv"):
            allowed = "battery = { phase = … }" if device.role == "battery" else "nothing: control.phases"
            yield Mistake(path=path, found=f"{device.phases}", allowed=allowed)
        elif not set(device.phases) <= set(control.phases):
            yield Mistake(path=path, found=f"{device.phases}", allowed=f"phases of the connection: {control.phases}")
