"""Mistakes between the sections of a site file; only what is right in itself is compared."""

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from gateway.adapters import boards
from gateway.adapters.products.profiles import Profile
from gateway.mistakes import Mistake, choice, shown
from gateway.site.file import role_checks
from gateway.site.file.sections import DeviceSection, NodeSection

LAST_UNIT = 247  # Modbus over serial line V1.02, 2.2


def across(
    sections: Mapping[str, Any],
    devices: Mapping[str, DeviceSection],
    node_ids: list[str],
    nodes: Mapping[str, NodeSection],
    found: Mapping[str, Profile],
) -> Iterator[Mistake]:
    """Mistakes between sections: only those parts that are right in themselves are compared."""
    site, control = sections["site"], sections["control"]
    if site is not None and site.time_zone not in available_timezones():
        allowed = choice(site.time_zone, ["Europe/Paris"])
        yield Mistake(path="site.time_zone", found=shown(site.time_zone), allowed=f"an IANA zone such as {allowed}")
    yield from _same_place(devices)
    for id_, node in nodes.items():
        yield from _board(f"nodes.{id_}", node)
    for id_, device in devices.items():
        yield from _wiring(f"devices.{id_}", device, node_ids, nodes, found.get(id_))
        if control is not None and device.battery is not None and control.reserve >= device.battery.soc_max:
            yield Mistake(
                path="control.reserve",
                found=f"{control.reserve}",
                allowed=f"less than devices.{id_}.battery.soc_max, which is {device.battery.soc_max}",
            )
    yield from _hybrids(devices)
    if control is not None and control.meter_delay_min_s > control.meter_delay_max_s:
        allowed = f"at most meter_delay_max_s, which is {control.meter_delay_max_s}"
        yield Mistake(path="control.meter_delay_min_s", found=f"{control.meter_delay_min_s}", allowed=allowed)


