"""What goes wrong in real buildings, each named after the event. `for_s` is how long; None until it is cleared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from gateway.mistakes import mistakes_of
from gateway.simulator.device_faults import DEVICE_FAULTS, BatteryRestarts, CounterAtZero, InverterWithoutSupply
from gateway.simulator.fault import Device, Fault, LoadName, Seconds
from gateway.simulator.link_faults import LINK_FAULTS
from gateway.simulator.settings.config import TelegramMode
from gateway.simulator.settings.keys import Fraction

ExceptionCode = Literal[1, 2, 3, 4, 5, 6, 7, 8, 10, 11]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFrozen(Fault):
    """The meter answers, but its values stop changing."""

    device: Literal["meter"] = "meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterGone(Fault):
    """The meter does not answer: cable off, fuse out."""

    device: Literal["meter"] = "meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterGone(Fault):
    """The inverter is off the network; it goes on producing."""

    device: Literal["pv"] = "pv"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryGone(Fault):
    """The battery is off the network; it goes on by itself."""

    device: Literal["battery"] = "battery"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterLate(Fault):
    """The meter shows old values: refreshed when they are `max_s` old, with values that are `min_s` old."""

    device: Literal["meter"] = "meter"
    min_s: Seconds = 1.0
    max_s: Seconds = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCount(Fault):
    """The device answers a read with more or fewer registers than asked."""

    device: Device = "meter"
    by: Annotated[int, Field(ge=-60, le=60)] = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongFunction(Fault):
    """The device answers with another function code: 3 for 4, 6 for 16 and the other way round."""

    device: Device = "meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class NanSentinel(Fault):
    """The device has no value for a point and sends the pattern that says so. `point` as in its register module."""

    device: Device = "meter"
    point: str = "active_power_w"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRefuses(Fault):
    """The battery answers writes with an exception (1 to 8, or 10 or 11 of a gateway)."""

    device: Literal["battery"] = "battery"
    code: ExceptionCode = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterRefuses(Fault):
    """The inverter answers writes with an exception, as `BatteryRefuses`: external limits are not switched on."""

    device: Literal["pv"] = "pv"
    code: ExceptionCode = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadGone(Fault):
    """Charger, heater, heat pump or relay is off its link; it goes on by itself."""

    device: LoadName = "car"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRefuses(Fault):
    """Charger, heater, heat pump or relay answers writes with an exception, as `BatteryRefuses`."""

    device: LoadName = "car"
    code: ExceptionCode = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CarAsleep(Fault):
    """The car draws nothing, whatever the charger offers: its own timer, or it has gone to sleep."""

    device: Literal["car"] = "car"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseOnLine(Fault):
    """Bits flip on the serial line (probability per byte), and stray bytes arrive before some answers."""

    device: Literal["meter"] = "meter"
    flips: Fraction = 0.01
    garbage: Fraction = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAnswers(Fault):
    """Answers come so much later, at random between the two."""

    device: Device = "meter"
    min_s: Seconds = 0.5
    max_s: Seconds = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramGone(Fault):
    """The Linky's telegram stops: wire off, meter changed."""

    device: Literal["linky"] = "linky"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramChecksums(Fault):
    """Groups of the telegram end with a wrong check character (share of the groups)."""

    device: Literal["linky"] = "linky"
    share: Fraction = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramBrokenOff(Fault):
    """Each frame of the telegram is broken off somewhere with an end-of-transmission character."""

    device: Literal["linky"] = "linky"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramNoise(Fault):
    """Bits flip in the telegram (probability per character)."""

    device: Literal["linky"] = "linky"
    flips: Fraction = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSwitched(Fault):
    """The supplier has switched the telegram to this mode, and with it to another speed."""

    device: Literal["linky"] = "linky"
    mode: TelegramMode = "historique"


KINDS: dict[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (
        MeterFrozen,
        MeterGone,
        MeterLate,
        InverterGone,
        BatteryGone,
        BatteryRefuses,
        InverterRefuses,
        LoadGone,
        LoadRefuses,
        CarAsleep,
        WrongCount,
        WrongFunction,
        NanSentinel,
        NoiseOnLine,
        LateAnswers,
        TelegramGone,
        TelegramChecksums,
        TelegramBrokenOff,
        TelegramNoise,
        TelegramSwitched,
        *DEVICE_FAULTS,
        *LINK_FAULTS,
    )
}
GONE: tuple[type[Fault], ...] = (MeterGone, InverterGone, BatteryGone, LoadGone, BatteryRestarts)
AnyFault = TypeVar("AnyFault", bound=Fault)


def fault_of(kind: str, values: Mapping[str, object]) -> Fault:
    """The fault of a name and its fields; ValueError says what is wrong and what there is."""
    if kind not in KINDS:
        raise ValueError(f"no fault {kind!r}; there are {', '.join(sorted(KINDS))}")
    known = [field.name for field in fields(KINDS[kind])]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"{kind} has no {', '.join(unknown)}; it has {', '.join(known)}")
    try:
        fault: Fault = TypeAdapter(KINDS[kind]).validate_python(dict(values))
    except ValidationError as error:
        raise ValueError("; ".join(str(mistake) for mistake in mistakes_of(error))) from error
    return fault


class ActiveFaults:
    """The faults of this moment, on the clock of the building (seconds since the start)."""

    def __init__(self) -> None:
        self.changes = 0  # rises whenever one begins or ends
        self.dark = False  # whether the modules give nothing
        self._active: list[tuple[float, Fault]] = []
        self._now_s = 0.0

    def add(self, fault: Fault) -> None:
        """Begin a fault now; one of the same kind and device ends."""
        kept = [item for item in self._active if (type(item[1]), item[1].device) != (type(fault), fault.device)]
        until_s = float("inf") if fault.for_s is None else self._now_s + fault.for_s
        self._active = [*kept, (until_s, fault)]
        self.changes += 1

    def clear(self) -> None:
        """End them all."""
        self._active = []
        self.changes += 1

    def pass_to(self, now_s: float) -> None:
        """Let time pass: faults whose time is over end."""
        self._now_s = now_s
        if self._active and min(until_s for until_s, _ in self._active) <= now_s:
            self._active = [item for item in self._active if item[0] > now_s]
            self.changes += 1

    @property
    def any(self) -> bool:
        """Whether anything is wrong now."""
        return bool(self._active)

    def is_silent(self, device: Device) -> bool:
        """Whether the device is off its link: what is sent to it reaches nobody."""
        if not self._active:
            return False
        without_supply = self.dark and self.find(InverterWithoutSupply, device) is not None
        return without_supply or any(isinstance(fault, GONE) and fault.device == device for _, fault in self._active)

    def find(self, kind: type[AnyFault], device: Device) -> AnyFault | None:
        """The active fault of this kind at this device."""
        for _, fault in self._active:
            if isinstance(fault, kind) and fault.device == device:
                return fault
        return None

    def points_without_value(self, device: Device) -> set[str]:
        """Points of a device that send their NaN pattern."""
        return {fault.point for _, fault in self._active if isinstance(fault, NanSentinel) and fault.device == device}

    def counters_at_zero(self, device: Device) -> set[str]:
        """Points of a device that read 0."""
        return {fault.point for _, fault in self._active if isinstance(fault, CounterAtZero) and fault.device == device}

    def names(self) -> list[str]:
        """Kind and device of each active fault."""
        return [f"{type(fault).__name__}({fault.device})" for _, fault in self._active]
