"""What to expect of a building on its first day, before it has a past of its own.

The PV: 480 W per kWp and unit of sin(elevation), the mean of a year under clouds. Against a south-facing roof at Uccle
2019 and Aachen 2021 each month of either year lies between 340 and 910 W, the years at 492 and 579 W.
The load: a home of 3.7 MWh a year that is awake in the morning and in the evening.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.model.sun import sine_of_elevation
from gateway.core.model.time_grid import TimeGrid

PV_W_PER_KWP = 480.0  # at a sine of elevation of 1, see above

# Mean loads (W) by the local clock, one for each hour; 3.7 MWh a year in all.
NIGHT_W, MORNING_W, DAY_W, EVENING_W = 250.0, 500.0, 380.0, 750.0
# from midnight on
LOAD_BY_HOUR_W = (
    *[NIGHT_W] * 6,
    *[MORNING_W] * 3,
    *[DAY_W] * 9,
    *[EVENING_W] * 4,
    *[DAY_W] * 2,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is expected of a building that has no history yet, for each coming step."""

    # Mean load (W, >= 0).
    load_w: Floats
    # Mean PV (W, <= 0).
    pv_w: Floats


def prior(grid: TimeGrid, *, zone: tzinfo, kwp: float, latitude: float, longitude: float) -> Prior:
    """Expected powers (W, sign rule) of each step."""
    middles_s = grid.start_s + grid.step_s * (np.arange(grid.steps, dtype=np.float64) + 0.5)
    load = [LOAD_BY_HOUR_W[datetime.fromtimestamp(moment_s, zone).hour] for moment_s in middles_s.tolist()]
    elevation = np.maximum(sine_of_elevation(middles_s, latitude=latitude, longitude=longitude), 0.0)
    return Prior(load_w=np.array(load), pv_w=-PV_W_PER_KWP * kwp * elevation)
