"""Why a load gets what it gets this second. What the plan says of its slot stands, where that is what happens."""

from dataclasses import dataclass

from gateway.core.control.arbiter import START_W, Consumer, must_rest, must_run
from gateway.core.control.load_headroom import LoadBound
from gateway.core.model.limits import CONNECTION
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched

SMALL_W = 150.0  # a difference that is not spoken of: steps of amperes, noise of meters, a load's own steadiness
SURPLUS_SHARE = 0.2  # of a power: so much more or less of it may be surplus than planned, and the plan's words stand


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCase:
    """One load while the power of this second is divided, for the reason it is given."""

    consumer: Consumer  # its powers and minimum times
    request: LoadSlot | None  # None: neither plan nor plain rule know it
    switched: Switched | None  # before this second; None: never seen
    surplus_w: float  # what all loads and batteries can share: it has been there for some time
    now_w: float  # what of it all loads and batteries could share at this moment, 0 or above
    own_w: float  # of that, what is left for this load and those that come after it, 0 or above
    sell: float  # what surplus brings at the grid (EUR/kWh)
    utc_s: float  # this second (UTC)

    @property
    def wanted_w(self) -> float:
        """What it would have if nothing limited it (W): what is planned, and surplus that has more value in it."""
        planned_w = 0.0 if self.request is None else self.request.power_w
        surplus_w = self.surplus_w if self.would_take_surplus else 0.0
        return min(max(planned_w, surplus_w), self.consumer.max_w)

    @property
    def would_take_surplus(self) -> bool:
        """Whether surplus has more value in it than at the grid, and there is enough to run."""
        return self.request is not None and self.request.value > self.sell and self.surplus_w >= self.consumer.min_w


def reason_of(case: LoadCase, power_w: float) -> Reason:
    """The reason of a power (W) that is not cut by a limit."""
    if case.request is None:
        return Reason(code="load_unplanned")
    if power_w > 0.0:
        return _running(case, case.request, power_w)
    if (case.request.power_w > 0.0 or case.would_take_surplus) and must_rest(case.consumer, case.switched, case.utc_s):
        return Reason(code="load_rests", numbers=_dwell(case, case.consumer.dwell_off_s))
    if case.request.power_w > 0.0:
        lasting_w, least_w = max(case.surplus_w, 0.0), case.consumer.min_w + START_W
        code = "load_little" if lasting_w < least_w else "load_yields"
        return Reason(code=code, numbers={"surplus_w": lasting_w, "least_w": least_w})
    return case.request.reason


def limit_reason(requested_w: float, bound: LoadBound) -> Reason:
    """Of a load that got less, because no more may be drawn at some place."""
    numbers = {"wanted_w": requested_w, "limit_w": bound.limit_w}
    if bound.place == CONNECTION:
        return Reason(code="load_limit", numbers=numbers)
    code = "load_limit_phase" if bound.place.circuit is None else "load_limit_circuit"
    return Reason(code=code, numbers={**numbers, "place": bound.place.name})


def ability_reason(ordered_w: float, drawn_w: float) -> Reason:
    """Of a load that has shown that it takes no more than a part of what it is sent."""
    return Reason(code="load_takes_less", numbers={"ordered_w": ordered_w, "power_w": drawn_w})


def _running(case: LoadCase, request: LoadSlot, power_w: float) -> Reason:
    if request.power_w > 0.0:
        return _planned(case, request, power_w)
    if must_run(case.consumer, case.switched, case.utc_s) and not case.would_take_surplus:
        return Reason(code="load_runs_on", numbers=_dwell(case, case.consumer.dwell_on_s))
    return _of_surplus(case, power_w)


def _planned(case: LoadCase, request: LoadSlot, power_w: float) -> Reason:
    """What the plan says, where it comes as planned; else what is different."""
    planned_w = min(max(request.power_w, case.consumer.min_w), case.consumer.max_w)
    if power_w < planned_w - SMALL_W:
        return Reason(code="load_less", numbers={"power_w": power_w, "planned_w": planned_w})
    if power_w > planned_w + SMALL_W:
        return _of_surplus(case, power_w)
    surplus_w = min(case.own_w, power_w)
    if abs(surplus_w - min(request.surplus_w, power_w)) > max(SMALL_W, SURPLUS_SHARE * power_w):
        return Reason(code="load_planned", numbers={"power_w": power_w, "surplus_w": surplus_w})
    return request.reason


def _of_surplus(case: LoadCase, power_w: float) -> Reason:
    """Of a load that has surplus: all of its power, or what is there of it at this moment."""
    if power_w <= case.own_w + SMALL_W:
        return Reason(code="load_takes", numbers={"power_w": power_w, "surplus_w": max(case.now_w, power_w)})
    return Reason(code="load_dips", numbers={"power_w": power_w, "surplus_w": case.own_w})


def _dwell(case: LoadCase, least_s: float) -> dict[str, float | str]:
    since_s = case.switched.since_s if case.switched is not None else case.utc_s
    return {"left_s": max(least_s - (case.utc_s - since_s), 0.0), "least_s": least_s}
