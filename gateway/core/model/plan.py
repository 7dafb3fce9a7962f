"""What the planner hands to the loop: levels for each slot, the prices behind them, and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.model.levels import Levels
from gateway.core.model.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One step of a plan. Prices and the marginal value of stored energy at its end in EUR/kWh.

    `net_w` and `energy_wh`: mean net load expected, and the energy stored at its end if it comes; None if nobody said.
    `name` is the tariff's own for its price. `aim_w`: import that shall not be exceeded, for it would be a new peak.
    """

    start_s: float  # UTC
    buy: float
    sell: float
    levels: Levels
    value: float
    reason: Reason
    net_w: float | None = None
    energy_wh: float | None = None
    name: str = ""
    aim_w: float = math.inf


class LoadPurpose(StrEnum):
    """What the energy of a load's slot is for. Control acts on it; the reason beside it only explains."""

    SERVICE = "service"  # what the load is there for: a charged car, warm water, warm rooms, a run
    HYGIENE = "hygiene"  # a tank is heated through against legionella: up to that temperature, above its usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSlot:
    """What a flexible load does in one slot, what for, and why."""

    power_w: float  # mean power (W), drawn positive; below 0 it gives back
    value: float  # what the next kWh into it is worth (EUR/kWh): by it loads and storages compete in the loop
    reason: Reason
    purpose: LoadPurpose = LoadPurpose.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Slots of equal length, one after the other; `made_s` is when it was made (UTC).

    `notes`: what was not known and had to be assumed. `loads`: for each flexible load one entry a slot.
    """

    made_s: float
    step_s: float
    slots: tuple[Slot, ...]
    notes: tuple[Reason, ...] = ()
    loads: Mapping[str, tuple[LoadSlot, ...]] = field(default_factory=dict)

    def at(self, utc_s: float) -> Slot | None:
        """The slot that holds now, or None where the plan does not reach: no plan is a special case of a plan."""
        index = self._index(utc_s)
        return None if index is None else self.slots[index]

    def loads_at(self, utc_s: float) -> dict[str, LoadSlot]:
        """What the flexible loads do now; empty where the plan does not reach."""
        index = self._index(utc_s)
        return {} if index is None else {id_: slots[index] for id_, slots in self.loads.items()}

    def _index(self, utc_s: float) -> int | None:
        if not self.slots:
            return None
        index = int((utc_s - self.slots[0].start_s) // self.step_s)
        return index if 0 <= index < len(self.slots) else None
