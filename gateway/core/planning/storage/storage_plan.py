"""The levels of a storage over the steps of a plan, and what they are expected to lead to."""

from dataclasses import dataclass, replace

import numpy as np

from gateway.core.model.levels import Floats, Reach, change, power_w, reach_of
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.storage.dynamic_program import PeakTarget, StorageValues
from gateway.core.planning.storage.peak_target import solved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoragePlan:
    """What is decided for a storage: levels, marginal values and peak target."""

    # Levels and marginal values of each step.
    values: StorageValues
    # The import that each step should not exceed; infinite where peaks cost nothing.
    target: PeakTarget
    # Mean net load of the scenarios in each step (W, import positive).
    net_w: Floats
    # Stored energy at the start of each step and at the end of the last (Wh above empty), if the mean net load came.
    energies_wh: Floats
    # What the grid then gives in each step (W, import positive).
    grid_w: Floats


def planned_storage(problem: PlanProblem) -> StoragePlan:
    """The levels, with the peak target that costs least where a peak costs."""
    net_w = np.asarray(problem.scenarios.net_w.mean(axis=0))
    values, target = solved(problem)
    energies_wh = _expected_energies_wh(problem, net_w, values.levels_wh, target.import_w)
    grid_w = net_w + power_w(problem.storage, np.diff(energies_wh), problem.hours)
    return StoragePlan(values=values, target=target, net_w=net_w, energies_wh=energies_wh, grid_w=grid_w)


def _expected_energies_wh(problem: PlanProblem, net_w: Floats, levels_wh: Floats, target_w: Floats) -> Floats:
    """Stored energy at the start of each step and at the end of the last, if this one net load came."""
    storage = problem.storage
    reach = reach_of(
        storage, net_w=net_w, hours=problem.hours, limits=problem.limits, peak_target_w=target_w, loads=problem.loads
    )
    parts = np.stack((reach.surplus, reach.deficit, reach.forced, reach.charge, reach.discharge), axis=1).tolist()
    energies = [min(max(problem.energy_wh, 0.0), storage.capacity_wh)]
    for k, (step, levels) in enumerate(zip(parts, levels_wh.tolist(), strict=True)):
        one = replace(Reach(*step), with_loads=tuple((float(deficit[k]), above) for deficit, above in reach.with_loads))
        after = energies[-1] + float(change(one, energies[-1], *levels))
        energies.append(min(max(after, 0.0), storage.capacity_wh))
    return np.array(energies)
