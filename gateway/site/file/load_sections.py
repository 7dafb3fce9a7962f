"""Sections of flexible loads in a site file: `[loads.ID]` with a `kind`; all may be left out."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gateway.core.loads.car import LEAST_A
from gateway.mistakes import Mistake, choice, shown, validated
from gateway.site.file.section import Section

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Power = Annotated[float, Field(gt=0, le=1_000_000)]
Kwh = Annotated[float, Field(gt=0, le=100_000)]
Price = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
DeviceId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Celsius = Annotated[float, Field(ge=0, le=95)]


class CommonSection(Section):
    """`device`: the device of role load that meters it and, where its product takes set-points, is commanded.

    `meter`: another device of role load that meters it, where its own does not tell its power.
    """

    device: DeviceId | None = None
    meter: DeviceId | None = None


class CarSection(CommonSection):
    """A charger: `wanted_kwh` are to be in the car by `departure` (local clock) after each arrival.

    Currents per phase, `phases` that it can use (`[1, 3]`: it can switch). V2G: `give_w`, and `wear_eur_per_kwh` for
    ageing. `missing_eur_per_kwh`: what a missing kWh counts against the price of charging dearly.
    """

    kind: Literal["car"]
    capacity_kwh: Kwh
    wanted_kwh: Kwh
    departure: Clock = "07:00"
    least_a: Annotated[float, Field(ge=LEAST_A, le=80)] = LEAST_A
    most_a: Annotated[float, Field(ge=LEAST_A, le=80)] = 32.0
    phases: Annotated[list[Literal[1, 3]], Field(min_length=1, max_length=2, default_factory=lambda: [1])]
    efficiency: Share = 0.9
    give_w: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    wear_eur_per_kwh: Price = 0.0
    switch_eur: Price = 0.02
    missing_eur_per_kwh: Price = 3.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.least_a > self.most_a:
            raise ValueError("least_a at most most_a")
        if self.wanted_kwh > self.capacity_kwh:
            raise ValueError("wanted_kwh at most capacity_kwh")
        if sorted(set(self.phases)) != self.phases:
            raise ValueError("phases = [1], [3] or [1, 3]")
        return self


class TankSection(CommonSection):
    """A hot-water tank with a heater of `power_w`, to be set from `least_w` on (a relay where that is left out).

    `draws` are kWh of heat by the local clock: `"07:00" = 1.5`. `hygiene_days`: it is heated to `hygiene_c` at
    least once in so many days, 0 for never.
    """

    kind: Literal["tank"]
    litres: Annotated[float, Field(gt=0, le=100_000)]
    power_w: Power
    least_w: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    low_c: Celsius = 45.0
    high_c: Celsius = 60.0
    hygiene_c: Celsius = 60.0
    hygiene_days: Annotated[int, Field(ge=0, le=60)] = 7
    loss_w_per_k: Annotated[float, Field(ge=0, le=1000)] = 1.5
    cop: Annotated[float, Field(gt=0, le=10)] = 1.0
    draws: dict[Clock, Kwh] = Field(default_factory=dict)
    run_s: Seconds = 0.0
    rest_s: Seconds = 0.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.low_c < self.high_c:
            raise ValueError("low_c below high_c")
        if self.low_c <= AMBIENT_C:
            raise ValueError(f"low_c above {AMBIENT_C:g}, the room's temperature")
        if self.least_w is not None and self.least_w > self.power_w:
            raise ValueError("least_w at most power_w")
        return self


class HeatPumpSection(CommonSection):
    """A heat pump and the building it heats: `powers_w` one for its own way, a second where it can be forced.

    Comfort from `low_c` to `high_c`; `kwh_per_k` and `loss_w_per_k` of the building as measured or reckoned.
    """

    kind: Literal["heat_pump"]
    powers_w: Annotated[list[Power], Field(min_length=1, max_length=2)]
    kwh_per_k: Annotated[float, Field(gt=0, le=10_000)]
    loss_w_per_k: Annotated[float, Field(gt=0, le=100_000)]
    low_c: Celsius = 19.5
    high_c: Celsius = 22.0
    cop: Annotated[float, Field(ge=1, le=10)] = 3.5
    cop_per_k: Annotated[float, Field(ge=0, le=1)] = 0.08
    run_s: Seconds = 1800.0
    rest_s: Seconds = 900.0
    discomfort_eur_per_kh: Price = 0.5

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.low_c < self.high_c:
            raise ValueError("low_c below high_c")
        if sorted(set(self.powers_w)) != self.powers_w:
            raise ValueError("powers_w rising")
        return self


class ApplianceSection(CommonSection):
    """An appliance that runs once when it was asked for: mean powers of each quarter hour, the hours it may run in."""

    kind: Literal["appliance"]
    quarters_w: Annotated[list[Annotated[float, Field(ge=0, le=1_000_000)]], Field(min_length=1, max_length=96)]
    earliest: Clock = "00:00"
    latest: Clock
    missed_eur: Price = 5.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if max(self.quarters_w) <= 0.0:
            raise ValueError("quarters_w with some power")
        hours = (minutes(self.latest) - minutes(self.earliest)) % (24 * 60) / 60 or 24.0
        if hours * 4 < len(self.quarters_w):
            raise ValueError(f"a window of at least its run: {len(self.quarters_w) / 4:g} h, not {hours:g} h")
        return self


class SwitchableSection(CommonSection):
    """A load that is on or off, `wanted_kwh` between two hours of each day; beyond, `worth_eur_per_kwh` where it is."""

    kind: Literal["switchable"]
    power_w: Power
    wanted_kwh: Annotated[float, Field(ge=0, le=100_000)]
    earliest: Clock = "00:00"
    latest: Clock = "00:00"
    run_s: Seconds = 0.0
    rest_s: Seconds = 0.0
    worth_eur_per_kwh: Price = 0.0
    missing_eur_per_kwh: Price = 2.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        hours = (minutes(self.latest) - minutes(self.earliest)) % (24 * 60) / 60 or 24.0
        if self.wanted_kwh > self.power_w * hours / 1000.0:
            raise ValueError(f"at most {self.power_w * hours / 1000.0:g} kWh: {self.power_w:g} W for {hours:g} h")
        return self


LoadSection = CarSection | TankSection | HeatPumpSection | ApplianceSection | SwitchableSection

AMBIENT_C = 18.0  # around a tank
KINDS: Mapping[str, type[LoadSection]] = {
    "car": CarSection,
    "tank": TankSection,
    "heat_pump": HeatPumpSection,
    "appliance": ApplianceSection,
    "switchable": SwitchableSection,
}


def minutes(clock: str) -> int:
    """Minutes of the day."""
    return int(clock[:2]) * 60 + int(clock[3:])


def read_loads(rows: Any, mistakes: list[Mistake]) -> dict[str, LoadSection]:
    """The loads of a site file by their ids; mistakes are added."""
    if not isinstance(rows, dict):
        mistakes.append(Mistake(path="loads", found=shown(rows), allowed="tables [loads.<id>]"))
        return {}
    return dict(_each(rows, mistakes))


def _each(rows: Mapping[str, Any], mistakes: list[Mistake]) -> Iterator[tuple[str, LoadSection]]:
    for id_, row in rows.items():
        path = f"loads.{id_}"
        kind = row.get("kind") if isinstance(row, dict) else None
        if not isinstance(row, dict):
            mistakes.append(Mistake(path=path, found=shown(row), allowed=f"a table [{path}]"))
        elif not isinstance(kind, str) or kind not in KINDS:
            found = "nothing" if kind is None else shown(kind)
            mistakes.append(Mistake(path=f"{path}.kind", found=found, allowed=choice(str(kind), list(KINDS))))
        else:
            section, found_in_it = validated(KINDS[kind], row, at=path)
            mistakes += found_in_it
            if section is not None:
                yield id_, section
