"""What a house file may say: frozen models with units, ranges and defaults."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, model_validator

from gateway.simulator.settings.flexible import (
    CarSettings,
    HeatPumpSettings,
    PoolPumpSettings,
    ServeCar,
    ServeHeatPump,
    ServePoolPump,
    ServeTank,
    TankSettings,
)
from gateway.simulator.settings.keys import Endpoint, FilePath, Fraction, Table, Unit

PowerUnit = Literal["w", "kw", "w_per_kwp"]
TelegramMode = Literal["historique", "standard"]
LOADS: tuple[Literal["car", "tank", "heat_pump", "pool_pump"], ...] = (
    "car",
    "tank",
    "heat_pump",
    "pool_pump",
)  # what a building may have, and what may be reached


def _naive(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise ValueError("a local time without offset, as 2024-06-21T12:05:00")
    if not 2000 <= moment.year <= 2099:  # the nodes count seconds since 2000 in 32 bits
        raise ValueError("a time in the years 2000 to 2099")
    return moment


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("a time zone name, as Europe/Paris")
    return name


class Clock(Table):
    """When the simulated building lives. `start` is its wall clock at the beginning; it runs at real speed."""

    start: Annotated[datetime, AfterValidator(_naive)] = datetime(2024, 6, 21, 12, 5)  # noqa: DTZ001 - a wall clock
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/Paris"

    @property
    def zone(self) -> ZoneInfo:
        """The zone itself."""
        return ZoneInfo(self.time_zone)

    @property
    def start_utc_s(self) -> float:
        """Unix time of the start."""
        return self.start.replace(tzinfo=self.zone).timestamp()


class Replay(Table):
    """A power series from a file instead of a generator."""

    file: FilePath | None = None
    column: str | None = None
    unit: PowerUnit | None = None  # needed only when the column's name does not end with one
    scale: PositiveFloat = 1.0


class Load(Replay):
    """The base load: a file, or generated from a floor, a fridge, a kettle and other appliances."""

    base_w: NonNegativeFloat = 250.0
    noise_w: NonNegativeFloat = 15.0
    kettle_w: NonNegativeFloat = 2200.0
    kettle_s: PositiveFloat = 45.0
    kettle_every_s: NonNegativeFloat = 120.0  # 0: nobody makes tea
    appliances: bool = True  # fridge, microwave and washing machine


class Pv(Replay):
    """The PV plant: a file, or sun and clouds on a plane. Azimuth: 180 degrees is south."""

    kwp: NonNegativeFloat = 5.0
    inverter_limit_w: PositiveFloat = 5000.0
    clouds: bool = True
    latitude_deg: Annotated[float, Field(ge=-66, le=66)] = 50.43  # Lens
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] = 2.83
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 35.0
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] = 180.0
    produced_wh: PositiveFloat = 8_765_432.0  # its counter at the start; 0 would mean "absent" in SunSpec
    limit_dead_time_s: NonNegativeFloat = 1.0  # from a written limit to its effect
    limit_timeout_s: PositiveFloat = 120.0  # a limit that is not written again lapses,
    limit_fallback: Fraction = 1.0  # and this share of inverter_limit_w holds


class BatterySettings(Table):
    """An AC-coupled battery. Losses of the converter at the power p: constant + linear x p + quadratic x p²."""

    capacity_wh: PositiveFloat = 10000.0
    charge_max_w: PositiveFloat = 5000.0
    discharge_max_w: PositiveFloat = 5000.0
    soc: Fraction = 0.5
    soc_min: Fraction = 0.05
    soc_max: Fraction = 1.0
    taper_charge: PositiveFloat = 0.05  # share of the capacity over which charging fades out below soc_max
    taper_discharge: PositiveFloat = 0.03
    dead_time_s: NonNegativeFloat = 0.8
    ramp_w_per_s: PositiveFloat = 2500.0
    standby_w: NonNegativeFloat = 12.0
    min_power_w: PositiveFloat = 30.0  # below this the converter rests
    loss_constant_w: NonNegativeFloat = 10.0
    loss_linear: NonNegativeFloat = 0.02
    loss_quadratic_per_w: NonNegativeFloat = 5e-6
    own_dead_time_s: NonNegativeFloat = 0.4
    own_filter_s: NonNegativeFloat = 0.5
    setpoint_timeout_s: PositiveFloat = 60.0
    charged_wh: NonNegativeFloat = 3_210_987.0  # its counters at the start
    discharged_wh: NonNegativeFloat = 2_987_654.0

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.soc_min <= self.soc <= self.soc_max or self.soc_min == self.soc_max:
            raise ValueError("soc_min <= soc <= soc_max, and soc_min < soc_max")
        return self


class MeterSettings(Table):
    """What the meter shows beside the truth: a gain error (fraction) and noise; its counters at the start."""

    error: Annotated[float, Field(ge=-0.1, le=0.1)] = 0.005
    noise_w: NonNegativeFloat = 1.0
    import_wh: NonNegativeFloat = 432_109.0  # shown as float32 kWh: finer than 0.1 Wh up to here
    export_wh: NonNegativeFloat = 210_987.0


class LinkySettings(Table):
    """The operator's meter at the grid connection: how its telegram is and where its counters begin.

    `producer`: the contract has an injection side, so that the telegram says so (mode standard only). `phases` and
    `subscribed_a` (A on each of them) are those of the mode historique: above it a meter of one phase adds a group, and
    one of three sends short frames with little but its currents.
    """

    mode: TelegramMode = "standard"
    producer: bool = True
    phases: Literal[1, 3] = 1
    subscribed_a: Annotated[int, Field(ge=1, le=90)] = 45
    every_s: Annotated[float, Field(ge=0.5, le=10)] = 1.5
    import_wh: NonNegativeFloat = 12_345_678.0
    export_wh: NonNegativeFloat = 2_345_678.0


class ServeMeter(Table):
    """The serial line of the meter; `serial` becomes a link to a pseudo terminal."""

    profile: Literal["sdm630"] = "sdm630"
    serial: FilePath = Path("meter.tty")
    unit: Unit = 1
    baud: Literal[2400, 4800, 9600, 19200, 38400] = 9600
    latency_s: NonNegativeFloat = 0.025


class ServePv(Table):
    """The inverter's Modbus TCP. Only `sma_tripower` takes a limit of its production."""

    profile: Literal["sunspec", "sma_tripower"] = "sunspec"
    tcp: Endpoint = "127.0.0.1:15020"
    unit: Unit = 1
    latency_s: NonNegativeFloat = 0.01


