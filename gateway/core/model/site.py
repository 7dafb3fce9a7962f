"""What control must know of a building. Built once from the site file; never changes while running."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.model.limits import Circuit, Limits, LimitSource, narrowed_by
from gateway.core.model.load import Load
from gateway.core.model.state import SiteState
from gateway.core.model.sun import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery system that takes power set-points. What its maker does not say is left at 0, or at no limit.

    The running converter loses constant + linear |p| + quadratic p² at the power p.
    """

    id: str  # its device
    capacity_wh: float  # between a state of charge of 0 and of 1
    charge_max_w: float  # at its AC terminals, 0 or above
    discharge_max_w: float  # the same, 0 or above
    reserve: float  # state of charge (0…1) below which nothing is taken out
    soc_max: float  # state of charge (0…1) from which on nothing is put in
    dead_time_s: float  # from the arrival of a set-point to the first effect
    ramp_w_per_s: float  # of its power after that, above 0
    min_power_w: float = 0.0  # below it the converter rests
    dead_band_w: float = 0.0  # a smaller change of the set-point it does not follow
    standby_w: float = 0.0  # drawn in any case
    loss_constant_w: float = 0.0  # W while it runs, whatever the power
    loss_linear: float = 0.0  # W per W
    loss_quadratic_per_w: float = 0.0  # W per W²
    phase: int | None = None  # 1 to 3, to which a single-phase converter is connected; None: on all three
    inverter: str | None = None  # the PV device that shares its AC side (a hybrid inverter); None: no such device
    ac_limit_w: float = math.inf  # of that AC side, both ways
    reverts_after_s: float = math.inf  # until the device itself ends a set-point whose node is lost; infinite: never

    def loss_w(self, power_w: float) -> float:
        """What the running converter loses at a power (W); 0 when it rests. Standby is drawn in any case."""
        if power_w == 0.0:
            return 0.0
        return self.loss_constant_w + self.loss_linear * abs(power_w) + self.loss_quadratic_per_w * power_w**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """A PV inverter whose production can be limited."""

    id: str  # its device
    rated_w: float  # full power, above 0
    reverts_after_s: float = math.inf  # as of a battery


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDevice:
    """A flexible load with the device that meters it and, where it can, takes set-points."""

    load: Load  # has the name of its section in the site file, by which plans know it
    device: str  # measured, and where set-points go
    takes_orders: bool  # whether set-points may be sent; else it is planned and measured only
    pause_s: float = 0.0  # least time between two set-points that differ: the product's own limit of writes
    spread: int = 3  # over how many phases its power, or what it is sent, is spread at most: 1 to 3
    in_amperes: bool = False  # whether it is sent amperes, which hold on each phase that it uses
    # State of charge (0…1) from which on the batteries may supply it beyond the surplus; infinite: never.
    supplied_from_soc: float = math.inf
    reverts_after_s: float = math.inf  # as of a battery

    @property
    def id(self) -> str:
        """Its name in plans."""
        return self.load.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One building: devices by role, the set-point at the grid, and the limits that always hold."""

    grid: str  # the grid meter's device
    pv: tuple[str, ...]  # devices that measure PV production
    batteries: tuple[Battery, ...]  # those that take set-points
    grid_setpoint_w: float  # power at the grid that the batteries hold, import positive
    import_limit_w: float  # 0 or above, all phases together
    export_limit_w: float  # 0 or above, all phases together
    meter_delay_s: tuple[float, float] = (0.0, 3.0)  # least and most lag of the meter's registers behind the wires
    imbalance_limit_w: float = math.inf  # most by which one phase may draw or feed more than another one
    curtailable: tuple[Inverter, ...] = ()  # those of `pv` whose production can be limited
    peak_w: Mapping[str, float] = field(default_factory=dict)  # of the roofs, by PV device, above 0; where it is known
    loads: tuple[LoadDevice, ...] = ()  # flexible loads that are metered
    places: tuple[Place, ...] = ()  # corners of the area in which it is (degrees); none where nothing is known
    phase_import_limit_w: float = math.inf  # 0 or above, on each phase
    phase_export_limit_w: float = math.inf  # 0 or above, on each phase
    circuits: tuple[Circuit, ...] = ()  # behind the connection, each after the one that feeds it
    limit_sources: tuple[LimitSource, ...] = ()  # what narrows the limits for a while
    # Phases (1 to 3) of a load's or inverter's device where the site file names them; of others nothing is known.
    phases: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """What the connection bears."""
        return Limits(
            import_w=self.import_limit_w,
            export_w=self.export_limit_w,
            phase_import_w=self.phase_import_limit_w,
            phase_export_w=self.phase_export_limit_w,
        )

    @property
    def limits_phases(self) -> bool:
        """Whether anything limits a single phase."""
        every = (self.limits, *(circuit.limits for circuit in self.circuits))
        return any(min(one.phase_import_w, one.phase_export_w) < math.inf for one in every)

    def at(self, state: SiteState) -> "Site":
        """The building with the limits of this moment."""
        if not self.limit_sources:
            return self
        own = narrowed_by(self.limits, None, self.limit_sources, state)
        return replace(
            self,
            import_limit_w=own.import_w,
            export_limit_w=own.export_w,
            phase_import_limit_w=own.phase_import_w,
            phase_export_limit_w=own.phase_export_w,
            circuits=tuple(
                replace(one, limits=narrowed_by(one.limits, one.id, self.limit_sources, state)) for one in self.circuits
            ),
        )

    def reverts_after_s(self, device: str) -> float:
        """Until a device that takes set-points ends one whose node is lost, by itself; infinite: never."""
        of_device = {battery.id: battery.reverts_after_s for battery in self.batteries}
        of_device |= {inverter.id: inverter.reverts_after_s for inverter in self.curtailable}
        of_device |= {load.device: load.reverts_after_s for load in self.loads}
        return of_device.get(device, math.inf)

    @property
    def metered(self) -> tuple[str, ...]:
        """All devices behind the grid meter that are metered: what is left of the grid is the base load."""
        return (*self.pv, *(battery.id for battery in self.batteries), *(load.device for load in self.loads))
