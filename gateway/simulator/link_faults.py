"""What goes wrong between a device and the node that asks it, beside loss, noise and lateness."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from gateway.simulator.fault import Fault, Seconds

NetworkDevice = Literal["pv", "battery", "car", "tank", "heat_pump", "pool_pump"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayBytes(Fault):
    """A byte comes before each answer on the line, which idles low (0) or high (255); with `echo` the request, too."""

    device: Literal["meter"] = "meter"
    byte: Annotated[int, Field(ge=0, le=255)] = 0
    echo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherHeader(Fault):
    """The device answers on TCP under another transaction number, or (`unit`) under another unit."""

    device: NetworkDevice = "pv"
    transaction: Literal["zero", "next", "swapped", "right"] = "zero"
    unit: Annotated[int, Field(ge=0, le=255)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeafAfterConnecting(Fault):
    """The device takes a connection and hears nothing in its first seconds, as some dongles do."""

    device: NetworkDevice = "pv"
    deaf_s: Seconds = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainWithoutEnd(Fault):
    """Behind the last SunSpec model the inverter answers with an exception instead of the end of the chain."""

    device: Literal["pv"] = "pv"


LINK_FAULTS: tuple[type[Fault], ...] = (StrayBytes, OtherHeader, DeafAfterConnecting, ChainWithoutEnd)
