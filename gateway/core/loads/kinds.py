"""All kinds of flexible loads, each with its state: what a plan is asked for."""

from dataclasses import dataclass

from gateway.core.loads.car import Car, CarState, car_wanted
from gateway.core.loads.heat import HeatPump, HeatPumpState, Tank, TankState, heat_pump_wanted, tank_wanted
from gateway.core.loads.needs import Band
from gateway.core.loads.request import Outlook, Wanted
from gateway.core.loads.timed import (
    Appliance,
    ApplianceState,
    Switchable,
    SwitchableState,
    appliance_wanted,
    switchable_wanted,
)
from gateway.core.model.switched import Switched

Load = Car | Tank | HeatPump | Appliance | Switchable
LoadState = CarState | TankState | HeatPumpState | ApplianceState | SwitchableState


@dataclass(frozen=True, slots=True, kw_only=True)
class Curtailable:
    """An inverter that can be told to produce less, of at most `rated_w` (W)."""

    id: str
    rated_w: float

    def __post_init__(self) -> None:
        """Raises ValueError without a power."""
        if not self.rated_w > 0.0:
            raise ValueError(f"an inverter has a power: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A load and where it is; ValueError where one is not of the other."""

    load: Load
    state: LoadState

    def __post_init__(self) -> None:
        """Raises ValueError for a state of another kind of load."""
        if type(self.state).__name__ != f"{type(self.load).__name__}State":
            raise ValueError(f"{type(self.state).__name__} is no state of {self.load.id}")


def wanted_of(job: Job, outlook: Outlook) -> Wanted:
    """What the load wants of the coming steps."""
    match job.load, job.state:
        case Car() as car, CarState() as car_state:
            return car_wanted(car, car_state, outlook)
        case Tank() as tank, TankState() as tank_state:
            return tank_wanted(tank, tank_state, outlook)
        case HeatPump() as pump, HeatPumpState() as pump_state:
            return heat_pump_wanted(pump, pump_state, outlook)
        case Appliance() as appliance, ApplianceState() as appliance_state:
            return appliance_wanted(appliance, appliance_state, outlook)
        case Switchable() as load, SwitchableState() as state:
            return switchable_wanted(load, state, outlook)
    raise ValueError(f"{job.load.id}: no such load")


def bands_of(load: Load) -> tuple[Band, ...]:
    """The powers that can be set."""
    if isinstance(load, Car | HeatPump):
        return load.bands
    if isinstance(load, Appliance):
        return (Band(low_w=max(load.course_w), high_w=max(load.course_w)),)
    return (load.band,)


def dwell_s(load: Load) -> tuple[float, float]:
    """Least times it runs and rests (s); an appliance runs to its end."""
    return (load.length_s, 0.0) if isinstance(load, Appliance) else (load.run_s, load.rest_s)


def switched_of(state: LoadState) -> Switched | None:
    """Whether it runs, and since when; None where nobody knows."""
    if isinstance(state, ApplianceState):
        return None if state.started_s is None else Switched(runs=True, since_s=state.started_s)
    return state.switched
