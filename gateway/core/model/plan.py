"""What the planner gives to the loop: levels for each slot, the prices behind them, and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.model.levels import Levels
from gateway.core.model.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotForecast:
    """Of what may come in one slot: of ten possible futures one is below the first number and one above the last."""

    # Base load without planned loads (W): low, middle, high.
    load_w: tuple[float, float, float]
    # PV (W, production negative): little, middle and much production.
    pv_w: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One step of a plan: its levels, prices, loads and reason."""

    # When it begins (UTC).
    start_s: float
    # Price of imported energy (EUR/kWh).
    buy: float
    # Price of exported energy (EUR/kWh).
    sell: float
    # What the storage may do.
    levels: Levels
    # Marginal value of stored energy at its end (EUR/kWh).
    value: float
    # Why it has these levels.
    reason: Reason
    # Mean net load expected (W, load and PV together, import positive); None where it is not known.
    net_w: float | None = None
    # Energy stored at its end if that net load comes (Wh above empty); None where it is not known.
    energy_wh: float | None = None
    # The tariff's own name for its price; "" where it has none.
    name: str = ""
    # Import that shall not be exceeded, for it would be a new peak (W, >= 0); infinite where peaks cost nothing.
    peak_target_w: float = math.inf
    # What was forecast for it; None where nothing was.
    forecast: SlotForecast | None = None


class LoadPurpose(StrEnum):
    """What the energy of a load's slot is for. Control acts on it; the reason beside it only explains."""

    SERVICE = "service"  # what the load is there for: a charged car, warm water, warm rooms, a run
    HYGIENE = "hygiene"  # a tank is heated through against legionella: up to that temperature, above its usual one


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSlot:
    """What a flexible load does in one slot, what for, and why."""

    # Its mean power (W, drawn positive; below 0 it gives back).
    power_w: float
    # Marginal value of the next kWh into it (EUR/kWh): by it loads and storages compete in the loop.
    value: float
    # Why it does so.
    reason: Reason
    # What its energy is for; control acts on it.
    purpose: LoadPurpose = LoadPurpose.SERVICE
    # Of its power, what is expected to be surplus (W, 0 or above); said to people beside what there is.
    surplus_w: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Levels, loads and prices of the coming day in slots of equal length, one after the other."""

    # When it was made (UTC).
    made_s: float
    # Length of a slot (s).
    step_s: float
    # Its slots; where there is none, the plan reaches nowhere.
    slots: tuple[Slot, ...]
    # What was not known and had to be assumed, and what will not be as it was asked for.
    notes: tuple[Reason, ...] = ()
    # For each flexible load, by its name in the site file, one entry a slot.
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
