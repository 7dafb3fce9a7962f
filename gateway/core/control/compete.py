"""From a plan's slot to the loop: who may take how much now, by what the next kWh is worth to each.

What a load should take from the grid it is given first, the dearest need before the others and never above the import
limit. What surplus is left goes through the one arbiter, in which the battery is a consumer like the others: nothing
takes what another one gives.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control.arbiter import START_W, Consumer, must_rest, must_run, shared
from gateway.core.loads.kind import Load
from gateway.core.model.levels import Storage
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.switched import Switched, switch

BATTERY = "battery"
TIE = 1e-6  # EUR/kWh: at equal worth the plan decides
LEAST_S = 60.0  # that anything switched runs and rests, whatever its section says: relays wear out


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The building now (W): surplus without all consumers (below 0 where there is none).

    `import_room_w`: what all consumers together may draw under the import limit.
    `most_w`: what a load, or the battery, can take now where that is less than usual; 0 where it takes nothing.
    """

    surplus_w: float
    import_room_w: float
    most_w: Mapping[str, float]


def consumers(loads: Sequence[Load], slots: Mapping[str, LoadSlot]) -> tuple[Consumer, ...]:
    """The loads as consumers, each with the value of the plan; one without a slot is worth nothing."""
    return tuple(
        Consumer(
            id=load.id,
            min_w=min(band.low_w for band in load.bands),
            max_w=max(band.high_w for band in load.bands),
            value=slots[load.id].value if load.id in slots else 0.0,
            dwell_on_s=max(load.minimum_up_s, LEAST_S),
            dwell_off_s=max(load.minimum_down_s, LEAST_S),
        )
        for load in loads
    )


def battery_consumer(storage: Storage, slot: Slot, live: Live) -> Consumer:
    """The storage: a kWh at its terminals is worth what the energy is that it stores of it."""
    most_w = min(storage.charge_max_w, live.most_w.get(BATTERY, math.inf))
    value = slot.value * storage.charge_efficiency - storage.wear_price - TIE
    return Consumer(id=BATTERY, min_w=0.0, max_w=most_w, value=value, priority=1)


def drawn_price(storage: Storage | None, slot: Slot) -> float:
    """What a kWh beyond the surplus costs: from the grid, or from the storage where that is worth less."""
    if storage is None:
        return slot.buy
    return min(slot.buy, max(slot.value, 0.0) / storage.discharge_efficiency + storage.wear_price)


def divided(
    loads: Sequence[Load],
    slots: Mapping[str, LoadSlot],
    storage: Storage | None,
    slot: Slot,
    live: Live,
    switched: Mapping[str, Switched],
    now_s: float,
) -> tuple[dict[str, float], dict[str, Switched]]:
    """Power of each load and of the battery's surplus (W), and who runs since when."""
    offered = _able(consumers(loads, slots), live)
    free = [one for one in offered if not must_rest(one, switched.get(one.id), now_s)]
    granted = _granted(free, slots, drawn_price(storage, slot), slot, live, switched)
    left_w = max(live.surplus_w - sum(granted.values()), 0.0)
    rest = [_beside(one, granted.get(one.id)) for one in offered]
    planned = {id_ for id_, one in slots.items() if one.power_w > 0.0 and one.value >= slot.sell - TIE}
    wanting = [one for one in rest if one.value > slot.sell or one.id in planned or one.id in granted]
    held = [replace(one, value=-1.0) for one in rest if one not in wanting]
    everyone = [*wanting, *([battery_consumer(storage, slot, live)] if storage is not None else [])]
    powers, _ = shared(left_w, [*everyone, *_bound(held, switched, now_s)], switched, now_s)
    total = {one.id: powers.get(one.id, 0.0) + granted.get(one.id, 0.0) for one in [*offered, *everyone]}
    return total, {id_: switch(switched.get(id_), now_s, runs=power > 0.0) for id_, power in total.items()}


def _beside(one: Consumer, granted_w: float | None) -> Consumer:
    """What a load can still take when it has been given something."""
    return one if granted_w is None else replace(one, max_w=one.max_w - granted_w, min_w=0.0)


def _able(offered: Sequence[Consumer], live: Live) -> tuple[Consumer, ...]:
    """With what each can take now; those that take nothing fall out."""
    limited = [replace(one, max_w=min(one.max_w, live.most_w.get(one.id, one.max_w))) for one in offered]
    return tuple(one for one in limited if one.max_w > 0.0 and one.max_w >= one.min_w)


def _granted(
    offered: Sequence[Consumer],
    slots: Mapping[str, LoadSlot],
    price: float,
    slot: Slot,
    live: Live,
    switched: Mapping[str, Switched],
) -> dict[str, float]:
    """What the plan gives a load: from anywhere where it is worth that price, else of the surplus; what fits of it.

    The levels of the storage were planned beside just that, so its part of the surplus goes before the storage's.
    """
    room_w, surplus_w = live.import_room_w, live.surplus_w
    granted: dict[str, float] = {}
    for one in sorted(offered, key=lambda c: (-c.value, c.id)):
        planned = slots[one.id].power_w if one.id in slots else 0.0
        if planned <= 0.0 or one.value < slot.sell - TIE:
            continue
        is_dear = one.value >= price - TIE
        runs = one.id in switched and switched[one.id].runs
        most_w = room_w if is_dear else min(room_w, surplus_w - (0.0 if runs else START_W))
        power_w = min(max(planned, one.min_w), one.max_w, most_w)
        if power_w >= one.min_w and power_w > 0.0:
            granted[one.id] = power_w
            room_w, surplus_w = room_w - power_w, surplus_w - power_w
    return granted


def _bound(held: Sequence[Consumer], switched: Mapping[str, Switched], now_s: float) -> list[Consumer]:
    """Those that are not wanted but whose least time is not over."""
    return [one for one in held if must_run(one, switched.get(one.id), now_s)]
