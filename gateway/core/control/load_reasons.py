"""Why a load gets what it gets this second. What the plan says of its slot stands, where that is what happens."""

from dataclasses import dataclass

from gateway.core.control.arbiter import Consumer, must_rest, must_run
from gateway.core.control.load_headroom import LoadBound
from gateway.core.model.limits import CONNECTION
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCase:
    """One load while the power of this second is divided, for the reason it is given."""

    consumer: Consumer  # its powers and minimum times
    request: LoadSlot | None  # None: neither plan nor plain rule know it
    switched: Switched | None  # before this second; None: never seen
    surplus_w: float  # what all loads and batteries can share
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
        numbers = {"surplus_w": max(case.surplus_w, 0.0), "least_w": case.consumer.min_w}
        return Reason(code="load_little", numbers=numbers)
    return case.request.reason


def limit_reason(requested_w: float, bound: LoadBound) -> Reason:
    """Of a load that got less, because no more may be drawn at some place."""
    numbers = {"wanted_w": requested_w, "limit_w": bound.limit_w}
    if bound.place == CONNECTION:
        return Reason(code="load_limit", numbers=numbers)
    code = "load_limit_phase" if bound.place.circuit is None else "load_limit_circuit"
    return Reason(code=code, numbers={**numbers, "place": bound.place.name})


def _running(case: LoadCase, request: LoadSlot, power_w: float) -> Reason:
    if request.power_w > 0.0:
        return request.reason
    if must_run(case.consumer, case.switched, case.utc_s) and not case.would_take_surplus:
        return Reason(code="load_runs_on", numbers=_dwell(case, case.consumer.dwell_on_s))
    return Reason(code="load_takes", numbers={"power_w": power_w, "surplus_w": max(case.surplus_w, 0.0)})


def _dwell(case: LoadCase, least_s: float) -> dict[str, float | str]:
    since_s = case.switched.since_s if case.switched is not None else case.utc_s
    return {"left_s": max(least_s - (case.utc_s - since_s), 0.0), "least_s": least_s}
