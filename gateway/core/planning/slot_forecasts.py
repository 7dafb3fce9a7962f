"""What was forecast for each slot of a plan: from all scenarios, three numbers that people can look back at."""

from dataclasses import replace

import numpy as np

from gateway.core.model.history import Scenarios
from gateway.core.model.plan import Slot, SlotForecast

SHARES = (0.1, 0.5, 0.9)  # one of ten futures is below, half are, nine of ten are


def with_forecasts(slots: tuple[Slot, ...], scenarios: Scenarios) -> tuple[Slot, ...]:
    """The slots of these scenarios' steps, each with what they hold for it."""
    load_w = np.quantile(scenarios.load_w, SHARES, axis=0).T.tolist()
    pv_w = np.quantile(scenarios.pv_w, SHARES[::-1], axis=0).T.tolist()  # production is negative
    return tuple(
        replace(slot, forecast=SlotForecast(load_w=tuple(load), pv_w=tuple(pv)))
        for slot, load, pv in zip(slots, load_w, pv_w, strict=True)
    )
