"""Why a load does in each slot what it does: a code and the numbers that were compared.

| code | what the load does | numbers |
|---|---|---|
| `load_surplus` | takes surplus | power_w, surplus_w, sell_price |
| `load_due` | takes from the grid, requested by a time | power_w, buy_price, wanted_wh, DUE |
| `load_ahead` | takes from the grid: later it costs more, or it would be too late | power_w, buy_price, later_price |
| `load_run` | runs once, at the best time inside its window | power_w, buy_price, DUE |
| `load_going` | goes on with a run that has begun | power_w, DUE |
| `load_hygiene` | is heated through | power_w, buy_price |
| `load_gives` | gives energy back | power_w, buy_price |
| `load_short` | takes what it can, and it will not be enough | power_w, missing_wh, DUE |
| `load_wait` | waits for a better time | now_price, later_price, BEGIN |
| `load_turn` | has its turn later, earlier would cost no less | BEGIN |
| `load_done` | needs nothing more | |
| `load_away` | is not there | |
| `load_later` | its window begins behind the plan | |
| `load_window` | its window is over, too short or turned around | |
| `load_missed` | finds no place for its run | |

DUE: `due_day`, `due_clock`; BEGIN: `begin_day`, `begin_clock`: days from the slot's local day, and minutes of the day.
Notes of a plan name the load: `note_window`, `note_missed`, `note_short` (missing_wh).
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from gateway.core.loads.request import LoadRequest
from gateway.core.model.levels import Floats
from gateway.core.model.plan import LoadPurpose, LoadSlot
from gateway.core.model.state import Reason
from gateway.core.planning.schedule.supply import Supply

SMALL_W = 1.0  # a power that is less is rounding of the solver
SMALL_WH = 10.0  # an energy so near to full is full: people read kWh with one decimal
SMALL_PRICE = 0.001  # EUR/kWh: a difference that would not be seen
SURPLUS_SHARE = 0.5  # of a power that must be surplus to be called so
MUST_PRICE = 10.0  # EUR/kWh: a run that has begun, or begins now, comes before all that can wait


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScheduledLoad:
    """A load in the schedule; every series has one entry for each step."""

    request: LoadRequest  # what it asked for
    power_w: Floats  # its mean powers; below 0 it gives back
    price: Floats  # of a little more power (EUR/kWh)
    net_w: Floats  # net load of the building with all other loads
    supply: Supply  # what it was planned in
    starts_s: Floats  # beginnings of the steps (UTC)
    zone: tzinfo  # of local clocks
    missing_wh: float  # the most that will be missing of what has a price

    def day_and_clock(self, name: str, utc_s: float, k: int) -> dict[str, float]:
        """A moment as days from the slot's local day and minutes of the day."""
        slot, then = (datetime.fromtimestamp(float(at_s), self.zone) for at_s in (self.starts_s[k], utc_s))
        return {
            f"{name}_day": float(then.toordinal() - slot.toordinal()),
            f"{name}_clock": float(then.hour * 60 + then.minute),
        }

    def due(self, k: int) -> dict[str, float]:
        """When it must be done; the end of the plan where nothing says so."""
        end_s = float(self.starts_s[-1]) + self.supply.hours * 3600.0
        return self.day_and_clock("due", self.request.due_s if self.request.due_s is not None else end_s, k)


def load_slots(load: ScheduledLoad) -> tuple[LoadSlot, ...]:
    """One slot for each step."""
    values = _values(load)
    later = _next_on(load.power_w)
    reasons = [_reason(load, k, later[k]) for k in range(len(load.power_w))]
    purposes = [_purpose(load, k) for k in range(len(load.power_w))]
    powers = load.power_w.tolist()
    return tuple(
        LoadSlot(
            power_w=power,
            value=value,
            reason=reason,
            purpose=purpose,
            surplus_w=_surplus_w(load, k, max(power, 0.0)),
        )
        for k, (power, value, reason, purpose) in enumerate(zip(powers, values, reasons, purposes, strict=True))
    )


def _purpose(load: ScheduledLoad, k: int) -> LoadPurpose:
    """That of the request, where it is what the power is for: neither too little for it nor mostly surplus."""
    power = float(load.power_w[k])
    serves_it = load.request.store is not None and power > SMALL_W
    if serves_it and not _is_short(load) and not _is_surplus(load, k, power):
        return load.request.purpose
    return LoadPurpose.SERVICE


def _is_short(load: ScheduledLoad) -> bool:
    return load.missing_wh > 0.0


def _is_surplus(load: ScheduledLoad, k: int, power: float) -> bool:
    return _surplus_w(load, k, power) >= SURPLUS_SHARE * power


def _surplus_w(load: ScheduledLoad, k: int, power: float) -> float:
    """What of this power is surplus of the building (W)."""
    return min(max(-float(load.net_w[k]), 0.0), power)


