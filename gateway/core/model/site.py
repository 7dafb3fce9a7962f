"""What control must know of a building. Built once from the site file; never changes while running."""

import math
from dataclasses import dataclass

from gateway.core.loads.kind import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery system that takes power set-points.

    `dead_time_s` and `ramp_w_per_s`: from the arrival of a set-point to its full effect.
    `reserve` and `soc_max` are fractions of `capacity_wh`.
    Losses of the running converter at the power p: constant + linear |p| + quadratic p²; below `min_power_w` it rests;
    a change smaller than `dead_band_w` it does not follow. What is not known is left at nothing.
    `phase` 1 to 3: where a single-phase converter is connected; None: on all three.
    `inverter` is the PV device that shares its AC side of at most `ac_limit_w` (a hybrid inverter).
    """

    id: str
    capacity_wh: float
    charge_max_w: float
    discharge_max_w: float
    reserve: float
    soc_max: float
    dead_time_s: float
    ramp_w_per_s: float
    min_power_w: float = 0.0
    dead_band_w: float = 0.0
    standby_w: float = 0.0
    loss_constant_w: float = 0.0
    loss_linear: float = 0.0
    loss_quadratic_per_w: float = 0.0
    phase: int | None = None
    inverter: str | None = None
    ac_limit_w: float = math.inf

    def loss_w(self, power_w: float) -> float:
        """What the running converter loses at a power (W); 0 when it rests. Standby is drawn in any case."""
        if power_w == 0.0:
            return 0.0
        return self.loss_constant_w + self.loss_linear * abs(power_w) + self.loss_quadratic_per_w * power_w**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """A PV inverter that can be told to produce at most so much; `rated_w` > 0 is its full power."""

    id: str
    rated_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDevice:
    """A flexible load with the device that meters it and, where `takes_orders`, is told its power.

    The load has the name of its section in the site file, by which plans know it; set-points go to `device`, and two of
    them are at least `pause_s` apart.
    """

    load: Load
    device: str
    takes_orders: bool
    pause_s: float = 0.0

    @property
    def id(self) -> str:
        """Its name in plans."""
        return self.load.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One building: device ids by role, the target at the grid, and the limits that always hold.

    `meter_delay_s`: least and most time by which the grid meter's registers lag behind the wires.
    `imbalance_limit_w`: most by which one phase may draw or feed more than another one.
    `curtailable`: those of `pv` that take a limit of their production. `loads`: what is planned and metered.
    """

    grid: str
    pv: tuple[str, ...]
    batteries: tuple[Battery, ...]
    grid_setpoint_w: float
    import_limit_w: float
    export_limit_w: float
    meter_delay_s: tuple[float, float] = (0.0, 3.0)
    imbalance_limit_w: float = math.inf
    curtailable: tuple[Inverter, ...] = ()
    loads: tuple[LoadDevice, ...] = ()

    @property
    def metered(self) -> tuple[str, ...]:
        """All devices behind the grid meter that are metered: what is left of the grid is the base load."""
        return (*self.pv, *(battery.id for battery in self.batteries), *(load.device for load in self.loads))
