"""The simple laws that others use, and ours: what the closed-loop bench compares.

`integral`: each second battery += target - grid (grid + battery - target in one step), as many scripts do;
`ten_seconds` the same each 10 s; `round_robin` each 30 s, one device after the other. Cars and relays each chase the
surplus by themselves at the same moments; below `supplied_from_soc` batteries give no more than the rest needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.control.arbiter import Consumer
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState


@dataclass(slots=True)
class Zen:
    """The product's own law, with what it knows of the loads of `site`."""

    site: Site
    requests: Mapping[str, LoadSlot] = field(default_factory=dict)
    slot: Slot | None = None
    memory: Memory = field(default_factory=Memory)

    def step(self, state: SiteState) -> Mapping[str, float]:
        """One cycle."""
        setpoints, self.memory = decide(state, self.site, self.slot, self.memory, self.requests)
        return {s.device: s.power_w for s in setpoints if s.power_w is not None}


@dataclass(slots=True)
class Simple:
    """battery = battery + target - grid, each `every_s`; with `in_turn` one device at a time."""

    site: Site
    every_s: float
    in_turn: bool = False
    consumers: Sequence[Consumer] = ()
    supplied_from_soc: float = 0.0
    next_s: float = 0.0
    turn: int = 0

    def step(self, state: SiteState) -> Mapping[str, float]:
        """One cycle; nothing until the next one is due."""
        if state.now_s < self.next_s or any(b.id not in state.devices for b in self.site.batteries):
            return {}
        self.next_s = state.now_s + self.every_s
        error_w = self.site.grid_setpoint_w - (state.reading(self.site.grid, "p_w").value or 0.0)
        found = {**self._batteries(state, error_w), **self._consumers(state, error_w)}
        if not self.in_turn:
            return found
        ids = list(found)
        self.turn = (self.turn + 1) % len(ids)
        return {ids[self.turn]: found[ids[self.turn]]}

    def _batteries(self, state: SiteState, error_w: float) -> dict[str, float]:
        share_w = error_w / (1 if self.in_turn else len(self.site.batteries))
        found = {}
        own_w = self._own_need_w(state) / len(self.site.batteries)
        for battery in self.site.batteries:
            power_w = (state.reading(battery.id, "p_w").value or 0.0) + share_w
            soc = state.reading(battery.id, "soc").value or 0.0
            low_w = -battery.discharge_max_w if soc > battery.reserve else 0.0
            if soc < self.supplied_from_soc:
                low_w = max(low_w, -own_w)
            found[battery.id] = min(max(power_w, low_w), battery.charge_max_w if soc < battery.soc_max else 0.0)
        return found

    def _own_need_w(self, state: SiteState) -> float:
        """What the building draws without batteries and consumers, and more than its target (W, 0 or above)."""
        devices = (self.site.grid, *(b.id for b in self.site.batteries), *(c.id for c in self.consumers))
        grid_w, *others_w = (state.reading(device, "p_w").value or 0.0 for device in devices)
        return max(grid_w - sum(others_w) - self.site.grid_setpoint_w, 0.0)

    def _consumers(self, state: SiteState, error_w: float) -> dict[str, float]:
        """Each one takes what it sees to be left over."""
        found = {}
        for consumer in self.consumers:
            power_w = (state.reading(consumer.id, "p_w").value or 0.0) + error_w
            found[consumer.id] = 0.0 if power_w < consumer.min_w else min(power_w, consumer.max_w)
        return found
