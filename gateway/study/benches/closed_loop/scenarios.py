"""The thirty buildings of the closed-loop bench: a row says what is different from a usual one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gateway.core.control.arbiter import Consumer
from gateway.core.control.loads import NO_PLAN
from gateway.core.loads.switchable import Switchable
from gateway.core.model.levels import Floats
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Battery, LoadDevice, Site
from gateway.core.model.state import Reason
from gateway.study.benches.closed_loop import weather
from gateway.study.benches.closed_loop.virtual_building import Load, MeterModel, VirtualBuilding, battery

BEFORE_BATTERY = NO_PLAN.value  # EUR/kWh of stored energy while there is no plan

Draw = np.random.Generator
Make = Callable[[float, Draw], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One building. `batteries`: changes of the simulator's battery for each; `meter_s`: least and most meter delay.

    The site file says only that the delay is at most 3 s, or at most twice the true one where that is more.
    `supplied_from_soc`: from that state of charge (0…1) on the batteries supply car and boiler, too, under every law.
    """

    name: str
    loads: tuple[Make, ...] = ()
    sun_w: float = 0.0
    meter_s: tuple[float, float] = (0.0, 0.0)
    period_s: float = 1.0
    noise_w: float = 2.0
    batteries: tuple[Mapping[str, float], ...] = field(default=({},))
    target_w: float = 0.0
    ev: bool = False
    boiler: bool = False
    supplied_from_soc: float = 0.0
    ac_limit_w: float = math.inf


def kettle(seconds: float, draw: Draw) -> Floats:
    """A kettle now and then."""
    return weather.kettles(seconds, draw)


def oven(seconds: float, draw: Draw) -> Floats:
    """An oven all the time."""
    return weather.thermostat(seconds, draw)


def heat_pump(seconds: float, draw: Draw) -> Floats:
    """A heat pump that goes up and down."""
    return weather.ramping(seconds, draw)


SLOW = {"dead_time_s": 1.6, "ramp_w_per_s": 300.0}
FAST = {"dead_time_s": 0.4, "ramp_w_per_s": 8000.0}
SMALL = {"capacity_wh": 2500.0, "charge_max_w": 1200.0, "discharge_max_w": 1200.0}
COARSE = {"min_power_w": 120.0}
K, C = (kettle,), 4500.0

SCENARIOS = (
    Scenario(name="kettle, meter 0 s", loads=K),
    Scenario(name="kettle, meter 0.5 s", loads=K, meter_s=(0.5, 0.5)),
    Scenario(name="kettle, meter 1 s", loads=K, meter_s=(1, 1)),
    Scenario(name="kettle, meter 2 s", loads=K, meter_s=(2, 2)),
    Scenario(name="kettle, meter 3 s", loads=K, meter_s=(3, 3)),
    Scenario(name="kettle, meter 1 to 3 s", loads=K, meter_s=(1, 3)),
    Scenario(name="kettle, meter 5 s", loads=K, meter_s=(5, 5)),
    Scenario(name="kettle, meter 10 s", loads=K, meter_s=(10, 10)),
    Scenario(name="kettle, meter 30 s", loads=K, meter_s=(30, 30)),
    Scenario(name="kettle, meter 60 s", loads=K, meter_s=(60, 60)),
    Scenario(name="clouds, meter 0 s", sun_w=C),
    Scenario(name="clouds, meter 1 s", sun_w=C, meter_s=(1, 1)),
    Scenario(name="clouds, meter 2 s", sun_w=C, meter_s=(2, 2)),
    Scenario(name="clouds, meter 1 to 3 s", sun_w=C, meter_s=(1, 3)),
    Scenario(name="clouds, meter 10 s", sun_w=C, meter_s=(10, 10)),
    Scenario(name="clouds and kettle, meter 0.5 s", loads=K, sun_w=C, meter_s=(0.5, 0.5)),
    Scenario(name="clouds and kettle, meter 1 to 3 s", loads=K, sun_w=C, meter_s=(1, 3)),
    Scenario(name="oven, meter 1 s", loads=(oven,), meter_s=(1, 1)),
    Scenario(name="heat pump and kettle, meter 2 s", loads=(heat_pump, kettle), meter_s=(2, 2)),
    Scenario(name="slow battery", loads=K, sun_w=C, meter_s=(1, 1), batteries=(SLOW,)),
    Scenario(name="fast battery", loads=K, sun_w=C, meter_s=(1, 1), batteries=(FAST,)),
    Scenario(name="small battery at its limits", loads=K, sun_w=C, meter_s=(1, 1), batteries=(SMALL,)),
    Scenario(name="coarse battery", loads=K, sun_w=1500, meter_s=(1, 1), batteries=(COARSE,)),
    Scenario(name="noisy meter every 2 s", loads=K, sun_w=C, meter_s=(0.5, 0.5), period_s=2.0, noise_w=20.0),
    Scenario(name="import of 200 W wanted", loads=K, sun_w=C, meter_s=(1, 1), target_w=200.0),
    Scenario(name="inverter at its AC limit", loads=K, sun_w=4800, meter_s=(1, 1), ac_limit_w=5000.0),
    Scenario(name="two batteries", loads=K, sun_w=C, meter_s=(1, 1), batteries=({}, {"soc": 0.4})),
    Scenario(name="two unlike batteries, meter 1 to 3 s", loads=K, sun_w=C, meter_s=(1, 3), batteries=(SLOW, SMALL)),
    Scenario(name="car and battery", loads=K, sun_w=6000, meter_s=(1, 1), ev=True),
    Scenario(name="car, boiler and battery", loads=K, sun_w=7000, meter_s=(1, 1), ev=True, boiler=True),
)


