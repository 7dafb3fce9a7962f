"""What every stage decides on: one frozen picture of the cycle."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.control.observe import Observation
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleInput:
    """One building in one cycle: what is seen of it and what the plan says about this moment."""

    seen: Observation  # what every stage decides on
    site: Site  # with the limits of this moment
    slot: Slot | None  # None: no plan, or one that cannot be followed: the plain rule
    requests: Mapping[str, LoadSlot]  # by load id: what plan or plain rule say; a load that is not in it is unplanned
    flows: tuple[LimitedFlow, ...] = ()  # through each place that has limits; that of the connection first
