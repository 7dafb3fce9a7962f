"""What is offered to the controlled loads, divided among them: by plan and surplus first, the import limit last."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control import load_memory, load_reasons, surplus_sharing
from gateway.core.control.arbiter import Consumer
from gateway.core.control.load_headroom import Headroom, LoadSituation
from gateway.core.control.load_memory import LoadMemory
from gateway.core.control.load_reasons import LoadCase
from gateway.core.control.surplus_sharing import BATTERY, Available
from gateway.core.model.levels import Storage
from gateway.core.model.state import Reason

STEADY_S = 6.0  # beyond settling, before a load that goes on running is sent another power
SMALL_W, SMALL_SHARE = 100.0, 0.03  # a smaller change is not sent: half an ampere at 230 V


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The power and the loads among which it is divided in this cycle."""

    headroom: Headroom  # what can be given out
    consumers: Mapping[str, Consumer]  # the controlled loads by their id
    blocked: Mapping[str, Reason]  # by load id: the loads that take nothing now, whatever they are offered, and why
    storage: Storage | None  # the controlled batteries as one, which compete for surplus; None: none controlled
    battery_max_w: float  # the most they can take of surplus


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPower:
    """The power that one load is given (W)."""

    power_w: float  # 0 or above
    reason: Reason  # of its set-point


def decided(offer: Offer, memory: LoadMemory, situation: LoadSituation) -> dict[str, LoadPower]:
    """The power of each controlled load by its id."""
    requested_w = _requested_w(offer, memory, situation)
    powers_w = limited_w(requested_w, offer.headroom.most_w, offer.consumers)
    return {
        id_: LoadPower(power_w=power_w, reason=_reason(id_, requested_w[id_], power_w, offer, memory, situation))
        for id_, power_w in powers_w.items()
    }


def limited_w(
    requested_w: Mapping[str, float], allowed_w: float, consumers: Mapping[str, Consumer]
) -> dict[str, float]:
    """The powers (W) cut to what is allowed in all: by value, the lowest first, to the least power, then off."""
    found = dict(requested_w)
    in_order = sorted(consumers.values(), key=lambda consumer: (consumer.value, consumer.id))
    for to_least in (True, False):
        for consumer in in_order:
            over_w = sum(found.values()) - allowed_w
            if over_w <= 0.0:
                return found
            floor_w = min(consumer.min_w, found[consumer.id]) if to_least else 0.0
            left_w = max(found[consumer.id] - over_w, floor_w)
            found[consumer.id] = left_w if to_least or left_w >= consumer.min_w else 0.0
    return found


def _requested_w(offer: Offer, memory: LoadMemory, situation: LoadSituation) -> dict[str, float]:
    """Power (W) of each load by the plan and the surplus, by its id, before the import limit."""
    available = Available(
        surplus_w=offer.headroom.surplus_w,
        import_headroom_w=offer.headroom.import_w,
        most_w={BATTERY: offer.battery_max_w, **dict.fromkeys(offer.blocked, 0.0)},
    )
    loads = tuple(offer.consumers.values())
    powers_w = surplus_sharing.shared(
        loads, situation.requests, offer.storage, situation.slot, available, memory.switched, situation.utc_s
    )
    return {id_: _steady(powers_w.get(id_, 0.0), id_, memory, situation) for id_ in offer.consumers}


def _steady(power_w: float, id_: str, memory: LoadMemory, situation: LoadSituation) -> float:
    """The last power (W) again where the load goes on running and the change is small, or the last one is too young."""
    last_w = memory.sent_w(id_)
    if (last_w > 0.0) != (power_w > 0.0):
        return power_w
    is_small = abs(power_w - last_w) < max(SMALL_W, SMALL_SHARE * last_w)
    is_settled = load_memory.is_settled(memory, situation.now_s, situation.settle_s + STEADY_S)
    return last_w if is_small or not is_settled else power_w


def _reason(
    id_: str, requested_w: float, power_w: float, offer: Offer, memory: LoadMemory, situation: LoadSituation
) -> Reason:
    if id_ in offer.blocked:
        return offer.blocked[id_]
    consumer, request = offer.consumers[id_], situation.requests.get(id_)
    planned_w = min(request.power_w, consumer.max_w) if request is not None else 0.0
    due_w = max(requested_w, planned_w if offer.headroom.import_w < planned_w else 0.0)
    if power_w < due_w:
        return load_reasons.limit_reason(due_w, situation.site.import_limit_w)
    case = LoadCase(
        consumer=consumer,
        request=request,
        switched=memory.switched.get(id_),
        surplus_w=offer.headroom.surplus_w,
        sell=situation.slot.sell,
        utc_s=situation.utc_s,
    )
    return load_reasons.reason_of(case, power_w)
