"""What a building did, on equal steps, and what it may do: where forecasts begin and what they give."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Mean powers of the steps gone by; NaN where PV was curtailed, meters were missing or power was out."""

    # When the first step begins (UTC).
    start_s: float
    # Length of a step (s).
    step_s: float
    # Base load of each step (W, >= 0); NaN where it cannot be used.
    load_w: Floats
    # PV of each step (W, <= 0); NaN where it cannot be used.
    pv_w: Floats
    # Least and most base load of each step (W, steps x 2) where it is not known; NaN elsewhere. None: nowhere.
    load_range_w: Floats | None = None

    def __post_init__(self) -> None:
        if self.load_w.shape != self.pv_w.shape or self.load_w.ndim != 1:
            raise ValueError("load and PV are two series of one length")
        if self.load_range_w is not None and self.load_range_w.shape != (len(self.load_w), 2):
            raise ValueError("the range of the load is as long as the load")

    @property
    def end_s(self) -> float:
        """UTC end of the last step."""
        return self.start_s + self.step_s * len(self.load_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """Possible futures of the building without its storages, equally likely; never with NaN."""

    # When the first step begins (UTC).
    start_s: float
    # Length of a step (s).
    step_s: float
    # Mean load (scenarios x steps, W, >= 0).
    load_w: Floats
    # Mean PV (scenarios x steps, W, <= 0).
    pv_w: Floats

    @property
    def net_w(self) -> Floats:
        """Load and PV together (W, import positive): what the grid would give."""
        return np.asarray(self.load_w + self.pv_w)
