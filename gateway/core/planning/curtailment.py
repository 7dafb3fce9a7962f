"""What inverters must not produce: export above the limit, and all export in steps in which it costs money.

| code | what the inverter does | numbers |
|---|---|---|
| `load_free` | produces what it can | |
| `load_curtail` | produces less: nothing can take the rest | spilled_w, sell_price |
"""

from collections.abc import Sequence

import numpy as np

from gateway.core.loads.curtailable import Curtailable
from gateway.core.model.levels import Floats
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.storage.storage_plan import StoragePlan

SMALL_W = 1.0  # less than that is rounding


def curtailment(
    problem: PlanProblem, stored: StoragePlan, inverters: Sequence[Curtailable]
) -> dict[str, tuple[LoadSlot, ...]]:
    """Slots of each inverter by its name, what is curtailed shared out by rated power."""
    if not inverters:
        return {}
    storage, sell = problem.storage, problem.prices.sell
    energies_wh = np.array([problem.energy_wh, *stored.energies_wh[1:].tolist()])
    change_w = np.diff(energies_wh) / problem.hours
    stored_w = np.maximum(change_w / storage.charge_efficiency, change_w * storage.discharge_efficiency)
    exported_w = np.maximum(-stored.net_w - stored_w, 0.0)
    over_w = np.where(sell < 0.0, exported_w, np.maximum(exported_w - problem.limits.export_max_w, 0.0))
    pv_w = problem.scenarios.pv_w.mean(axis=0)
    rated_w = sum(one.rated_w for one in inverters)
    curtailed_w = np.minimum(over_w, np.clip(-pv_w, 0.0, rated_w))
    return {
        one.id: _slots(curtailed_w * (one.rated_w / rated_w), pv_w * (one.rated_w / rated_w), sell) for one in inverters
    }


def _slots(curtailed_w: Floats, pv_w: Floats, sell: Floats) -> tuple[LoadSlot, ...]:
    """Slots of an inverter: its power (W, below 0) after what is curtailed."""
    rows = np.stack((curtailed_w, pv_w, sell), axis=1).tolist()
    return tuple(
        LoadSlot(
            power_w=pv + curtailed,
            value=sold,
            reason=Reason(code="load_curtail", numbers={"spilled_w": curtailed, "sell_price": sold})
            if curtailed > SMALL_W
            else Reason(code="load_free"),
        )
        for curtailed, pv, sold in rows
    )
