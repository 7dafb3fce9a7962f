"""What a load tells of itself: whether it may be commanded, and whether it takes anything now.

Comfort stays with the device: a tank or building that is colder than the plan keeps it gets its own mode back, while it
would be given nothing. Many a heater does nothing in its own mode, and must not stay cold for ever.
"""

from gateway.core.control.load_memory import Taking
from gateway.core.control.trust import Trust, Watch
from gateway.core.loads.kind import Comfort
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import LoadDevice
from gateway.core.model.state import Mode, Reason, SiteState

SILENT_S = 20.0  # a load that does not tell its power for so long gets its own mode
STATE_S = 120.0  # the same of its temperature, or whether a car is there
COLD_K, WARM_K = 2.0, 2.0  # below what the plan keeps: the device's own mode, until it is so much warmer again


def judge_load(
    load: LoadDevice, state: SiteState, trust: Trust, watch: Watch, *, taking: Taking, want: LoadSlot | None
) -> Trust:
    """Whether the load may be commanded: the grid meter (`trust`), then what the load tells of itself.

    Who was never told anything has nothing to hold or to give back: we only watch.
    """
    told, known = load.id in taking.told, load.id in taking.known
    if trust.mode is not Mode.CONTROL:
        return trust if known else Trust(mode=Mode.WATCH, reason=trust.reason)
    age_s = watch.age_s(load.device, state.now_s)
    if age_s > SILENT_S:
        return _lost(Reason(code="lost_load", numbers={"age_s": min(age_s, 86400.0)}), known=known)
    if told and state.reading(load.device, "p_w").value is None:
        return Trust(mode=Mode.HOLD, reason=Reason(code="wait_load", numbers={"age_s": age_s}))
    if not known and want is None and is_there(load, state):
        return Trust(mode=Mode.WATCH, reason=Reason(code="load_unplanned"))
    return _judge_state(load, state, want, told=told, known=known)


def _judge_state(load: LoadDevice, state: SiteState, want: LoadSlot | None, *, told: bool, known: bool) -> Trust:
    """A load that does not tell how it is, or is too cold and not meant to be heated now, has its own mode."""
    comfort = load.load.comfort
    point = "temp_c" if comfort is not None else load.load.presence_point
    value = state.value(load.device, point, max_age_s=STATE_S) if point is not None else 0.0
    if value is None:
        return _lost(Reason(code="load_blind"), known=known)
    is_heated = want is not None and want.power_w > 0.0
    least_k = COLD_K if told else COLD_K - WARM_K
    if comfort is not None and value < comfort.low_c - least_k and not is_heated:
        numbers = {"temp_c": value, "low_c": comfort.low_c}
        return Trust(mode=Mode.RELEASE, reason=Reason(code="load_cold", numbers=numbers))
    return Trust(mode=Mode.CONTROL)


def takes_none(
    load: LoadDevice, state: SiteState, want: LoadSlot | None, taking: Taking, *, runs: bool
) -> Reason | None:
    """Why a load takes nothing now, whatever it is offered; None where it may."""
    if not is_there(load, state):
        return Reason(code="load_absent")
    if load.id in taking.idle_s:
        return Reason(code="load_idle", numbers={"left_s": taking.idle_s[load.id] - state.now_s})
    comfort = load.load.comfort
    if comfort is None:
        return None
    top_c, again_k = _top_c(comfort, want), comfort.resume_k
    temp_c = state.value(load.device, "temp_c", max_age_s=STATE_S)
    if temp_c is not None and temp_c >= top_c - (0.0 if runs else again_k):
        return Reason(code="load_warm", numbers={"temp_c": temp_c, "high_c": top_c})
    return None


def is_there(load: LoadDevice, state: SiteState) -> bool:
    """Whether there is a car; of other loads there is always one."""
    point = load.load.presence_point
    return point is None or (state.value(load.device, point, max_age_s=STATE_S) or 0.0) >= 0.5


def _top_c(comfort: Comfort, want: LoadSlot | None) -> float:
    """The highest temperature; that against legionella where the plan heats for it."""
    if want is not None and want.reason.code == "load_hygiene":
        return comfort.hygiene_c
    return comfort.high_c


def _lost(reason: Reason, *, known: bool) -> Trust:
    """Given back, if it was ever taken."""
    return Trust(mode=Mode.RELEASE if known else Mode.WATCH, reason=reason)
