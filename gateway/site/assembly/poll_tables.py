"""The poll table of each node, from the sections `nodes`, `devices`, `loads` and `control`, and the device profiles."""

from collections.abc import Mapping

from gateway.adapters.node.poll_tables import NodeTable, Wiring, compile_table
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import PLAIN, Rating
from gateway.site.assembly.building import load_devices
from gateway.site.assembly.site_limits import phase_meters
from gateway.site.file.limit_checks import PHASE_POINTS
from gateway.site.file.role_checks import ordered
from gateway.site.file.sections import DeviceSection
from gateway.site.file.site_file import SiteFile

TELEGRAM_LINE = {"baud": 1200, "bits": 7, "parity": "E"}  # Enedis-NOI-CPT_54E: 7E1; 1200 Bd as most are delivered
ONLY_UNIT = 1  # of a telegram, in which units have no number
MODBUS_TCP_PORT = 502  # Modbus Messaging on TCP/IP Implementation Guide V1.0b, 4.2


def poll_tables(file: SiteFile) -> dict[str, NodeTable]:
    """By node. Raises TableError for what no node could do."""
    lease_ms = 1000 * file.control.lease_s
    wirings = {id_: _wiring(file, id_, device) for id_, device in file.devices.items()}
    return {
        node: compile_table(node, [w for id_, w in wirings.items() if file.devices[id_].node == node], lease_ms)
        for node in file.nodes
    }


def _wiring(file: SiteFile, id_: str, device: DeviceSection) -> Wiring:
    profile = _quick(file, id_)
    range_w, rating = _orders(file, id_, device)
    return Wiring(
        device=id_,
        profile=profile,
        bus=_bus(file, device, profile),
        unit=ONLY_UNIT if device.unit is None else device.unit,
        range_w=range_w,
        rating=rating,
    )


def _quick(file: SiteFile, id_: str) -> Profile:
    """The profile of a device; where control relies on the powers of phases, these are read as often as all of it."""
    profile = file.profiles[id_]
    power = profile.point("p_w")
    if power is None or id_ not in phase_meters(file):
        return profile
    points = [
        point.model_copy(update={"every_s": min(point.every_s, power.every_s)}) if point.name in PHASE_POINTS else point
        for point in profile.points
    ]
    return profile.model_copy(update={"points": tuple(points)})


def _bus(file: SiteFile, device: DeviceSection, profile: Profile) -> Mapping[str, object]:
    """The entry of the table's `buses`: a telegram line, a serial line or a host."""
    line = None if device.bus is None else file.nodes[device.node].buses[device.bus]
    if line is not None and line.kind == "tic":
        return {"kind": "tic", "port": device.bus, **TELEGRAM_LINE}
    times: dict[str, object] = {"timeout_ms": profile.reply_timeout_ms, "gap_ms": profile.turnaround_ms}
    if line is not None:
        serial = {"port": device.bus, "baud": line.baud, "parity": line.parity, "stop": line.stop_bits}
        return {"kind": "rtu", **serial, **times}
    tcp = profile.links.tcp
    if device.lenient or (device.lenient is None and tcp is not None and tcp.lenient):
        times["lenient"] = True  # a node of 0.1.0 does not know it: it stands in the table only where it is needed
    default = tcp.port if tcp else MODBUS_TCP_PORT
    return {"kind": "tcp", "host": device.host, "port": device.tcp_port or default, **times}


def _orders(file: SiteFile, id_: str, device: DeviceSection) -> tuple[tuple[float, float] | None, Rating]:
    """The powers (W, drawn positive) that a device may be ordered, None for one that takes no orders; its rating."""
    of_device = [file.loads[load.id] for load in load_devices(file) if load.device == id_ and load.takes_orders]
    return ordered(device, next(iter(of_device), None)) or (None, PLAIN)