def _hybrids(devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    """An AC side is shared with a PV device of this file, and has a limit."""
    inverters = [id_ for id_, device in devices.items() if device.role == "pv"]
    for id_, device in devices.items():
        battery = device.battery
        if battery is None:
            continue
        path = f"devices.{id_}.battery"
        if battery.inverter is not None and battery.inverter not in inverters:
            yield Mistake(
                path=f"{path}.inverter", found=shown(battery.inverter), allowed=choice(battery.inverter, inverters)
            )
        if (battery.inverter is None) != (battery.ac_limit_w is None):
            found = "only one of inverter and ac_limit_w"
            yield Mistake(path=path, found=found, allowed="both for a hybrid inverter, or none")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def roles(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """Exactly one grid meter: counted as written, so that one mistake does not look like two."""
    rows = raw.get("devices")
    if not isinstance(rows, dict) or not rows:
        return
    roles = [row.get("role") for row in rows.values() if isinstance(row, dict)]
    if roles.count("grid") != 1:
        found = f"{roles.count('grid')} devices with role grid"
        yield Mistake(path="devices", found=found, allowed="exactly one: the meter at the grid connection")


def _same_place(devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    seen: dict[tuple[object, ...], str] = {}
    for id_, device in devices.items():
        place = (device.node, device.bus, device.host, device.tcp_port, device.unit)
        if place in seen:
            found = f"the place of devices.{seen[place]}"
            yield Mistake(path=f"devices.{id_}", found=found, allowed="a bus or host, port and unit of its own")
        seen.setdefault(place, id_)


def _board(path: str, node: NodeSection) -> Iterator[Mistake]:
    known = list(boards.load())
    if node.board is not None and node.board not in known:
        yield Mistake(path=f"{path}.board", found=shown(node.board), allowed=choice(node.board, known))
    if node.wifi is not None and node.ethernet:
        yield Mistake(path=path, found="both wifi and ethernet", allowed='wifi = "name" or ethernet = true')


def certificate(path: Path, broker: Any) -> Iterator[Mistake]:
    """Whether the broker's certificate files can be used; `path` is that of the site file."""
    for name in ("ca", "node_ca"):
        file = getattr(broker, name, None)
        if file is None:
            continue
        try:
            ssl.create_default_context(cafile=path.parent / file)
        except OSError as error:  # SSLError is one
            found = f"{file!r}, which cannot be used: {error.strerror or error}"
            yield Mistake(path=f"broker.{name}", found=found, allowed="a file with certificates (PEM)")


def _wiring(
    path: str,
    device: DeviceSection,
    node_ids: list[str],
    nodes: Mapping[str, NodeSection],
    profile: Profile | None,
) -> Iterator[Mistake]:
    if device.node not in node_ids:
        yield Mistake(path=f"{path}.node", found=shown(device.node), allowed=choice(device.node, node_ids))
    elif device.bus is not None and device.node in nodes and device.bus not in nodes[device.node].buses:
        buses = list(nodes[device.node].buses)
        yield Mistake(path=f"{path}.bus", found=shown(device.bus), allowed=choice(device.bus, buses))
    if (device.bus is None) == (device.host is None):
        found = "both bus and host" if device.bus else "neither bus nor host"
        yield Mistake(path=path, found=found, allowed="bus = a serial line of the node, or host = an address")
    hears = device.node in nodes and _hears(device, nodes[device.node])
    if (device.unit is None) != hears:
        found = "nothing" if device.unit is None else f"{device.unit}"
        allowed = "nothing: the meter of a telegram has no address" if hears else "the unit's Modbus address"
        yield Mistake(path=f"{path}.unit", found=found, allowed=allowed)
    elif device.unit is not None and device.bus is not None and not 1 <= device.unit <= LAST_UNIT:
        allowed = f"1 to {LAST_UNIT} on a serial line (0 would be every device at once)"
        yield Mistake(path=f"{path}.unit", found=f"{device.unit}", allowed=allowed)
    if (device.role == "battery") != (device.battery is not None):
        found = "no battery table" if device.role == "battery" else "a battery table"
        yield Mistake(path=f"{path}.battery", found=found, allowed="battery = {…} for role battery, and only there")
    if device.inverter is not None and (device.role != "pv" or (profile is not None and profile.setpoint is None)):
        allowed = "an inverter table for role pv, and a product that takes a limit of its production"
        yield Mistake(path=f"{path}.inverter", found="an inverter table", allowed=allowed)
    yield from _network(path, device)
    if profile is not None:
        yield from _fit(path, device, profile, hears=hears)


def _network(path: str, device: DeviceSection) -> Iterator[Mistake]:
    if device.lenient is not None and device.host is None:
        allowed = "lenient for a device with host: answers on a serial line have no transaction"
        yield Mistake(path=f"{path}.lenient", found=f"{device.lenient}".lower(), allowed=allowed)
    if device.host is not None and not _is_address(device.host):
        allowed = "a numeric address such as 192.168.1.20: control must not wait for a name server"
        yield Mistake(path=f"{path}.host", found=shown(device.host), allowed=allowed)


def _hears(device: DeviceSection, node: NodeSection) -> bool:
    """Whether the device is on a bus of kind tic."""
    return device.bus in node.buses and node.buses[device.bus].kind == "tic"


def _fit(path: str, device: DeviceSection, profile: Profile, *, hears: bool) -> Iterator[Mistake]:
    """Whether the product is one for this role and this link."""
    yield from role_checks.of_role(path, device, profile)
    if device.bus is not None and hears != (profile.links.tic is not None):
        allowed = f"a Modbus line for {profile.id}" if hears else f"a bus of kind tic for {profile.id}"
        yield Mistake(path=f"{path}.bus", found=shown(device.bus), allowed=allowed)
    elif device.bus is not None and not hears and profile.links.rtu is None:
        yield Mistake(path=f"{path}.bus", found=shown(device.bus), allowed=f"host: {profile.id} has no serial side")
    if device.host is not None and profile.links.tcp is None:
        allowed = f"bus: {profile.id} has no network side"
        yield Mistake(path=f"{path}.host", found=shown(device.host), allowed=allowed)
