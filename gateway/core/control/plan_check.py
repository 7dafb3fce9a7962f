"""A plan whose numbers are none must not be followed: then the plain rule holds, and a load is unplanned."""

import math
from collections.abc import Mapping

from gateway.core.model.plan import LoadSlot, Slot


def usable_slot(slot: Slot | None) -> Slot | None:
    """The slot, if all its numbers are numbers."""
    if slot is None:
        return None
    levels = slot.levels
    numbers = (levels.charge_wh, levels.reserve_wh, levels.fill_wh, levels.export_wh, slot.buy, slot.sell, slot.value)
    return slot if all(map(math.isfinite, numbers)) and slot.peak_target_w >= 0.0 else None


def usable_requests(requests: Mapping[str, LoadSlot]) -> Mapping[str, LoadSlot]:
    """The requests of loads, by load id, whose numbers are numbers."""
    return {id_: request for id_, request in requests.items() if math.isfinite(request.power_w + request.value)}
