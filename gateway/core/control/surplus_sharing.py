"""From a plan's slot to the loop: how much each may take now, by the marginal value of energy to it.

What a load should take from the grid is given first, the highest value before the others and never above the import
limit. The surplus that is left goes through the one arbiter, in which the battery is a consumer like the others: none
takes what another one gives.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control.arbiter import START_W, Consumer, allocated, must_rest, must_run
from gateway.core.model.levels import Storage
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.switched import Switched

BATTERY = "battery"
TIE = 1e-6  # EUR/kWh: at equal marginal values the plan decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """The power that can be given to the loads now (W)."""

    surplus_w: float  # of the building without all consumers; below 0 where there is none
    import_headroom_w: float  # what all consumers together may draw under the import limit, 0 or above
    most_w: Mapping[str, float]  # by consumer id, where it can take less than usual; 0 where it takes nothing
    supplied: Collection[str] = ()  # ids of the loads that the storage supplies


def battery_consumer(storage: Storage, slot: Slot, available: Available) -> Consumer:
    """The storage: the marginal value of a kWh at its terminals is that of the energy it stores of it."""
    most_w = min(storage.charge_max_w, available.most_w.get(BATTERY, math.inf))
    value = slot.value * storage.charge_efficiency - storage.wear_price - TIE
    return Consumer(id=BATTERY, min_w=0.0, max_w=most_w, value=value, priority=1)


def drawn_price(storage: Storage | None, slot: Slot) -> float:
    """What a kWh beyond the surplus costs (EUR/kWh): from the grid, or from the storage where that costs less.

    `storage`: None also where it does not supply the load.
    """
    if storage is None:
        return slot.buy
    return min(slot.buy, max(slot.value, 0.0) / storage.discharge_efficiency + storage.wear_price)


def shared(
    loads: Sequence[Consumer],
    requests: Mapping[str, LoadSlot],
    storage: Storage | None,
    slot: Slot,
    available: Available,
    switched: Mapping[str, Switched],
    now_s: float,
) -> dict[str, float]:
    """Power of each load that can take any, by its id, and of the battery's surplus (W); `now_s` is UTC.

    What must run on has its least power first: nobody is given that once more.
    """
    offered = _able(loads, available)
    kept = {one.id: one.min_w for one in offered if must_run(one, switched.get(one.id), now_s)}
    free = [one for one in offered if not must_rest(one, switched.get(one.id), now_s)]
    granted = _granted(free, requests, storage, slot, available, switched, kept)
    left_w = max(available.surplus_w - sum(granted.values()), 0.0)
    rest = [_beside(one, granted.get(one.id)) for one in offered]
    planned = {id_ for id_, one in requests.items() if one.power_w > 0.0 and one.value >= slot.sell - TIE}
    requesting = [one for one in rest if one.value > slot.sell or one.id in planned or one.id in granted]
    unwanted = [replace(one, value=-1.0) for one in rest if one not in requesting and one.id in kept]
    everyone = [*requesting, *([battery_consumer(storage, slot, available)] if storage is not None else [])]
    powers = allocated(left_w, [*everyone, *unwanted], switched, now_s)
    return {one.id: powers.get(one.id, 0.0) + granted.get(one.id, 0.0) for one in [*offered, *everyone]}


def _beside(one: Consumer, granted_w: float | None) -> Consumer:
    """What a load can still take when it has been given something."""
    return one if granted_w is None else replace(one, max_w=one.max_w - granted_w, min_w=0.0)


def _able(offered: Sequence[Consumer], available: Available) -> tuple[Consumer, ...]:
    """With what each can take now; those that take nothing fall out."""
    limited = [replace(one, max_w=min(one.max_w, available.most_w.get(one.id, one.max_w))) for one in offered]
    return tuple(one for one in limited if one.max_w > 0.0 and one.max_w >= one.min_w)


def _granted(
    offered: Sequence[Consumer],
    requests: Mapping[str, LoadSlot],
    storage: Storage | None,
    slot: Slot,
    available: Available,
    switched: Mapping[str, Switched],
    kept_w: Mapping[str, float],
) -> dict[str, float]:
    """What the plan gives a load (W): from anywhere where its value is that price, else of the surplus; what fits.

    The levels of the storage were planned beside just that, so its part of the surplus goes before the storage's.
    `kept_w`: by load id, what runs on in any case.
    """
    headroom_w = available.import_headroom_w - sum(kept_w.values())
    surplus_w = available.surplus_w - sum(kept_w.values())
    granted: dict[str, float] = {}
    for one in sorted(offered, key=lambda c: (-c.value, c.id)):
        planned = requests[one.id].power_w if one.id in requests else 0.0
        if planned <= 0.0 or one.value < slot.sell - TIE:
            continue
        is_dear = one.value >= drawn_price(storage if one.id in available.supplied else None, slot) - TIE
        runs, own_w = one.id in switched and switched[one.id].runs, kept_w.get(one.id, 0.0)
        most_w = headroom_w + own_w
        if not is_dear:
            most_w = min(most_w, surplus_w + own_w - (0.0 if runs else START_W))
        power_w = min(max(planned, one.min_w), one.max_w, most_w)
        if power_w >= one.min_w and power_w > 0.0:
            granted[one.id] = power_w
            headroom_w, surplus_w = headroom_w - (power_w - own_w), surplus_w - (power_w - own_w)
    return granted
