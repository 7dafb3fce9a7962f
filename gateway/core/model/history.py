"""What a building did, on a grid of equal steps: the ground on which its forecasts stand."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Mean powers of each step (W, sign rule: load >= 0, PV <= 0); NaN where there is none that can be used.

    `start_s` is the UTC beginning of the first step. Steps with curtailed PV, outages or missing meters are NaN.
    """

    start_s: float
    step_s: float
    load_w: Floats
    pv_w: Floats

    def __post_init__(self) -> None:
        if self.load_w.shape != self.pv_w.shape or self.load_w.ndim != 1:
            raise ValueError("load and PV are two series of one length")

    @property
    def end_s(self) -> float:
        """UTC end of the last step."""
        return self.start_s + self.step_s * len(self.load_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """Possible futures of the building without its storages, equally likely: rows are scenarios, columns steps (W)."""

    start_s: float
    step_s: float
    load_w: Floats
    pv_w: Floats

    @property
    def net_w(self) -> Floats:
        """Load and PV together: what the grid would give."""
        return np.asarray(self.load_w + self.pv_w)