class ServeBattery(Table):
    """The battery's Modbus TCP."""

    profile: Literal["sma_storage"] = "sma_storage"
    tcp: Endpoint = "127.0.0.1:15021"
    unit: Unit = 3
    latency_s: NonNegativeFloat = 0.01


class ServeLinky(Table):
    """The telegram of the operator's meter; `serial` becomes a link to a pseudo terminal."""

    serial: FilePath = Path("linky.tty")


class Serve(Table):
    """Where the building can be reached. What is left out is not connected; `linky` is the operator's meter."""

    control: Endpoint = "127.0.0.1:15999"
    meter: ServeMeter = ServeMeter()
    pv: ServePv = ServePv()
    battery: ServeBattery = ServeBattery()
    linky: ServeLinky | None = None
    car: ServeCar | None = None
    tank: ServeTank | None = None
    heat_pump: ServeHeatPump | None = None
    pool_pump: ServePoolPump | None = None


class HouseConfig(Table):
    """A whole house file."""

    seed: int = 1
    clock: Clock = Clock()
    load: Load = Load()
    pv: Pv = Pv()
    battery: BatterySettings = BatterySettings()
    meter: MeterSettings = MeterSettings()
    linky: LinkySettings = LinkySettings()
    car: CarSettings | None = None
    tank: TankSettings | None = None
    heat_pump: HeatPumpSettings | None = None
    pool_pump: PoolPumpSettings | None = None
    serve: Serve = Serve()

    @model_validator(mode="after")
    def _served_is_there(self) -> Self:
        missing = [name for name in LOADS if getattr(self.serve, name) and getattr(self, name) is None]
        if missing:
            raise ValueError(f"a table [{missing[0]}] for what serve.{missing[0]} reaches")
        pump = self.serve.pool_pump
        if pump is not None and len({self.serve.meter.unit, pump.unit, pump.meter_unit}) < 3:
            raise ValueError("units of their own on one line: serve.meter.unit, and both of serve.pool_pump")
        return self
