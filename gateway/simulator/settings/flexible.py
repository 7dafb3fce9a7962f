"""What a house file may say of a car, a tank, a heat pump and a pool pump: none is there unless it is named."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from gateway.simulator.settings.keys import Celsius, Endpoint, Fraction, Table, TcpUnit, TimeOfDay, Unit

PositiveFraction = Annotated[float, Field(gt=0.0, le=1.0)]


class CarSettings(Table):
    """A car and its charger. `efficiency`: from the socket into the cells.

    `cable`: fixed at the charger; or its owner's, for a socket, where it is taken away or left in the socket.
    It is plugged in from `arrives` to `leaves` by the local clock, and has then used `drive_wh`; without them it is
    `plugged` or not, until the control line says otherwise.
    """

    capacity_wh: PositiveFloat = 52_000.0
    soc: Fraction = 0.4
    soc_max: PositiveFraction = 1.0  # where the car stops
    efficiency: PositiveFraction = 0.9
    phases: Literal[1, 3] = 3
    voltage_v: PositiveFloat = 230.0
    most_a: PositiveFloat = 16.0  # of the charger inside the car, per phase
    charger_a: Annotated[float, Field(ge=6.0, le=32.0)] = 32.0  # of the wallbox, per phase
    taper: Fraction = 0.1  # share of the capacity below soc_max over which the current fades
    dead_time_s: NonNegativeFloat = 2.0  # from an offered current to the drawn one
    wake_s: NonNegativeFloat = 6.0  # the same from rest
    plugged: bool = False
    cable: Literal["fixed", "socket", "left"] = "fixed"
    arrives: TimeOfDay | None = None
    leaves: TimeOfDay | None = None
    drive_wh: NonNegativeFloat = 8_000.0
    charged_wh: NonNegativeFloat = 1_234_567.0  # the wallbox's counter at the start

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.soc > self.soc_max:
            raise ValueError("soc at most soc_max")
        if (self.arrives is None) != (self.leaves is None) or (self.arrives and self.arrives == self.leaves):
            raise ValueError("arrives and leaves, two different times, or neither")
        return self


class TankSettings(Table):
    """A hot-water tank, well mixed, and its heater. `draws`: litres by the local clock, as `"07:00" = 60`."""

    litres: PositiveFloat = 200.0
    temp_c: Celsius = 50.0
    heater_w: PositiveFloat = 3000.0
    loss_w_per_k: NonNegativeFloat = 1.8
    room_c: Celsius = 18.0
    inlet_c: Celsius = 12.0
    limit_c: Celsius = 65.0  # the device stops here,
    limit_hysteresis_k: PositiveFloat = 3.0  # and goes on when it is so much cooler
    least_c: Celsius = 40.0  # below this it heats by itself, at full power,
    least_hysteresis_k: PositiveFloat = 5.0  # until it is so much warmer
    setpoint_timeout_s: PositiveFloat = 60.0  # a power that is not written again lapses
    dead_time_s: NonNegativeFloat = 1.0
    draws: dict[TimeOfDay, PositiveFloat] = Field(default_factory=dict)
    draw_s: PositiveFloat = 300.0  # how long each of them takes

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.inlet_c < self.least_c < self.limit_c:
            raise ValueError("inlet_c < least_c < limit_c")
        return self


class HeatPumpSettings(Table):
    """A heat pump and the rooms that it heats. Outdoors it is coldest in January and before sunrise.

    Its own thermostat holds `target_c`; forced, or offered a power from `least_w` on, it heats up to `raise_k` more.
    """

    temp_c: Celsius = 20.5
    capacity_wh_per_k: PositiveFloat = 8_000.0
    loss_w_per_k: PositiveFloat = 180.0
    gains_w: NonNegativeFloat = 300.0  # people, appliances, windows
    target_c: Celsius = 20.5
    hysteresis_k: PositiveFloat = 0.6
    raise_k: NonNegativeFloat = 2.0
    power_w: PositiveFloat = 1800.0  # when its own thermostat calls
    least_w: PositiveFloat = 600.0
    most_w: PositiveFloat = 2500.0
    standby_w: NonNegativeFloat = 15.0
    ramp_w_per_s: PositiveFloat = 50.0
    run_s: NonNegativeFloat = 300.0  # it spares its compressor: runs and rests last at least so long
    rest_s: NonNegativeFloat = 300.0
    cop: PositiveFloat = 3.8  # at 7 degrees outdoors
    cop_per_k: NonNegativeFloat = 0.08
    offer_timeout_s: PositiveFloat = 60.0  # an offered power that is not written again lapses
    outdoor_mean_c: Celsius = 11.0  # of the year, Lens
    outdoor_season_k: NonNegativeFloat = 7.5  # amplitudes around it, of the year and of the day
    outdoor_day_k: NonNegativeFloat = 4.0
    used_wh: NonNegativeFloat = 4_321_098.0  # its counter at the start

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.least_w <= self.power_w <= self.most_w:
            raise ValueError("least_w <= power_w <= most_w")
        return self


class PoolPumpSettings(Table):
    """The pump of a pool: it runs while relay 1 of a board is closed. A meter of its own measures it."""

    power_w: PositiveFloat = 900.0
    used_wh: NonNegativeFloat = 765_432.0  # the counter of its meter at the start


class ServeCar(Table):
    """The wallbox's Modbus TCP."""

    profile: Literal["keba_p30"] = "keba_p30"
    tcp: Endpoint = "127.0.0.1:15022"
    unit: TcpUnit = 255
    latency_s: NonNegativeFloat = 0.02


class ServeTank(Table):
    """The heater's Modbus TCP."""

    profile: Literal["mypv_acthor"] = "mypv_acthor"
    tcp: Endpoint = "127.0.0.1:15023"
    unit: TcpUnit = 1
    latency_s: NonNegativeFloat = 0.01


class ServeHeatPump(Table):
    """The heat pump's Modbus TCP."""

    profile: Literal["lambda_eu_l", "stiebel_isg_wpm"] = "lambda_eu_l"
    tcp: Endpoint = "127.0.0.1:15024"
    unit: TcpUnit = 1
    latency_s: NonNegativeFloat = 0.02


class ServePoolPump(Table):
    """The relay board and the pump's own meter (SDM630), both on the serial line of the building's meter."""

    profile: Literal["waveshare_relay"] = "waveshare_relay"
    unit: Unit = 2
    meter_unit: Unit = 3
