"""What a load carries from one plan to the next: what it has been served, since when it runs or rests.

For loads that tell nothing themselves; where a load is measured, what was measured goes before.
"""

from dataclasses import replace

from gateway.core.loads.car import Car, CarState
from gateway.core.loads.kinds import Job
from gateway.core.loads.timed import ApplianceState, SwitchableState
from gateway.core.model.switched import Switched

RUNS_W = 1.0


def carried(job: Job, power_w: float, *, begin_s: float, end_s: float) -> Job:
    """The job after it drew a mean power between two moments (UTC): a run that has begun stays begun."""
    state = job.state
    hours = (end_s - begin_s) / 3600.0
    runs = power_w > RUNS_W
    if isinstance(state, ApplianceState):
        started_s = begin_s if runs and state.started_s is None else state.started_s
        return replace(job, state=replace(state, started_s=started_s))
    switched = _switched(state.switched, begin_s, runs=runs)
    if isinstance(state, CarState) and isinstance(job.load, Car):
        share = job.load.efficiency if power_w > 0.0 else 1.0 / job.load.give_efficiency
        return replace(
            job, state=replace(state, stored_wh=state.stored_wh + power_w * share * hours, switched=switched)
        )
    if isinstance(state, SwitchableState):
        served_wh = state.served_wh + power_w * hours
        return replace(job, state=replace(state, served_wh=served_wh, switched=switched))
    return replace(job, state=replace(state, switched=switched))


def _switched(before: Switched | None, now_s: float, *, runs: bool) -> Switched | None:
    """Since when it runs or rests; that it rests tells nothing about since when, as long as it never ran."""
    if before is None:
        return Switched(runs=True, since_s=now_s) if runs else None
    return before if before.runs == runs else Switched(runs=runs, since_s=now_s)
