"""What the devices were sent until now, which their readings are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control.battery_response import BatteryResponse
from gateway.core.control.load_memory import LoadMemory
from gateway.core.model.state import SetPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What batteries, inverters and loads were sent, and what the batteries did with it."""

    last: Mapping[str, SetPoint]  # by battery id; a battery that is not in it was never controlled
    responses: Mapping[str, BatteryResponse]  # by battery id, the recent past of each
    controlled: tuple[str, ...]  # ids of the batteries that were controlled last
    loads: LoadMemory  # what is remembered of the loads
    pv_limit_w: float | None = None  # what all inverters that take a limit may give together; None: no limit
