"""What devices do wrong on a sound link: they measure wrongly, do not obey, or obey somebody else.

Powers are in W by the sign rule: what is drawn from the building is positive.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from gateway.simulator.fault import Device, Fault, LoadName, Seconds
from gateway.simulator.settings.keys import Fraction

Watts = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
WattsUp = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=-1000.0, le=1000.0, allow_inf_nan=False)]
Phase = Literal[1, 2, 3]
Word = Annotated[int, Field(ge=0, le=0xFFFF)]
Period = Annotated[float, Field(ge=0.1, le=3600.0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSignFlipped(Fault):
    """The meter takes import for export: wired the wrong way round. With `phase` one current transformer only."""

    device: Literal["meter"] = "meter"
    phase: Phase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPhasesSwapped(Fault):
    """Two current transformers hang on each other's phase: the total stays right."""

    device: Literal["meter"] = "meter"
    first: Phase = 1
    second: Phase = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSpike(Fault):
    """The meter shows this power, whatever flows; its counters stay right."""

    device: Literal["meter"] = "meter"
    w: Watts = -52_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryTakesOnly(Fault):
    """The cells let in or out only so much, whatever is ordered: nearly full, cold, or their guard says so."""

    device: Literal["battery"] = "battery"
    charge_w: WattsUp | None = None
    discharge_w: WattsUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryIgnoresOrders(Fault):
    """The battery accepts writes and goes on with the power `w`, or without `w` in its own mode."""

    device: Literal["battery"] = "battery"
    w: Watts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRestarts(Fault):
    """The battery is off its link while it starts anew, and has forgotten its set-point."""

    device: Literal["battery"] = "battery"
    for_s: Seconds | None = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMeterWrong(Fault):
    """The battery reports its power times `factor`, or always `w`."""

    device: Literal["battery"] = "battery"
    factor: Factor = 10.0
    w: Watts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySocWrong(Fault):
    """The battery reports this state of charge."""

    device: Literal["battery"] = "battery"
    soc: Fraction = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterIgnoresLimit(Fault):
    """The inverter accepts a limit and gives all that the sun gives: external limits are not switched on."""

    device: Literal["pv"] = "pv"


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterWithoutSupply(Fault):
    """The inverter lives by its modules: while they give nothing, nobody is at its address."""

    device: Literal["pv"] = "pv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignMaster(Fault):
    """Somebody else orders the device this power, again and again."""

    device: Literal["battery", "pv", "car", "tank"] = "battery"
    w: Watts = 0.0
    every_s: Period = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CarOnePhase(Fault):
    """The car draws one of the three phases that it is offered."""

    device: Literal["car"] = "car"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadIgnoresOrders(Fault):
    """The load accepts writes and goes on with the power `w`, or without `w` as its own thermostat or charger wants."""

    device: LoadName = "tank"
    w: WattsUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterAtZero(Fault):
    """A counter reads 0 for a while. `point` as in the device's register module."""

    device: Device = "meter"
    point: str = "energy_import_kwh"


@dataclass(frozen=True, slots=True, kw_only=True)
class SameWord(Fault):
    """Every register reads the same: 65535 are all ones, 0 is a device that has lost its memory."""

    device: Device = "pv"
    word: Word = 0xFFFF


DEVICE_FAULTS: tuple[type[Fault], ...] = (
    MeterSignFlipped,
    MeterPhasesSwapped,
    MeterSpike,
    BatteryTakesOnly,
    BatteryIgnoresOrders,
    BatteryRestarts,
    BatteryMeterWrong,
    BatterySocWrong,
    InverterIgnoresLimit,
    InverterWithoutSupply,
    ForeignMaster,
    CarOnePhase,
    LoadIgnoresOrders,
    CounterAtZero,
    SameWord,
)
