"""What control must know of a building. Built once from the site file; never changes while running."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery system that takes power set-points.

    `dead_time_s` and `ramp_w_per_s`: from the arrival of a set-point to its full effect.
    `reserve` and `soc_max` are fractions of `capacity_wh`.
    """

    id: str
    capacity_wh: float
    charge_max_w: float
    discharge_max_w: float
    reserve: float
    soc_max: float
    dead_time_s: float
    ramp_w_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One building: device ids by role, the target at the grid, and the limits that always hold.

    `meter_delay_s`: least and most time by which the grid meter's registers lag behind the wires.
    """

    grid: str
    pv: tuple[str, ...]
    battery: Battery | None
    grid_setpoint_w: float
    import_limit_w: float
    export_limit_w: float
    meter_delay_s: tuple[float, float] = (0.0, 3.0)

    @property
    def producers(self) -> tuple[str, ...]:
        """All metered devices behind the grid meter: what is left of the grid is the base load."""
        return self.pv if self.battery is None else (*self.pv, self.battery.id)
