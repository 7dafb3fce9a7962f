"""The site file: read once, checked whole, every mistake told at once with its place."""

import ipaddress
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field

from gateway.adapters import profiles
from gateway.adapters.profiles import Profile, ProfileError
from gateway.mistakes import Mistake, MistakesError, choice, read_toml, shown, validated
from gateway.wire.topics import GATEWAY

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
PathText = Annotated[str, Field(pattern=r"^[^\x00]{1,4000}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
FreePort = Annotated[int, Field(ge=0, le=65535)]  # 0: any that is free
Watts = Annotated[float, Field(ge=0, le=10_000_000)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Delay = Annotated[float, Field(ge=0, le=30)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SiteSection(_Section):
    """Who we are. `time_zone` is used to show clocks and to read tariffs."""

    id: Slug
    name: str
    time_zone: str = "Europe/Paris"


class BrokerSection(_Section):
    """The MQTT broker. The password comes from ZEN_BROKER_PASSWORD.

    `ca` is the file (PEM) that vouches for the broker, beside the site file unless absolute; with it the link is TLS.
    """

    host: Host = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    ca: PathText | None = None


class ControlSection(_Section):
    """What the battery is for. Powers in W at the grid, import positive; `meter_delay`: lag of its registers."""

    grid_setpoint_w: Annotated[float, Field(ge=-1_000_000, le=1_000_000)] = 0.0
    reserve: Fraction = 0.1
    import_limit_w: Watts
    export_limit_w: Watts
    lease_s: Annotated[int, Field(ge=3, le=30)] = 10
    meter_delay_min_s: Delay = 0.0
    meter_delay_max_s: Delay = 3.0


class PageSection(_Section):
    """Where the built-in page listens."""

    host: Host = "127.0.0.1"
    port: FreePort = 8080


class StoreSection(_Section):
    """The outbox on disk; beside the site file unless absolute."""

    path: PathText = "store.sqlite"
    max_mb: Annotated[int, Field(ge=10, le=100_000)] = 500


class DatabaseSection(_Section):
    """An InfluxDB 2 that is fed from the outbox. The token comes from ZEN_INFLUX_TOKEN."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    org: str
    bucket: str


class SerialBus(_Section):
    """A serial line of a node."""

    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class NodeSection(_Section):
    """A node and its serial lines. Its key comes from ZEN_KEY_<ID>."""

    buses: dict[Slug, SerialBus] = Field(default_factory=dict)


class BatterySection(_Section):
    """What the maker says of a battery system; `dead_time_s` and `ramp_w_per_s` as measured."""

    capacity_wh: Annotated[float, Field(gt=0, le=100_000_000)]
    charge_max_w: Annotated[float, Field(gt=0, le=10_000_000)]
    discharge_max_w: Annotated[float, Field(gt=0, le=10_000_000)]
    soc_max: Fraction = 1.0
    dead_time_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    ramp_w_per_s: Annotated[float, Field(gt=0, le=10_000_000)] = 2000.0


class DeviceSection(_Section):
    """One device: reached over a node's serial `bus`, or over the network at `host`."""

    role: profiles.Role
    profile: str
    node: str
    bus: str | None = None
    host: str | None = None
    tcp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    unit: Annotated[int, Field(ge=0, le=255)]
    battery: BatterySection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """A site file without mistakes."""

    path: Path
    site: SiteSection
    broker: BrokerSection
    control: ControlSection
    page: PageSection
    store: StoreSection
    database: DatabaseSection | None
    nodes: Mapping[str, NodeSection]
    devices: Mapping[str, DeviceSection]
    profiles: Mapping[str, Profile]  # by device


class SiteFileError(MistakesError):
    """All mistakes of a site file."""


SECTIONS: Mapping[str, tuple[type[_Section], bool]] = {  # name -> (model, required)
    "site": (SiteSection, True),
    "broker": (BrokerSection, False),
    "control": (ControlSection, True),
    "page": (PageSection, False),
    "store": (StoreSection, False),
    "database": (DatabaseSection, False),
}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LAST_UNIT = 247  # Modbus over serial line V1.02, 2.2
SLOWEST_S = 2.0  # of a power that control relies on

TABLES: Mapping[str, type[_Section]] = {"nodes": NodeSection, "devices": DeviceSection}


def read(path: Path) -> SiteFile:
    """The site file at `path`. Raises SiteFileError with every mistake found."""
    raw = read_toml(path, example="config/demo/site.toml")
    if isinstance(raw, Mistake):
        raise SiteFileError(path, [raw])
    mistakes: list[Mistake] = []
    known = [*SECTIONS, *TABLES]
    mistakes += [_unknown(key, key, known) for key in raw if key not in known]
    sections = {name: _section(name, raw, mistakes) for name in SECTIONS}
    tables = {name: _table(name, raw, mistakes) for name in TABLES}
    found = dict(_profiles(tables["devices"], path.parent, mistakes))
    mistakes += _across(sections, tables["devices"], _keys(raw, "nodes"), tables["nodes"], found)
    mistakes += _roles(raw)
    mistakes += _certificate(path, sections["broker"])
    if mistakes:
        raise SiteFileError(path, mistakes)
    return SiteFile(path=path, profiles=found, **sections, **tables)  # type: ignore[arg-type]  # checked above


def _section(name: str, raw: Mapping[str, Any], mistakes: list[Mistake]) -> _Section | None:
    model, required = SECTIONS[name]
    if name not in raw and name == "database":
        return None
    if name not in raw and required:
        mistakes.append(Mistake(path=name, found="nothing", allowed=f"a table [{name}]"))
        return None
    return _model(name, model, raw.get(name, {}), mistakes)


def _table(name: str, raw: Mapping[str, Any], mistakes: list[Mistake]) -> dict[str, Any]:
    rows = raw.get(name, {})
    if not isinstance(rows, dict) or not rows:
        found = "nothing" if rows == {} else shown(rows)
        mistakes.append(Mistake(path=name, found=found, allowed=f"at least one table [{name}.<id>]"))
        return {}
    checked = {}
    for key, row in rows.items():
        if _ID.fullmatch(key) is None or key == GATEWAY:
            allowed = f"an id of 1 to 32 lower-case letters, digits and hyphens, other than {GATEWAY!r}"
            mistakes.append(Mistake(path=f"{name}.{key}", found=shown(key), allowed=allowed))
        section = _model(f"{name}.{key}", TABLES[name], row, mistakes)
        if section is not None:
            checked[key] = section
    return checked


def _model(path: str, model: type[_Section], value: Any, mistakes: list[Mistake]) -> _Section | None:
    section, found = validated(model, value, at=path)
    mistakes += found
    return section


def _unknown(path: str, key: str, known: list[str]) -> Mistake:
    return Mistake(path=path, found="a key that nothing reads", allowed=choice(key, known))


def _keys(raw: Mapping[str, Any], name: str) -> list[str]:
    return list(raw[name]) if isinstance(raw.get(name), dict) else []


def _profiles(
    devices: Mapping[str, DeviceSection], beside: Path, mistakes: list[Mistake]
) -> Iterator[tuple[str, Profile]]:
    known = profiles.names(beside)
    for id_, device in devices.items():
        path = f"devices.{id_}.profile"
        if device.profile not in known:
            found = shown(device.profile)
            mistakes.append(Mistake(path=path, found=found, allowed=choice(device.profile, known)))
            continue
        try:
            yield id_, profiles.find(device.profile, beside)
        except ProfileError as error:
            mistakes.append(Mistake(path=path, found=str(error), allowed="a profile without mistakes"))


def _across(
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
    for id_, device in devices.items():
        yield from _wiring(f"devices.{id_}", device, node_ids, nodes, found.get(id_))
        if control is not None and device.battery is not None and control.reserve >= device.battery.soc_max:
            yield Mistake(
                path="control.reserve",
                found=f"{control.reserve}",
                allowed=f"less than devices.{id_}.battery.soc_max, which is {device.battery.soc_max}",
            )
    if control is not None and control.meter_delay_min_s > control.meter_delay_max_s:
        allowed = f"at most meter_delay_max_s, which is {control.meter_delay_max_s}"
        yield Mistake(path="control.meter_delay_min_s", found=f"{control.meter_delay_min_s}", allowed=allowed)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _roles(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """Exactly one grid meter, at most one battery: counted as written, so that one mistake does not look like two."""
    rows = raw.get("devices")
    if not isinstance(rows, dict) or not rows:
        return
    roles = [row.get("role") for row in rows.values() if isinstance(row, dict)]
    if roles.count("grid") != 1:
        found = f"{roles.count('grid')} devices with role grid"
        yield Mistake(path="devices", found=found, allowed="exactly one: the meter at the grid connection")
    if roles.count("battery") > 1:
        found = f"{roles.count('battery')} devices with role battery"
        yield Mistake(path="devices", found=found, allowed="at most one battery")


def _same_place(devices: Mapping[str, DeviceSection]) -> Iterator[Mistake]:
    seen: dict[tuple[object, ...], str] = {}
    for id_, device in devices.items():
        place = (device.node, device.bus, device.host, device.tcp_port, device.unit)
        if place in seen:
            found = f"the place of devices.{seen[place]}"
            yield Mistake(path=f"devices.{id_}", found=found, allowed="a bus or host, port and unit of its own")
        seen.setdefault(place, id_)


def _certificate(path: Path, broker: Any) -> Iterator[Mistake]:
    if broker is None or broker.ca is None:
        return
    try:
        ssl.create_default_context(cafile=path.parent / broker.ca)
    except OSError as error:  # SSLError is one
        found = f"{broker.ca!r}, which cannot be used: {error.strerror or error}"
        yield Mistake(path="broker.ca", found=found, allowed="a file with certificates (PEM)")


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
    if device.bus is not None and not 1 <= device.unit <= LAST_UNIT:
        allowed = f"1 to {LAST_UNIT} on a serial line (0 would be every device at once)"
        yield Mistake(path=f"{path}.unit", found=f"{device.unit}", allowed=allowed)
    if (device.role == "battery") != (device.battery is not None):
        found = "no battery table" if device.role == "battery" else "a battery table"
        yield Mistake(path=f"{path}.battery", found=found, allowed="battery = {…} for role battery, and only there")
    if device.host is not None and not _is_address(device.host):
        allowed = "a numeric address such as 192.168.1.20: control must not wait for a name server"
        yield Mistake(path=f"{path}.host", found=shown(device.host), allowed=allowed)
    if profile is not None:
        yield from _fit(path, device, profile)


def _fit(path: str, device: DeviceSection, profile: Profile) -> Iterator[Mistake]:
    """Whether the product is one for this role and this link."""
    power = profile.point("p_w")
    if device.role in ("grid", "battery") and (power is None or power.every_s > SLOWEST_S):
        found = "no p_w" if power is None else f"p_w every {power.every_s:g} s"
        yield Mistake(path=f"{path}.profile", found=found, allowed=f"a product that tells p_w every {SLOWEST_S:g} s")
    if device.role not in profile.roles:
        yield Mistake(path=f"{path}.role", found=shown(device.role), allowed=", ".join(profile.roles))
    if device.bus is not None and profile.links.rtu is None:
        yield Mistake(path=f"{path}.bus", found=shown(device.bus), allowed=f"host: {profile.id} has no serial side")
    if device.host is not None and profile.links.tcp is None:
        allowed = f"bus: {profile.id} has no network side"
        yield Mistake(path=f"{path}.host", found=shown(device.host), allowed=allowed)
