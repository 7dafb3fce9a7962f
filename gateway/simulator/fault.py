"""What every fault has: the device that it befalls, and how long it lasts."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Device = Literal["meter", "pv", "battery", "linky", "car", "tank", "heat_pump", "pool_pump"]
LoadName = Literal["car", "tank", "heat_pump", "pool_pump"]
Seconds = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with one device for a while; `for_s` None lasts until it is cleared."""

    device: Device
    for_s: Seconds | None = None