def notes(load: ScheduledLoad) -> tuple[Reason, ...]:
    """What will not be as it was requested."""
    request, name = load.request, load.request.id
    if request.has_no_window:
        return (Reason(code="note_window", numbers={"name": name}),)
    if request.run is not None and not load.power_w.any():
        return (Reason(code="note_missed", numbers={"name": name}),)
    missing = load.missing_wh
    if missing > 0.0:
        return (Reason(code="note_short", numbers={"name": name, "missing_wh": missing}),)
    return ()


def _values(load: ScheduledLoad) -> list[float]:
    """The value of a kWh more in each step (EUR/kWh): it spares the dearest of those that are planned later.

    Nothing where it cannot be taken; the price of what is missing where something will be.
    """
    request, store = load.request, load.request.store
    if store is None:
        return [MUST_PRICE if power > SMALL_W else 0.0 for power in load.power_w.tolist()]
    full = store.energies_wh(load.power_w) >= store.top_wh() - SMALL_WH
    lacks = load.missing_wh > 0.0
    ahead = max(store.end_price, 0.0)
    values = []
    for k in range(store.steps - 1, -1, -1):
        gain = float(store.gain[k])
        on = load.power_w[k] > SMALL_W
        if on and gain > 0.0:
            ahead = max(ahead, float(load.price[k]) / gain)
        taken = store.free[k] and (on or not full[k])
        value = float(store.short_price.max()) if lacks else ahead
        values.append(value * gain if taken else 0.0)
        if full[k] and not on and request.due_s is None:
            ahead = max(store.end_price, 0.0)
    return values[::-1]


def _next_on(power_w: Floats) -> list[int | None]:
    """For each step the next later one with power."""
    found: list[int | None] = []
    coming = None
    for k in range(len(power_w) - 1, -1, -1):
        found.append(coming)
        if abs(float(power_w[k])) > SMALL_W:
            coming = k
    return found[::-1]


def _reason(load: ScheduledLoad, k: int, later: int | None) -> Reason:
    power = float(load.power_w[k])
    if power < -SMALL_W:
        return Reason(code="load_gives", numbers={"power_w": -power, "buy_price": float(load.price[k])})
    if power > SMALL_W:
        return _taking(load, k, power, later)
    return _resting(load, k, later)


def _taking(load: ScheduledLoad, k: int, power: float, later: int | None) -> Reason:
    code, numbers = _why_now(load, k, power, later)
    return Reason(code=code, numbers={"power_w": power, **numbers})


def _why_now(load: ScheduledLoad, k: int, power: float, later: int | None) -> tuple[str, dict[str, float]]:
    request, price = load.request, {"buy_price": _paid(load, k, power)}
    if request.store is None:
        return ("load_going", load.due(k)) if request.fixed_w is not None else ("load_run", {**price, **load.due(k)})
    if _is_short(load):
        return "load_short", {"missing_wh": load.missing_wh, **load.due(k)}
    if _is_surplus(load, k, power):
        return "load_surplus", {"surplus_w": _surplus_w(load, k, power), "sell_price": float(load.supply.sell[k])}
    if request.special is not None:
        return request.special, price
    if request.due_s is not None:
        return "load_due", {**price, "wanted_wh": request.requested_wh, **load.due(k)}
    dearest = float(load.price[k : None if later is None else later + 1].max())
    return "load_ahead", {**price, "later_price": dearest}


def _paid(load: ScheduledLoad, k: int, power: float) -> float:
    """The mean price of this power: surplus at what it would have brought, the rest at the price of the grid."""
    surplus = min(max(-float(load.net_w[k]), 0.0), power)
    return float((load.supply.sell[k] * surplus + load.supply.buy[k] * (power - surplus)) / power)


def _run_price(load: ScheduledLoad, begin: int, later: int) -> float:
    """The mean price of the run that begins at `later`, if it began at `begin`."""
    rest = load.power_w[later:] > SMALL_W
    power = load.power_w[later : later + (len(rest) if rest.all() else int(np.argmin(rest)))]
    if not len(power):
        return float(load.price[begin])
    there = slice(begin, begin + len(power))
    surplus = np.clip(-load.net_w[there], 0.0, power)
    paid = load.supply.sell[there] @ surplus + load.supply.buy[there] @ (power - surplus)
    return float(paid / power.sum())


def _resting(load: ScheduledLoad, k: int, later: int | None) -> Reason:
    request, store = load.request, load.request.store
    if request.code is not None:
        return Reason(code=request.code)
    if request.run is not None and not load.power_w.any():
        return Reason(code="load_missed")
    if store is not None and not store.free[k] and request.due_s is not None:
        return Reason(code="load_away")
    if later is None:
        return Reason(code="load_done")
    now_price, later_price = _run_price(load, k, later), _run_price(load, later, later)
    begin = load.day_and_clock("begin", float(load.starts_s[later]), k)
    if later_price > now_price - SMALL_PRICE:
        return Reason(code="load_turn", numbers=begin)
    return Reason(code="load_wait", numbers={"now_price": now_price, "later_price": later_price, **begin})
