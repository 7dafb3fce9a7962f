"""The inputs of a plan as a building gives them, and a plan."""

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.levels import GridLimits, Levels, Storage
from gateway.core.model.plan import Plan, Slot
from gateway.core.model.state import Reason
from gateway.core.planning.method import Method
from gateway.core.pricing.goals import Weighed
from gateway.core.pricing.prices import Prices
from gateway.planning.plan_inputs import Place, PlanInputs

NOW = 1_718_971_200.0  # 2024-06-21 12:00 UTC
STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)


def inputs() -> PlanInputs:
    steps = 14 * 96
    hour = np.arange(steps) % 96 / 4
    history = History(
        start_s=NOW - 900 * steps,
        step_s=900,
        load_w=300 + 200 * np.sin(hour / 24 * 2 * np.pi) ** 2,
        pv_w=-3000 * np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None),
    )
    prices = Prices(
        start_s=NOW, step_s=900, buy=np.where(hour[:96] < 8, 0.16, 0.21), sell=np.full(96, 0.04), names=("?",) * 96
    )
    return PlanInputs(
        now_s=NOW,
        time_zone="Europe/Paris",
        history=history,
        pv_forecast=None,
        prices=Weighed(effective=prices, real=prices),
        storage=STORAGE,
        stored_wh=2000.0,
        limits=GridLimits(),
        place=Place(latitude=50.4, longitude=2.8, kwp=5.0),
        method=Method(),
    )


def plan(made_s: float = NOW, count: int = 96) -> Plan:
    levels = Levels(charge_wh=0.0, reserve_wh=1000.0, fill_wh=8000.0, export_wh=8000.0)
    start_s = made_s // 900 * 900
    slots = [
        Slot(start_s=start_s + 900 * i, buy=0.2, sell=0.04, levels=levels, value=0.18, reason=Reason(code="kept"))
        for i in range(count)
    ]
    return Plan(made_s=made_s, step_s=900, slots=tuple(slots))
