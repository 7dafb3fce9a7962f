"""Why a load is told what it is told this second. What the plan says of its slot stands, where that is what happens."""

from collections.abc import Mapping

from gateway.core.control.arbiter import Consumer, must_rest, must_run
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched


def reason_of(
    want: LoadSlot | None,
    power_w: float,
    consumer: Consumer,
    switched: Switched | None,
    *,
    surplus_w: float,
    sell: float,
    utc_s: float,
) -> Reason:
    """The reason of a power (W) that is not cut by a limit; `surplus_w` is what all loads and batteries can share."""
    if want is None:
        return Reason(code="load_unplanned")
    if power_w > 0.0:
        is_wanted = want.value > sell and surplus_w >= consumer.min_w
        kept_on = must_run(consumer, switched, utc_s) and not is_wanted
        return _running(want, power_w, surplus_w, _dwell(switched, consumer.dwell_on_s, utc_s) if kept_on else None)
    likes = want.power_w > 0.0 or (want.value > sell and surplus_w >= consumer.min_w)
    if likes and must_rest(consumer, switched, utc_s):
        return Reason(code="load_rests", numbers=_dwell(switched, consumer.dwell_off_s, utc_s))
    if want.power_w > 0.0:
        return Reason(code="load_little", numbers={"surplus_w": max(surplus_w, 0.0), "least_w": consumer.min_w})
    return want.reason


def _running(want: LoadSlot, power_w: float, surplus_w: float, dwell: dict[str, float | str] | None) -> Reason:
    if want.power_w > 0.0:
        return want.reason
    if dwell is not None:
        return Reason(code="load_runs_on", numbers=dwell)
    return Reason(code="load_takes", numbers={"power_w": power_w, "surplus_w": max(surplus_w, 0.0)})


def limit_reason(wanted_w: float, limit_w: float) -> Reason:
    """Of a load that got less, because the building may draw no more."""
    return Reason(code="load_limit", numbers={"wanted_w": wanted_w, "limit_w": limit_w})


def held_back(powers_w: Mapping[str, float], allowed_w: float, order: Mapping[str, Consumer]) -> dict[str, float]:
    """The powers (W) cut to what is allowed in all: first to their least, then off; `order` from the first to go on."""
    found = dict(powers_w)
    for least in (True, False):
        for id_, consumer in order.items():
            over_w = sum(found.values()) - allowed_w
            if over_w <= 0.0:
                return found
            floor_w = min(consumer.min_w, found[id_]) if least else 0.0
            kept_w = max(found[id_] - over_w, floor_w)
            found[id_] = kept_w if least or kept_w >= consumer.min_w else 0.0
    return found


def _dwell(switched: Switched | None, least_s: float, utc_s: float) -> dict[str, float | str]:
    since_s = switched.since_s if switched is not None else utc_s
    return {"left_s": max(least_s - (utc_s - since_s), 0.0), "least_s": least_s}
