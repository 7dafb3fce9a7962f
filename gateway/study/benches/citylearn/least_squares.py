"""Recursive least squares for many small regressions at once."""

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats


class LeastSquares:
    """One regression for each place of a batch, learnt one observation after the other.

    Ljung, System Identification, 2nd ed., section 11.2. Old observations fade with `forgetting` per step. A place whose
    regressors are all zero, or whose observation is missing, learns nothing: its covariance would only grow.
    """

    def __init__(self, start: Floats, *, variance: float, forgetting: float) -> None:
        """`start`: coefficients before the first observation, shape (..., features); `variance` how unsure they are."""
        self._coefficients = start.copy()
        self._covariance: Floats = np.broadcast_to(
            variance * np.eye(start.shape[-1]), (*start.shape, start.shape[-1])
        ).copy()
        self._forgetting = forgetting

    def predict(self, features: Floats) -> Floats:
        """The expected observation for regressors of shape (..., features)."""
        return np.asarray(np.einsum("...f,...f->...", self._coefficients, features))

    def learn(self, features: Floats, observed: Floats) -> None:
        """Take one observation per place, NaN where there is none."""
        usable: NDArray[np.bool_] = np.isfinite(observed) & np.any(features != 0.0, axis=-1)
        target = np.where(usable, observed, 0.0)
        spread = np.einsum("...fg,...g->...f", self._covariance, features)
        gain = spread / (self._forgetting + np.einsum("...f,...f->...", features, spread))[..., None]
        error = np.where(usable, target - self.predict(features), 0.0)
        self._coefficients += gain * error[..., None]
        shrunk = (self._covariance - gain[..., :, None] * spread[..., None, :]) / self._forgetting
        self._covariance = np.where(usable[..., None, None], shrunk, self._covariance)
