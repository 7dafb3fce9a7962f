"""What loads want while there is no plan: surplus that the battery leaves, and what must be, as late as it can be.

No prices are known then, so two values stand for all: what merely likes surplus is worth less than the battery's, what
must be done is worth more than the grid's (`loads.NO_PLAN`).
"""

from collections.abc import Iterable

from gateway.core.loads.car import Car, CarState
from gateway.core.loads.heat import Tank, TankState
from gateway.core.loads.kinds import Job, bands_of
from gateway.core.loads.timed import Appliance, ApplianceState, Switchable, SwitchableState
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched

LIKES, MUST = 0.1, 2.0  # EUR/kWh
SPARE_S, SPARE_SHARE = 900.0, 1.1  # begun so much before it would be too late
GOES_ON_S = 1800.0  # what runs goes on with so much more to spare: each second of it brings the share above 1 of one
SMALL_WH = 10.0
COLD_K = 2.0  # so much below its useful temperature water is heated, until it is there


def wants(jobs: Iterable[Job], now_s: float) -> dict[str, LoadSlot]:
    """What each load would have now (UTC)."""
    return {job.load.id: _want(job, now_s) for job in jobs}


def _want(job: Job, now_s: float) -> LoadSlot:
    load, state = job.load, job.state
    most_w = max(band.high_w for band in bands_of(load))
    if isinstance(load, Car) and isinstance(state, CarState):
        missing_wh = min(state.wanted_wh, load.capacity_wh) - state.stored_wh
        return _by(missing_wh / load.efficiency, most_w, state.departure_s, now_s, state.switched)
    if isinstance(load, Switchable) and isinstance(state, SwitchableState):
        return _served(load, state, now_s)
    if isinstance(load, Appliance) and isinstance(state, ApplianceState):
        return _run(load, state, most_w, now_s)
    if isinstance(load, Tank) and isinstance(state, TankState):
        return _warm(load, state, most_w)
    return _likes()


def _served(load: Switchable, state: SwitchableState, now_s: float) -> LoadSlot:
    """Energy inside its hours; what is worth something beyond it likes surplus."""
    if not state.earliest_s <= now_s < state.latest_s:
        return _nothing("load_away")
    if load.worth_price > 0.0 and state.served_wh >= state.wanted_wh:
        return _likes()
    return _by(state.wanted_wh - state.served_wh, load.band.high_w, state.latest_s, now_s, state.switched)


def _warm(tank: Tank, state: TankState, most_w: float) -> LoadSlot:
    """Surplus, and all it can take when the water is cold: not every heater does that by itself."""
    runs = state.switched is not None and state.switched.runs
    missing_k = tank.low_c - state.temp_c
    if missing_k <= (0.0 if runs else COLD_K):
        return _likes()
    numbers = {"power_w": most_w, "temp_c": state.temp_c, "low_c": tank.low_c}
    return LoadSlot(power_w=most_w, value=MUST, reason=Reason(code="load_heats", numbers=numbers))


def _by(missing_wh: float, most_w: float, due_s: float, now_s: float, switched: Switched | None) -> LoadSlot:
    """Energy (Wh at the terminals) that is wanted by a moment."""
    if missing_wh <= SMALL_WH:
        return _nothing("load_done")
    spare_s = SPARE_S + (GOES_ON_S if switched is not None and switched.runs else 0.0)
    if due_s - now_s <= SPARE_SHARE * missing_wh / most_w * 3600.0 + spare_s:
        return _must(most_w, due_s - now_s)
    return _likes()


def _run(load: Appliance, state: ApplianceState, most_w: float, now_s: float) -> LoadSlot:
    """A run is begun with surplus, or as late as it can be, and never interrupted."""
    if state.started_s is not None:
        left_s = state.started_s + load.length_s - now_s
        return _must(most_w, left_s) if left_s > 0.0 else _nothing("load_done")
    if now_s < state.earliest_s:
        return _nothing("load_away")
    return _must(most_w, state.latest_s - now_s) if state.latest_s - now_s <= load.length_s + SPARE_S else _likes()


def _likes() -> LoadSlot:
    return LoadSlot(power_w=0.0, value=LIKES, reason=Reason(code="load_plain"))


def _must(power_w: float, left_s: float) -> LoadSlot:
    numbers = {"power_w": power_w, "left_s": max(left_s, 0.0)}
    return LoadSlot(power_w=power_w, value=MUST, reason=Reason(code="load_must", numbers=numbers))


def _nothing(code: str) -> LoadSlot:
    return LoadSlot(power_w=0.0, value=0.0, reason=Reason(code=code))
