"""What is offered to the controlled loads, divided among them: by plan and surplus first, the import limit last."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.control import load_memory, load_reasons, surplus_sharing
from gateway.core.control.arbiter import Consumer
from gateway.core.control.load_headroom import Headroom, LoadBound, LoadSituation
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
    able_w: Mapping[
        str, float
    ]  # by load id: what those draw at most now that have shown to take less than they are sent
    blocked: Mapping[str, Reason]  # by load id: the loads that take nothing now, whatever they are offered, and why
    storage: Storage | None  # the controlled batteries as one, which compete for surplus; None: none controlled
    battery_max_w: float  # the most they can take of surplus
    supplied: frozenset[str]  # by load id: the loads that the batteries supply at their state of charge


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPower:
    """The power that one load is given (W)."""

    power_w: float  # 0 or above
    reason: Reason  # of its set-point
    is_waiting: bool = False  # whether it would be sent less already, if it had followed what it was sent last


def decided(offer: Offer, memory: LoadMemory, situation: LoadSituation) -> dict[str, LoadPower]:
    """The power of each controlled load by its id."""
    wanted_w = _wanted_w(offer, memory, situation)
    lasting = [(bound.lasting_w, bound.shares) for bound in offer.headroom.bounds[1:]]
    steady_w = {
        id_: _steady(power_w, id_, memory, situation)
        for id_, power_w in limited_w(wanted_w, lasting, offer.consumers).items()
    }
    now = [(bound.most_w, bound.shares) for bound in offer.headroom.bounds]
    now += [(bound.others_w, bound.obeying) for bound in offer.headroom.bounds]
    powers_w = limited_w(steady_w, now, offer.consumers)
    left_w = _left_w(powers_w, offer)
    return {
        id_: LoadPower(
            power_w=power_w,
            reason=_reason(id_, steady_w[id_], powers_w, left_w[id_], offer, memory, situation),
            is_waiting=power_w > wanted_w[id_] + SMALL_W,
        )
        for id_, power_w in powers_w.items()
    }


def limited_w(
    requested_w: Mapping[str, float],
    bounds: Iterable[tuple[float, Mapping[str, float]]],
    consumers: Mapping[str, Consumer],
) -> dict[str, float]:
    """The powers (W) cut to what is allowed at each place, one place after the other.

    `bounds`: the most there (W), and by load id what counts there of each W that it is sent; others count nothing.
    """
    found = dict(requested_w)
    in_order = sorted(consumers.values(), key=lambda consumer: (consumer.value, consumer.id))
    for allowed_w, shares in bounds:
        _cut(found, allowed_w, shares, [consumer for consumer in in_order if shares.get(consumer.id, 0.0) > 0.0])
    return found


def _cut(found: dict[str, float], allowed_w: float, shares: Mapping[str, float], in_order: Sequence[Consumer]) -> None:
    """Cut to what is allowed at one place: by value, the lowest first, to the least power, then off."""
    for to_least in (True, False):
        for consumer in in_order:
            share, power_w = shares[consumer.id], found[consumer.id]
            over_w = sum(shares[one.id] * found[one.id] for one in in_order) - allowed_w
            if over_w <= 0.0:
                return
            floor_w = min(consumer.min_w, power_w) if to_least else 0.0
            left_w = max(power_w - over_w / share, floor_w)
            found[consumer.id] = left_w if to_least or left_w >= consumer.min_w else 0.0


def _wanted_w(offer: Offer, memory: LoadMemory, situation: LoadSituation) -> dict[str, float]:
    """Power (W) of each load by the plan and the surplus, by its id, before the limits that come last.

    What a load has shown not to take is given to others. It is sent what it would have alone all the same: one that
    takes a share of what it is sent would take ever less, and none could show that it takes more again.
    """
    wanted_w = _shared_w(offer, memory, situation, {})
    if not offer.able_w:
        return wanted_w
    least_w = {id_: max(able_w, offer.consumers[id_].min_w) for id_, able_w in offer.able_w.items()}
    others_w = _shared_w(offer, memory, situation, least_w)
    return {
        id_: max(power_w, wanted_w[id_]) if power_w >= least_w.get(id_, math.inf) - SMALL_W else power_w
        for id_, power_w in others_w.items()
    }


def _shared_w(
    offer: Offer, memory: LoadMemory, situation: LoadSituation, able_w: Mapping[str, float]
) -> dict[str, float]:
    """Power (W) of each load by the plan and the surplus if some draw no more than `able_w`, by their id."""
    places_w = _places_w(offer)
    most_w = {id_: min(places_w.get(id_, math.inf), able_w.get(id_, math.inf)) for id_ in offer.consumers}
    available = Available(
        surplus_w=offer.headroom.surplus_w,
        import_headroom_w=offer.headroom.import_w,
        most_w={BATTERY: offer.battery_max_w, **most_w, **dict.fromkeys(offer.blocked, 0.0)},
        supplied=offer.supplied,
    )
    loads = tuple(offer.consumers.values())
    powers_w = surplus_sharing.shared(
        loads, situation.requests, offer.storage, situation.slot, available, memory.switched, situation.utc_s
    )
    return {id_: powers_w.get(id_, 0.0) for id_ in offer.consumers}


def _steady(power_w: float, id_: str, memory: LoadMemory, situation: LoadSituation) -> float:
    """The last power (W) again where the load goes on running and the change is small, or the last one is too young."""
    last_w = memory.sent_w(id_)
    if (last_w > 0.0) != (power_w > 0.0):
        return power_w
    is_small = abs(power_w - last_w) < max(SMALL_W, SMALL_SHARE * last_w)
    is_settled = load_memory.is_settled(memory, situation.now_s, situation.settle_s + STEADY_S)
    return last_w if is_small or not is_settled else power_w


def _places_w(offer: Offer) -> dict[str, float]:
    """The most that each load can take (W) because of circuits and phases, as if it were alone there."""
    rooms = [
        (id_, bound.lasting_w / share) for bound in offer.headroom.bounds[1:] for id_, share in bound.shares.items()
    ]
    return {id_: min(room_w for other, room_w in rooms if other == id_) for id_, _ in rooms}


def _left_w(powers_w: Mapping[str, float], offer: Offer) -> dict[str, float]:
    """Of the surplus of this moment (W), what is left for each load: the highest value before the others."""
    found, left_w = {}, max(offer.headroom.now_w, 0.0)
    for consumer in sorted(offer.consumers.values(), key=lambda one: (-one.value, one.id)):
        found[consumer.id] = left_w
        left_w = max(left_w - powers_w[consumer.id], 0.0)
    return found


def _reason(
    id_: str,
    requested_w: float,
    powers_w: Mapping[str, float],
    left_w: float,
    offer: Offer,
    memory: LoadMemory,
    situation: LoadSituation,
) -> Reason:
    if id_ in offer.blocked:
        return offer.blocked[id_]
    case = LoadCase(
        consumer=offer.consumers[id_],
        request=situation.requests.get(id_),
        switched=memory.switched.get(id_),
        surplus_w=offer.headroom.surplus_w,
        now_w=max(offer.headroom.now_w, 0.0),
        own_w=left_w,
        sell=situation.slot.sell,
        utc_s=situation.utc_s,
    )
    room_w, bound = min(
        ((_room_w(one, id_, powers_w), one) for one in offer.headroom.bounds if id_ in one.shares),
        key=lambda pair: pair[0],
    )
    is_full = powers_w[id_] >= room_w - SMALL_W or room_w < case.consumer.min_w
    due_w = max(requested_w, case.wanted_w if is_full else 0.0)
    if powers_w[id_] < due_w:
        return load_reasons.limit_reason(due_w, bound)
    if powers_w[id_] > offer.able_w.get(id_, math.inf) + load_reasons.SMALL_W:
        return load_reasons.ability_reason(powers_w[id_], situation.drawn_w[id_])
    return load_reasons.reason_of(case, powers_w[id_])


def _room_w(bound: LoadBound, id_: str, powers_w: Mapping[str, float]) -> float:
    """What a load may be sent (W) by one bound beside what the others are sent."""
    others_w = sum(share * powers_w[other] for other, share in bound.shares.items() if other != id_)
    return (min(bound.lasting_w, bound.most_w, bound.others_w) - others_w) / bound.shares[id_]
