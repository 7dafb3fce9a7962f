"""The building as the core knows it, from the sections `devices` (with `battery` and `inverter`), `loads`, `control`.

Watts are drawn positive, as everywhere in the core.
"""

import math
from collections.abc import Iterator

from gateway.adapters.products.commands import Setpoint
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import Rating, allowed_w
from gateway.core.model.load import Load
from gateway.core.model.site import Battery, Inverter, LoadDevice, Site
from gateway.database.tags import RowOrigin
from gateway.site.assembly import site_limits
from gateway.site.assembly.place import corners
from gateway.site.file.site_file import SiteFile


def core_site(file: SiteFile) -> Site:
    """What there is to measure and to command, with its limits."""
    by_role = {role: [id_ for id_, d in file.devices.items() if d.role == role] for role in ("grid", "pv", "battery")}
    control = file.control
    own = site_limits.limits_of(control, control.phases)
    return Site(
        grid=by_role["grid"][0],
        pv=tuple(by_role["pv"]),
        batteries=tuple(_battery(file, id_) for id_ in by_role["battery"]),
        grid_setpoint_w=control.grid_setpoint_w,
        import_limit_w=own.import_w,
        export_limit_w=own.export_w,
        phase_import_limit_w=own.phase_import_w,
        phase_export_limit_w=own.phase_export_w,
        circuits=tuple(site_limits.circuits(file)),
        limit_sources=tuple(site_limits.sources(file)),
        phases={id_: phases for id_ in file.devices if (phases := _phases(file, id_))},
        meter_delay_s=(control.meter_delay_min_s, control.meter_delay_max_s),
        imbalance_limit_w=math.inf if control.imbalance_limit_w is None else control.imbalance_limit_w,
        curtailable=tuple(_inverters(file)),
        loads=tuple(load_devices(file)),
        peak_w={id_: d.peak_w for id_, d in file.devices.items() if d.role == "pv" and d.peak_w is not None},
        places=corners(file),
    )


def origin_of(file: SiteFile) -> RowOrigin:
    """The tags of all its rows in the database."""
    roles = {id_: device.role for id_, device in file.devices.items()}
    return RowOrigin(site=file.site.id, building=file.site.building or file.site.id, roles=roles)


def load_devices(file: SiteFile) -> Iterator[LoadDevice]:
    """The loads that have a device; the others are planned and shown only."""
    for id_, section in file.loads.items():
        if section.device is not None:
            profile = file.profiles[section.device]
            setpoint = profile.setpoint
            load = section.load(id_)
            yield LoadDevice(
                load=load,
                device=section.device,
                takes_orders=setpoint is not None and _may_all_stay(profile, load, section.phases_used),
                pause_s=_pause_s(setpoint, load) if setpoint is not None else 0.0,
                spread=_spread(file, id_),
                in_amperes=setpoint is not None and setpoint.point.unit == "A",
                supplied_from_soc=math.inf if section.battery_above is None else section.battery_above,
                reverts_after_s=_reverts_after_s(profile),
            )


def meters(file: SiteFile) -> dict[str, str]:
    """The meter of each device of a load that has one beside it."""
    pairs = [(section.device, section.meter) for section in file.loads.values()]
    return {device: meter for device, meter in pairs if device is not None and meter is not None}


def _phases(file: SiteFile, id_: str) -> tuple[int, ...]:
    """The phases that a load or an inverter is known to be on: its own, or the only one of connection or circuit."""
    device = file.devices[id_]
    if device.role not in ("load", "pv"):
        return ()
    above = next((one.phases for one in file.circuits.values() if id_ in one.devices), file.control.phases)
    return tuple(device.phases or (above if len(above) == 1 else ()))


def _spread(file: SiteFile, load: str) -> int:
    """Over how many phases the power of a load is spread at most."""
    section = file.loads[load]
    assert section.device is not None  # noqa: S101 - only such loads are asked for
    setpoint = file.profiles[section.device].setpoint
    if setpoint is not None and setpoint.point.unit == "A":
        return section.phases_used
    return len(_phases(file, section.device)) or len(file.control.phases)


def _inverters(file: SiteFile) -> Iterator[Inverter]:
    for id_, device in file.devices.items():
        if device.inverter is not None:
            rated_w, profile = device.inverter.rated_w, file.profiles[id_]
            if allowed_w(profile, (-rated_w, 0.0), Rating(rated_w=rated_w)) == (-rated_w, 0.0):
                yield Inverter(id=id_, rated_w=rated_w, reverts_after_s=_reverts_after_s(profile))


def _reverts_after_s(profile: Profile) -> float:
    timeout_s = profile.setpoint.device_timeout_s if profile.setpoint else None
    return math.inf if timeout_s is None else timeout_s


def _may_all_stay(profile: Profile, load: Load, phases: int) -> bool:
    """Whether no power of the load does harm if its device keeps it when the node is lost."""
    most_w = max(band.high_w for band in load.bands)
    return allowed_w(profile, (0.0, most_w), Rating(phases=phases, rated_w=most_w)) == (0.0, most_w)


def _pause_s(setpoint: Setpoint, load: Load) -> float:
    """How long a set-point may have to wait.

    A switch may be written again long before the load's minimum up and down times are over, so it never has to.
    """
    dwelt_s = min(load.minimum_up_s, load.minimum_down_s) if setpoint.point.unit == "switch" else 0.0
    return max(setpoint.min_write_s - dwelt_s, 0.0)


def _battery(file: SiteFile, id_: str) -> Battery:
    section = file.devices[id_].battery
    assert section is not None  # noqa: S101 - the site file was checked
    figures = section.model_dump()
    if figures["ac_limit_w"] is None:
        del figures["ac_limit_w"]
    profile, control = file.profiles[id_], file.control
    range_w = allowed_w(profile, (-figures["discharge_max_w"], figures["charge_max_w"]))
    reverts_after_s = _reverts_after_s(profile)
    if math.isinf(reverts_after_s):  # it may stay for ever: never more than the connection bears of the battery alone
        own = site_limits.limits_of(control, control.phases)
        range_w = max(range_w[0], -own.export_w), min(range_w[1], own.import_w)
    figures |= {"discharge_max_w": -range_w[0], "charge_max_w": range_w[1]}
    return Battery(id=id_, reserve=control.reserve, reverts_after_s=reverts_after_s, **figures)
