"""The sections of a site file, each right in itself."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.adapters.products import profiles
from gateway.site.file.limit_sections import CircuitSection, LimitKeys, LimitSection, PhaseList, all_phases
from gateway.site.file.price_sections import TARIFF, FeedsSection, GoalsSection
from gateway.site.file.section import Section

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
PathText = Annotated[str, Field(pattern=r"^[^\x00]{1,4000}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
FreePort = Annotated[int, Field(ge=0, le=65535)]  # 0: any that is free
Watts = Annotated[float, Field(ge=0, le=10_000_000)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Delay = Annotated[float, Field(ge=0, le=120)]


class SiteSection(Section):
    """Who we are. `time_zone` is used to show clocks and to read tariffs.

    `latitude` and `longitude` (degrees, north and east positive) tell when the sun is down: an inverter that is silent
    then gives nothing. Without them those of `[feeds.weather]` do, else the whole area of the time zone. `building`:
    its name in the database, where several are shown together (else `id`); `language`: of sentences that are stored.
    """

    id: Slug
    name: str
    building: Slug | None = None
    language: Literal["en", "fr"] = "fr"
    time_zone: str = "Europe/Paris"
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude, or neither")
        return self


class BrokerSection(Section):
    """The MQTT broker. The password comes from ZEN_BROKER_PASSWORD.

    `ca` is the file (PEM) that vouches for the broker, beside the site file unless absolute; with it the link is TLS.
    `node_host`, `node_port` and `node_ca` are the same for the nodes, where it is another for them; each node's account
    is its id, with the password ZEN_NODE_PASSWORD_<ID>.
    """

    host: Host = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    ca: PathText | None = None
    node_host: Host | None = None
    node_port: Port | None = None
    node_ca: PathText | None = None


class ControlSection(LimitKeys):
    """What the batteries are for, and what the connection bears. Powers in W at the grid, import positive.

    `import_limit` and `export_limit` (each needed) are of all phases together, `phase_import_limit` and
    `phase_export_limit` of each one; in W, or in A at 230 V: amperes of all phases together are those of each one, too.
    `phases`: those of the connection. `meter_delay`: least and most lag of the grid meter's registers; the true one is
    learned inside these bounds. `imbalance_limit_w`: most by which one phase may differ from another through a
    single-phase battery.
    """

    grid_setpoint_w: Annotated[float, Field(ge=-1_000_000, le=1_000_000)] = 0.0
    reserve: Fraction = 0.1
    phases: PhaseList = Field(default_factory=all_phases)
    lease_s: Annotated[int, Field(ge=3, le=30)] = 10
    meter_delay_min_s: Delay = 0.0
    meter_delay_max_s: Delay = 3.0
    imbalance_limit_w: Watts | None = None


class PageSection(Section):
    """Where the built-in page listens.

    It answers to the names of this machine, to the address that was called, and to `names`: those that a proxy or a
    name server gives it.
    """

    host: Host = "127.0.0.1"
    port: FreePort = 8080
    names: list[Host] = Field(default_factory=list)


class TimeSection(Section):
    """Where nodes ask for the time (SNTP over UDP). Nodes on the network need `host = "0.0.0.0"`.

    `settle_s`: for so long after the start of the machine its clock is passed on only if somebody has set it (NTP).
    """

    host: Host = "127.0.0.1"
    port: FreePort = 10123
    settle_s: Annotated[int, Field(ge=0, le=86_400)] = 600


class StoreSection(Section):
    """The outbox on disk; beside the site file unless absolute."""

    path: PathText = "store.sqlite"
    max_mb: Annotated[int, Field(ge=10, le=100_000)] = 500


class DatabaseSection(Section):
    """An InfluxDB 2 that is fed from the outbox. The token comes from ZEN_INFLUX_TOKEN.

    `quarters_bucket`: where quarter hours, plans, decisions and alarms go, which are kept for ever while `bucket` may
    forget after 90 days; without it all go to `bucket`.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    org: str
    bucket: str
    quarters_bucket: str | None = None


