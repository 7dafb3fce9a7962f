"""One well-mixed heat store: how warm it is after a while, exactly, and how warm it was meanwhile."""

import math
from dataclasses import dataclass

WATER_WH_PER_LITRE_K = 1.163  # 4.186 kJ/(kg K), 1 kg/l


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemperature:
    """The temperature at the end of a step and its mean over the step."""

    end_c: float
    mean_c: float


def step_temperature(
    temp_c: float, *, around_c: float, power_w: float, loss_w_per_k: float, capacity_wh_per_k: float, hours: float
) -> StepTemperature:
    """The solution of C dT/dt = P - k (T - around) for a constant power and surroundings."""
    decay = loss_w_per_k * hours / capacity_wh_per_k
    if decay < 1e-12:  # nothing is lost: a straight line
        rise_k = (power_w - loss_w_per_k * (temp_c - around_c)) * hours / capacity_wh_per_k
        return StepTemperature(end_c=temp_c + rise_k, mean_c=temp_c + rise_k / 2.0)
    settled_c = around_c + power_w / loss_w_per_k
    left = -math.expm1(-decay)  # 1 - e^-x, exact for small x, too
    return StepTemperature(
        end_c=temp_c + (settled_c - temp_c) * left, mean_c=settled_c + (temp_c - settled_c) * left / decay
    )
