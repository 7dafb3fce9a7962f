"""A weather forecast, as equal steps."""

from dataclasses import dataclass

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Means over steps of `step_s` from `start_s` (UTC); NaN where the forecast has none.

    `irradiance_w_m2`: rows are members of the forecast (one or more, equally likely), columns steps; on the roof or on
    the ground, as it was asked for. `temp_c`: one value a step, the mean of the members.
    """

    start_s: float
    step_s: float
    irradiance_w_m2: Floats
    temp_c: Floats

    def __post_init__(self) -> None:
        """Raises ValueError when the shapes do not fit."""
        if self.irradiance_w_m2.ndim != 2 or self.temp_c.shape != self.irradiance_w_m2.shape[1:]:
            raise ValueError("irradiance has members and steps, temperature the same steps")
