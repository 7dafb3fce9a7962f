"""What every stage decides on: one frozen picture of the cycle."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control.observe import Observation
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleInput:
    """One building in one cycle: what is seen of it and what the plan says about this moment."""

    seen: Observation  # what every stage decides on
    site: Site  # which never changes
    slot: Slot | None  # None: no plan, or one that cannot be followed: the plain rule
    requests: Mapping[str, LoadSlot]  # by load id: what plan or plain rule say; a load that is not in it is unplanned
