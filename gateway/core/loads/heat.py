"""What loads that hold heat have in common."""

import math

TOLERANCE_K = 0.25  # a smaller difference is not felt
FRESH_S = 120.0  # a temperature changes slowly


def kept_shares(loss_w_per_k: float, wh_per_k: float, hours: float) -> tuple[float, float]:
    """The shares that are left at the end of a step: of what was there before, of heat given evenly through it."""
    lost = loss_w_per_k * hours / wh_per_k
    return math.exp(-lost), -math.expm1(-lost) / lost if lost > 0.0 else 1.0
