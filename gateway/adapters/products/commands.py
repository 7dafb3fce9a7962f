"""What a profile says of commanding: where a set-point is written, in which unit, and how the device is given back."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.adapters.products.points import Address, Scale, Strict
from gateway.wire.table import MAX_BUDGET

Number = Literal["int16", "uint16", "int32", "uint32"]
SetpointUnit = Literal["W", "A", "share", "switch"]
Reversion = Literal["armed", "built_in", "setting", "none"]


class ReadBack(Strict):
    """Where the product shows what was written, when it is not the place of writing."""

    address: Address
    table: Literal["holding", "input"] = "holding"


class _Written(Strict):
    """`write_only`: why it cannot be read back (the product refuses, it counts down, ...); else it is, at `read_at`."""

    address: Address
    read_at: ReadBack | None = None
    write_only: Annotated[str, Field(min_length=1)] | None = None


class Write(_Written):
    """A fixed value to write. It is read back from its own address, unless `read_at` or `write_only` say otherwise."""

    type: Number
    value: int


class Target(_Written):
    """Where a power set-point is written, and in what: raw = value / (scale * sign). Read back as a Write.

    `unit` of the value: "W"; "A" for amperes of each phase, power / (230 V * phases); "share" for a fraction of the
    rated power; "switch" for a register that holds `on`, or `off` when the power is 0.
    """

    type: Number
    scale: Scale = 1.0
    sign: Literal[1, -1] = 1
    unit: SetpointUnit = "W"
    on: int | None = None
    off: int | None = None

    @model_validator(mode="after")
    def _switch_has_its_values(self) -> "Target":
        given = self.on is not None, self.off is not None
        if given != (self.unit == "switch",) * 2:
            raise ValueError("on and off are both for the unit switch, and needed there")
        if self.unit == "switch" and self.on == self.off:
            raise ValueError("on and off are the same")
        if self.unit == "switch" and (self.scale, self.sign) != (1.0, 1):
            raise ValueError("a switch has neither scale nor sign")
        return self


class Setpoint(Strict):
    """How the product is commanded: `arm` first, then the value, then `go`; `safe` gives it back its own mode.

    Registers that the product keeps through a power cut (`volatile` false) wear out: they have `writes_per_day`, are
    written only on a change and not more often than every `min_write_s`, and must be readable.

    `device_timeout_s`: after so long without being written again the device itself ends a set-point, also when the node
    is lost; it is written again at half of that. With `arm` its timer is set first; else it is built in, or (`timer`
    "setting") as somebody has set it in the device, and the number is what is assumed. null: nothing ends it. Then
    `may_stay` is the least and the most (in the unit of the set-point, drawn positive; 0 and 1 of a switch) that does
    no harm if it stays for ever, and nothing beyond is ordered.
    """

    point: Target
    arm: tuple[Write, ...] = ()
    go: tuple[Write, ...] = ()
    safe: tuple[Write, ...]
    volatile: bool
    writes_per_day: Annotated[int, Field(ge=2, le=MAX_BUDGET)] | None = None
    min_write_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    device_timeout_s: Annotated[float, Field(ge=2, le=3600)] | None
    timer: Literal["built_in", "setting"] = "built_in"
    may_stay: tuple[float, float] | None = None

    @property
    def reversion(self) -> Reversion:
        """How the device ends a set-point whose node is lost."""
        if self.device_timeout_s is None:
            return "none"
        return "armed" if self.arm else self.timer

    @property
    def registers(self) -> tuple[Write | Target, ...]:
        """All that is written."""
        return (*self.arm, self.point, *self.go, *self.safe)

    @model_validator(mode="after")
    def _fits_together(self) -> "Setpoint":
        if self.volatile != (self.writes_per_day is None):
            raise ValueError("writes_per_day is for registers that are not volatile, and needed there")
        if not self.volatile and (self.min_write_s < 1 or self.device_timeout_s is not None):
            raise ValueError("registers that are not volatile need min_write_s of 1 or more and no device_timeout_s")
        if not self.volatile and any(register.write_only for register in self.registers):
            raise ValueError("registers that are not volatile are written only on a change: they must be readable")
        if self.reversion != "none" and self.may_stay is not None:
            raise ValueError("may_stay is for a product without device_timeout_s: else no set-point stays")
        if self.reversion in ("none", "armed") and self.timer != "built_in":
            raise ValueError("timer is for a product with device_timeout_s that arm does not set")
        if self.may_stay is not None and not self.may_stay[0] <= 0.0 <= self.may_stay[1]:
            raise ValueError("may_stay goes from 0 or below to 0 or above")
        if self.device_timeout_s is not None and self.min_write_s > self.device_timeout_s / 2:
            raise ValueError("min_write_s is longer than half of device_timeout_s: the set-point would lapse")
        ways: dict[int, tuple[object, bool]] = {}
        for register in self.registers:
            way = (register.read_at, register.write_only is not None)
            if ways.setdefault(register.address, way) != way:
                raise ValueError(f"register {register.address} is read back in two ways")
        return self
