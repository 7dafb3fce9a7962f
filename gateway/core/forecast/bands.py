"""Scenarios as people see them: how low and how high, step by step."""

import numpy as np

from gateway.core.model.levels import Floats

SHARES = (0.1, 0.5, 0.9)


def bands(paths_w: Floats, shares: tuple[float, ...] = SHARES) -> Floats:
    """Quantiles of the scenarios (rows) at each step: shares x steps, in the unit of the scenarios."""
    return np.asarray(np.quantile(paths_w, shares, axis=0))