def virtual_building(scenario: Scenario, seconds: float, seed: int) -> VirtualBuilding:
    """The building itself."""
    draw = np.random.default_rng(seed)
    load_w = weather.hum(seconds, draw)
    for make in scenario.loads:
        load_w = load_w + make(seconds, draw)
    pv_w = weather.clouds(seconds, draw, peak_w=scenario.sun_w) if scenario.sun_w else weather.flat(seconds, 0.0)
    loads = [Load(id=c.id, min_w=c.min_w, max_w=c.max_w) for c in consumers(scenario)]
    return VirtualBuilding(
        load_w=weather.as_power(load_w),
        pv_w=weather.as_power(pv_w),
        batteries={f"battery{i}": battery(**changes) for i, changes in enumerate(scenario.batteries)},
        meter=MeterModel(period_s=scenario.period_s, delay_s=scenario.meter_s, noise_w=scenario.noise_w),
        loads=loads,
        ac_limit_w=scenario.ac_limit_w,
        seed=seed,
    )


def site(scenario: Scenario) -> Site:
    """What the site file of that building would say."""
    usual = battery().settings
    batteries = []
    for i, changes in enumerate(scenario.batteries):
        s = usual.model_copy(update=dict(changes))
        batteries.append(
            Battery(
                id=f"battery{i}",
                capacity_wh=s.capacity_wh,
                charge_max_w=s.charge_max_w,
                discharge_max_w=s.discharge_max_w,
                reserve=s.soc_min,
                soc_max=s.soc_max,
                dead_time_s=s.dead_time_s,
                ramp_w_per_s=s.ramp_w_per_s,
                min_power_w=s.min_power_w,
                standby_w=s.standby_w,
                loss_constant_w=s.loss_constant_w,
                loss_linear=s.loss_linear,
                loss_quadratic_per_w=s.loss_quadratic_per_w,
                inverter="pv" if i == 0 and math.isfinite(scenario.ac_limit_w) else None,
                ac_limit_w=scenario.ac_limit_w if i == 0 else math.inf,
            )
        )
    return Site(
        grid="grid",
        pv=("pv",),
        batteries=tuple(batteries),
        grid_setpoint_w=scenario.target_w,
        import_limit_w=18_000,
        export_limit_w=18_000,
        meter_delay_s=(0.0, max(3.0, 2 * scenario.meter_s[1])),
        loads=tuple(_load(consumer, scenario.supplied_from_soc) for consumer in consumers(scenario)),
    )


def _load(consumer: Consumer, supplied_from_soc: float) -> LoadDevice:
    load = Switchable(
        id=consumer.id,
        band=Band(low_w=consumer.min_w, high_w=consumer.max_w),
        minimum_up_s=consumer.dwell_on_s,
        minimum_down_s=consumer.dwell_off_s,
    )
    return LoadDevice(load=load, device=consumer.id, takes_orders=True, supplied_from_soc=supplied_from_soc)


def requests(scenario: Scenario) -> dict[str, LoadSlot]:
    """Surplus before the battery, and nothing from the grid."""
    values = {consumer.id: BEFORE_BATTERY + consumer.value for consumer in consumers(scenario)}
    return {
        id_: LoadSlot(power_w=0.0, value=value, reason=Reason(code="load_surplus")) for id_, value in values.items()
    }


def consumers(scenario: Scenario) -> tuple[Consumer, ...]:
    """The car (6 to 16 A on one phase) and the boiler on a relay, each on or off for five minutes at least.

    Both have a higher value than what the battery stores.
    """
    found = []
    if scenario.ev:
        found.append(Consumer(id="ev", min_w=1380, max_w=3680, step_w=230, value=0.2, dwell_on_s=300, dwell_off_s=300))
    if scenario.boiler:
        found.append(Consumer(id="boiler", min_w=1800, max_w=1800, value=0.18, dwell_on_s=300, dwell_off_s=300))
    return tuple(found)