class SerialBus(Section):
    """A serial line of a node: Modbus, or kind tic for the customer telegram of a Linky meter, whose speed is found."""

    kind: Literal["rtu", "tic"] = "rtu"
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1

    @model_validator(mode="after")
    def _found(self) -> Self:
        given = sorted(self.model_fields_set - {"kind"})
        if self.kind == "tic" and given:
            raise ValueError(f"no {' and '.join(given)} for kind tic: that is found by listening")
        return self


class NodeSection(Section):
    """A node and its serial lines. Its key comes from ZEN_KEY_<ID>.

    `board` is its row of config/boards.json; `wifi` the name of its network (the password comes from
    ZEN_WIFI_PASSWORD), or `ethernet` when it has a cable. Only `zen node` needs these.
    """

    board: str | None = None
    wifi: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    ethernet: bool = False
    buses: dict[Slug, SerialBus] = Field(default_factory=dict)


class BatterySection(Section):
    """What the maker says of a battery system; `dead_time_s` and `ramp_w_per_s` as measured.

    Below `min_power_w` it rests; smaller changes than `dead_band_w` it does not follow; `standby_w` it draws all the
    time. Losses of its converter at the power p (W): `loss_constant_w` + `loss_linear` p + `loss_quadratic_per_w` p².
    `phase`: 1 to 3 for a single-phase converter. `inverter`: the pv device with which it shares an AC side of at most
    `ac_limit_w`.
    """

    capacity_wh: Annotated[float, Field(gt=0, le=100_000_000)]
    charge_max_w: Annotated[float, Field(gt=0, le=10_000_000)]
    discharge_max_w: Annotated[float, Field(gt=0, le=10_000_000)]
    soc_max: Fraction = 1.0
    dead_time_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    ramp_w_per_s: Annotated[float, Field(gt=0, le=10_000_000)] = 2000.0
    min_power_w: Watts = 0.0
    dead_band_w: Watts = 0.0
    standby_w: Watts = 0.0
    loss_constant_w: Watts = 0.0
    loss_linear: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    loss_quadratic_per_w: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    phase: Literal[1, 2, 3] | None = None
    inverter: Slug | None = None
    ac_limit_w: Annotated[float, Field(gt=0, le=10_000_000)] | None = None


class InverterSection(Section):
    """A PV inverter that takes a limit of its production: with it, export beyond the limit is curtailed."""

    rated_w: Annotated[float, Field(gt=0, le=10_000_000)]


class DeviceSection(Section):
    """One device: reached over a node's serial `bus`, or over the network at `host`.

    `unit` is its Modbus address; the meter of a telegram has none. `peak_w`: of a roof, for forecasts. `phases`: those
    that a load or an inverter is connected to; where they are not given, those of a load are learned. `lenient`:
    whether an answer on the network is believed that comes under another transaction number or unit than asked, which
    some devices do; without it the profile decides.
    """

    role: profiles.Role
    profile: str
    node: str
    bus: str | None = None
    host: str | None = None
    tcp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    battery: BatterySection | None = None
    inverter: InverterSection | None = None
    peak_w: Annotated[float, Field(gt=0, le=10_000_000)] | None = None
    phases: PhaseList | None = None
    lenient: bool | None = None


SECTIONS: Mapping[str, tuple[type[Section], bool]] = {  # name -> (model, required)
    "site": (SiteSection, True),
    "broker": (BrokerSection, False),
    "control": (ControlSection, True),
    "page": (PageSection, False),
    "time": (TimeSection, False),
    "store": (StoreSection, False),
    "database": (DatabaseSection, False),
    "tariff": (TARIFF, False),
    "goals": (GoalsSection, False),
    "feeds": (FeedsSection, False),
}
ABSENT_IS_NONE = ("database", "tariff", "feeds")  # a site file without them has no such thing at all
TABLES: Mapping[str, type[Section]] = {"nodes": NodeSection, "devices": DeviceSection}
OPTIONAL_TABLES: Mapping[str, type[Section]] = {"circuits": CircuitSection, "limits": LimitSection}
