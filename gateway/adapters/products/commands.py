"""What a profile says of commanding: where a set-point is written, in which unit, and how the device is given back."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.adapters.products.points import Address, Scale, Strict
from gateway.wire.table import MAX_BUDGET

Number = Literal["int16", "uint16", "int32", "uint32"]
SetpointUnit = Literal["W", "A", "share", "switch"]


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
    """

    point: Target
    arm: tuple[Write, ...] = ()
    go: tuple[Write, ...] = ()
    safe: tuple[Write, ...]
    volatile: bool
    writes_per_day: Annotated[int, Field(ge=2, le=MAX_BUDGET)] | None = None
    min_write_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    device_timeout_s: Annotated[float, Field(ge=2, le=3600)] | None

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
        if self.device_timeout_s is not None and self.min_write_s > self.device_timeout_s / 2:
            raise ValueError("min_write_s is longer than half of device_timeout_s: the set-point would lapse")
        ways: dict[int, tuple[object, bool]] = {}
        for register in self.registers:
            way = (register.read_at, register.write_only is not None)
            if ways.setdefault(register.address, way) != way:
                raise ValueError(f"register {register.address} is read back in two ways")
        return self
