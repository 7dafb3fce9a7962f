"""Which loads the batteries supply: planned loads only above the state of charge that the site file says, else none.

What a load was given of the surplus it may have from the batteries for some seconds, while a cloud passes and until it
has followed: it counts as part of the building. What it draws beyond that comes from the grid.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.core.control.load_memory import LoadMemory, likely_range_w, settle_s
from gateway.core.control.observe import Observation
from gateway.core.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupplied:
    """What loads that the batteries do not supply draw now (W, 0 or above)."""

    least_w: float = 0.0  # of them together
    most_w: float = 0.0  # the same; more than the least while they are on their way to what they were sent
    base_w: float | None = None  # the building without them and without batteries; None where it was never known
    surplus_w: float = 0.0  # of the surplus, what they were given

    def beyond_surplus_w(self, net_w: float) -> float:
        """What they draw beyond their part of the surplus, when the building draws `net_w` without its batteries.

        A load that is on its way draws what the building draws more than before, as far as it can.
        """
        moved_w = self.most_w if self.base_w is None else net_w - self.base_w
        return max(min(max(moved_w, self.least_w), self.most_w) - self.surplus_w, 0.0)


def supplied_loads(site: Site, socs: Mapping[str, float]) -> frozenset[str]:
    """Ids of the loads that the batteries may supply at these states of charge (0…1, by battery id).

    A battery of which nothing is known counts as empty.
    """
    capacity_wh = sum(battery.capacity_wh for battery in site.batteries)
    held_wh = sum(socs.get(battery.id, 0.0) * battery.capacity_wh for battery in site.batteries)
    return frozenset(load.id for load in site.loads if held_wh >= load.supplied_from_soc * capacity_wh)


def unsupplied(memory: LoadMemory, seen: Observation, site: Site, supplied: Collection[str]) -> Unsupplied:
    """What the loads draw that are not among these."""
    theirs = [load for load in site.loads if load.id not in supplied]
    if not theirs or not site.batteries:
        return Unsupplied()
    drawn_w = {load.id: max(seen.loads[load.id].drawn_w, 0.0) for load in site.loads}
    within_s = settle_s(site)
    ranges_w = [likely_range_w(memory.sent.get(one.id), drawn_w[one.id], seen.now_s, within_s) for one in theirs]
    return Unsupplied(
        least_w=sum(low_w for low_w, _ in ranges_w),
        most_w=sum(high_w for _, high_w in ranges_w),
        base_w=_base_w(memory, drawn_w, {load.id for load in theirs}),
        surplus_w=memory.surplus_given_w,
    )


def _base_w(memory: LoadMemory, drawn_w: dict[str, float], theirs: Collection[str]) -> float | None:
    """The building without these loads (W); in the base load that is remembered are those that are not controlled."""
    if memory.base_w is None:
        return None
    ours = set(memory.excluded)
    supplied_w = sum(power_w for id_, power_w in drawn_w.items() if id_ in ours and id_ not in theirs)
    beside_w = sum(power_w for id_, power_w in drawn_w.items() if id_ not in ours and id_ in theirs)
    return memory.base_w + supplied_w - beside_w
