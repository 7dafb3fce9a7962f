"""What a battery does with what it is sent, and so what it can take and give now.

Near full, in the cold, at a limit of its own management a battery takes a part of what it is sent: so much is relied on
from then on, and a little more is offered again and again, all of it now and then. One that does more than it was sent,
or the other way round, or nothing at all, does not follow: somebody else commands it, or it does not listen. That is
told, and it is given back for a while that doubles.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control.battery_response import BatteryResponse
from gateway.core.control.observe import Observation
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reason

SETTLE_S = 2.5  # beyond dead time and ramp: a report each second, the node's write, a lagging register
LONGEST_S = 40.0  # dead time and ramp are not waited for any longer
NEAR = (60.0, 0.05)  # W and share of what was sent: a power so near is the same: inexact converters and meters
ASTRAY_W, ASTRAY_SHARE = 120.0, 0.15  # a power so far beyond what was sent does not follow from it
OFFER_W, OFFER_SHARE, OFFER_GROWTH = 100.0, 0.05, 1.1  # beyond what it takes, so that it can show that it takes more
OFFER_ALL_S, OFFER_ALL_MOST_S = 60.0, 900.0  # all is offered so long after it took less; doubled each time
FALLEN = 0.8  # of what it did before, though it was sent no less than that: …
SHARE = (0.2, 0.85)  # … and between these parts of what it was sent: it does a share of it, or reports one
FORGET_S = 900.0  # nothing is known any more of a battery that was not tried for so long
ASTRAY_S = 10.0  # so many seconds astray: it does not follow …
REGAINED = 0.125  # … of which each second in which it does makes up so much: somebody who orders now and then
DEAF_S = 20.0  # so long without any answer, where it is neither nearly full nor nearly empty: the same
DEAF_SHARE = 0.05  # of what it was sent: less is no answer
MIDDLE = (0.1, 0.9)  # above its reserve, and of the charge: between them a battery has no reason to rest
PAUSE_S, PAUSE_MOST_S = 300.0, 1800.0  # before it is tried again; doubled each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What is known of one direction (W, 0 or above); infinite where it has done all that it was sent."""

    proven_w: float = math.inf  # what it can be relied on for
    less_s: float = -math.inf  # monotonic moment at which it last did less than it was sent
    all_s: float = math.inf  # when all is offered again
    pause_s: float = OFFER_ALL_S  # from the next time that it does less until all is offered
    is_share: bool = False  # whether it does a share of what it is sent: offered less it would do ever less

    def offered_w(self, most_w: float, least_w: float, now_s: float) -> float:
        """What it may be sent, of at most `most_w`; `least_w`: below it the converter rests."""
        if self.proven_w >= most_w or now_s >= self.all_s or self.is_share:
            return most_w
        further_w = max(OFFER_W, OFFER_SHARE * most_w, 1.5 * least_w)
        return min(OFFER_GROWTH * self.proven_w + further_w, most_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How one battery follows what it is sent. Moments are monotonic."""

    takes: Direction = Direction()  # charging
    gives: Direction = Direction()  # discharging
    reported_s: float = -math.inf  # of the newest report that was compared
    astray_s: float = 0.0  # seconds for which it did something else, less a part of those for which it did not
    deaf_s: float = 0.0  # seconds for which it gave no answer at all
    away_s: float = -math.inf  # until then it is given back
    pause_s: float = PAUSE_S  # for so long the next time
    why: Reason | None = None  # of its being given back; None while it follows

    def is_away(self, now_s: float) -> bool:
        """Whether it is given back because it does not follow."""
        return now_s < self.away_s


def followed(
    before: Mapping[str, Following],
    seen: Observation,
    site: Site,
    responses: Mapping[str, BatteryResponse],
    socs: Mapping[str, float],
    controlled: Collection[str],
) -> dict[str, Following]:
    """After the reports of this cycle, by battery id; `responses`: what each was sent until now."""
    found = {}
    for battery in site.batteries:
        one = before.get(battery.id, Following())
        report, response = seen.batteries[battery.id].power, responses.get(battery.id)
        if battery.id in controlled and response is not None and report.value is not None:
            is_new = report.measured_s > one.reported_s
            soc = socs.get(battery.id, 0.0)
            one = _compared(one, battery, response, report.value, report.measured_s, soc) if is_new else one
        found[battery.id] = _retried(_forgotten(one, seen.now_s), seen.now_s)
    return found


def _compared(
    before: Following, battery: Battery, response: BatteryResponse, power_w: float, at_s: float, soc: float
) -> Following:
    """After one report: by the orders that may be at work in it."""
    passed_s = min(max(at_s - before.reported_s, 0.0), 2.0)
    one = replace(before, reported_s=at_s)
    orders = _at_work(response, battery, power_w, at_s)
    if not orders:
        return one
    low_w, high_w = min(orders), max(orders)
    far_w = max(ASTRAY_W, ASTRAY_SHARE * max(abs(low_w), abs(high_w)), battery.dead_band_w, battery.min_power_w)
    far_w += battery.standby_w
    if not min(low_w, 0.0) - far_w <= power_w <= max(high_w, 0.0) + far_w:
        return _astray(one, one.astray_s + passed_s, at_s, ordered_w=orders[-1], power_w=power_w)
    one = replace(one, astray_s=max(one.astray_s - REGAINED * passed_s, 0.0))
    if low_w > 0.0:
        takes = shown(one.takes, power_w, (low_w, high_w), rated_w=battery.charge_max_w, near=NEAR, at_s=at_s)
        one = replace(one, takes=takes)
    elif high_w < 0.0:
        gives = shown(one.gives, -power_w, (-high_w, -low_w), rated_w=battery.discharge_max_w, near=NEAR, at_s=at_s)
        one = replace(one, gives=gives)
    return _deaf(one, battery, min(orders, key=abs), power_w, at_s, soc, passed_s)


def _at_work(response: BatteryResponse, battery: Battery, power_w: float, at_s: float) -> list[float]:
    """The orders of which the report may be the effect; none while the first one may not have worked yet."""
    setpoints = response.setpoints
    if not setpoints:
        return []
    travel_w = max(abs(one.power_w - power_w) for one in setpoints[-3:])
    window_s = min(battery.dead_time_s + travel_w / battery.ramp_w_per_s + SETTLE_S, LONGEST_S)
    before = [one for one in setpoints if one.at_s <= at_s - window_s]
    within = [one for one in setpoints if at_s - window_s < one.at_s <= at_s]
    return [one.power_w for one in (*before[-1:], *within)] if before else []


def shown(
    known: Direction,
    done_w: float,
    sent_w: tuple[float, float],
    *,
    rated_w: float,
    near: tuple[float, float],
    at_s: float,
) -> Direction:
    """After it did `done_w` when it was sent between these, least and most, all in this direction (W).

    `near`: W and share of a power, within which it is the same.
    """
    least_w, most_w = sent_w
    if done_w < least_w - near_w(near, least_w):
        is_first = known.all_s == math.inf
        all_s = at_s + known.pause_s if is_first or at_s >= known.all_s else known.all_s
        pause_s = min(2.0 * known.pause_s, OFFER_ALL_MOST_S) if all_s != known.all_s else known.pause_s
        fell = least_w >= known.proven_w and done_w < FALLEN * known.proven_w
        is_share = known.is_share or (fell and SHARE[0] <= done_w / least_w <= SHARE[1])
        return Direction(proven_w=max(done_w, 0.0), less_s=at_s, all_s=all_s, pause_s=pause_s, is_share=is_share)
    if done_w >= rated_w - near_w(near, rated_w):
        return Direction()
    return replace(known, proven_w=max(known.proven_w, min(done_w, most_w)))


def near_w(near: tuple[float, float], power_w: float) -> float:
    """How far (W) from a power another one is still the same."""
    return max(near[0], near[1] * abs(power_w))


def _deaf(
    one: Following, battery: Battery, order_w: float, power_w: float, at_s: float, soc: float, passed_s: float
) -> Following:
    """Whether it answers at all; `order_w`: the smallest order that may be at work."""
    is_middle = battery.reserve + MIDDLE[0] < soc < MIDDLE[1] * battery.soc_max
    is_asked = is_middle and abs(order_w) > max(NEAR[0], 1.2 * battery.min_power_w, battery.dead_band_w)
    is_answer = power_w * order_w > 0.0 and abs(power_w) >= max(DEAF_SHARE * abs(order_w), NEAR[0] / 2)
    if is_answer:
        is_good = one.astray_s == 0.0 and at_s > one.away_s + PAUSE_S
        return replace(one, deaf_s=0.0, pause_s=PAUSE_S if is_good else one.pause_s)
    if not is_asked:
        return one
    return _astray(replace(one, deaf_s=one.deaf_s + passed_s), one.astray_s, at_s, ordered_w=order_w, power_w=power_w)


def _astray(one: Following, astray_s: float, at_s: float, *, ordered_w: float, power_w: float) -> Following:
    """Given back when that has lasted."""
    one = replace(one, astray_s=astray_s)
    if astray_s < ASTRAY_S and one.deaf_s < DEAF_S:
        return one
    why = Reason(code="not_followed", numbers={"ordered_w": ordered_w, "power_w": power_w})
    pause_s = min(2.0 * one.pause_s, PAUSE_MOST_S)
    return replace(one, astray_s=0.0, deaf_s=0.0, away_s=at_s + one.pause_s, pause_s=pause_s, why=why)


def _retried(one: Following, now_s: float) -> Following:
    return one if one.why is None or one.is_away(now_s) else replace(one, why=None)


def _forgotten(one: Following, now_s: float) -> Following:
    """What it could do a quarter of an hour ago says little: a battery warms up and is discharged."""
    takes, gives = (Direction() if now_s - side.less_s > FORGET_S else side for side in (one.takes, one.gives))
    return replace(one, takes=takes, gives=gives)


def reliable_w(following: Mapping[str, Following], batteries: Sequence[Battery]) -> float:
    """What these take together of surplus (W), as far as they have shown."""
    return sum(min(_of(following, battery).takes.proven_w, battery.charge_max_w) for battery in batteries)


def _of(following: Mapping[str, Following], battery: Battery) -> Following:
    return following.get(battery.id, Following())
