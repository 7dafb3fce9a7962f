"""From the site file to what its readers need: the building for the core, the poll table for each node."""

import math
from collections.abc import Iterator

from gateway.adapters.node.poll_tables import NodeTable, Wiring, compile_table
from gateway.adapters.products.commands import Setpoint
from gateway.adapters.products.setpoints import Rating
from gateway.core.loads.kind import Load
from gateway.core.model.site import Battery, Inverter, LoadDevice, Site
from gateway.site.file.sections import DeviceSection
from gateway.site.file.site_file import SiteFile

TELEGRAM_LINE = {"baud": 1200, "bits": 7, "parity": "E"}  # the speed that most meters are delivered with
ONLY_UNIT = 1  # of a telegram, in which units have no number


def tables(file: SiteFile) -> dict[str, NodeTable]:
    """The poll table of each node."""
    lease_ms = 1000 * file.control.lease_s
    wirings = {id_: _wiring(file, id_, device) for id_, device in file.devices.items()}
    return {
        node: compile_table(node, [w for id_, w in wirings.items() if file.devices[id_].node == node], lease_ms)
        for node in file.nodes
    }


def core_site(file: SiteFile) -> Site:
    """The building as the core knows it."""
    by_role = {role: [id_ for id_, d in file.devices.items() if d.role == role] for role in ("grid", "pv", "battery")}
    control = file.control
    return Site(
        grid=by_role["grid"][0],
        pv=tuple(by_role["pv"]),
        batteries=tuple(_battery(file, id_) for id_ in by_role["battery"]),
        grid_setpoint_w=control.grid_setpoint_w,
        import_limit_w=control.import_limit_w,
        export_limit_w=control.export_limit_w,
        meter_delay_s=(control.meter_delay_min_s, control.meter_delay_max_s),
        imbalance_limit_w=math.inf if control.imbalance_limit_w is None else control.imbalance_limit_w,
        curtailable=tuple(
            Inverter(id=id_, rated_w=device.inverter.rated_w)
            for id_, device in file.devices.items()
            if device.inverter is not None
        ),
        loads=tuple(_loads(file)),
    )


def meters(file: SiteFile) -> dict[str, str]:
    """The meter of each device of a load that has one beside it."""
    pairs = [(section.device, section.meter) for section in file.loads.values()]
    return {device: meter for device, meter in pairs if device is not None and meter is not None}


def _wiring(file: SiteFile, id_: str, device: DeviceSection) -> Wiring:
    profile = file.profiles[id_]
    bus: dict[str, object] = {"timeout_ms": profile.reply_timeout_ms, "gap_ms": profile.turnaround_ms}
    line = None if device.bus is None else file.nodes[device.node].buses[device.bus]
    if line is not None and line.kind == "tic":
        bus = {"kind": "tic", "port": device.bus, **TELEGRAM_LINE}
    elif line is not None:
        serial = {"port": device.bus, "baud": line.baud, "parity": line.parity, "stop": line.stop_bits}
        bus = {"kind": "rtu", **serial, **bus}
    else:
        default = profile.links.tcp.port if profile.links.tcp else 502
        bus = {"kind": "tcp", "host": device.host, "port": device.tcp_port or default, **bus}
    battery = device.battery
    range_w = (-battery.discharge_max_w, battery.charge_max_w) if battery else None
    rating = Rating()
    if device.inverter is not None:
        range_w, rating = (-device.inverter.rated_w, 0.0), Rating(rated_w=device.inverter.rated_w)
    for load in _loads(file):
        if load.device == id_ and load.takes_orders:
            most_w = max(band.high_w for band in load.load.bands)
            range_w, rating = (0.0, most_w), _rating(file, load, most_w)
    unit = ONLY_UNIT if device.unit is None else device.unit
    return Wiring(device=id_, profile=profile, bus=bus, unit=unit, range_w=range_w, rating=rating)


def _loads(file: SiteFile) -> Iterator[LoadDevice]:
    """The loads that have a device; the others are planned and shown only."""
    for id_, section in file.loads.items():
        if section.device is not None:
            setpoint = file.profiles[section.device].setpoint
            load = section.load(id_)
            yield LoadDevice(
                load=load,
                device=section.device,
                takes_orders=setpoint is not None,
                pause_s=_pause_s(setpoint, load) if setpoint is not None else 0.0,
            )


def _pause_s(setpoint: Setpoint, load: Load) -> float:
    """How long a set-point may have to wait: a switch has long been due when its minimum times are over."""
    kept_s = min(load.minimum_up_s, load.minimum_down_s) if setpoint.point.unit == "switch" else 0.0
    return max(setpoint.min_write_s - kept_s, 0.0)


def _rating(file: SiteFile, load: LoadDevice, most_w: float) -> Rating:
    return Rating(phases=file.loads[load.id].phases_used, rated_w=most_w)


def _battery(file: SiteFile, id_: str) -> Battery:
    section = file.devices[id_].battery
    assert section is not None  # noqa: S101 - the site file was checked
    figures = section.model_dump()
    if figures["ac_limit_w"] is None:
        del figures["ac_limit_w"]
    return Battery(id=id_, reserve=file.control.reserve, **figures)
