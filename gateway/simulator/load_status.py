"""What the control line says about the flexible loads, in units of the house file."""

from typing import Any

from gateway.simulator.physics.car import Car
from gateway.simulator.physics.heat_pump import HeatPump
from gateway.simulator.physics.pool_pump import PoolPump
from gateway.simulator.physics.tank import Tank
from gateway.simulator.simulation import Simulation

Status = dict[str, Any]


def load_status(simulation: Simulation) -> dict[str, Status]:
    """Each load by its name: its power, its energy since the start, and how it is."""
    loads, state = simulation.loads, simulation.state
    now_s = state.elapsed_s
    found: dict[str, Status] = {}
    if loads.car:
        found["car"] = _car(loads.car, now_s)
    if loads.tank:
        found["tank"] = _tank(loads.tank)
    if loads.heat_pump:
        found["heat_pump"] = _heat_pump(loads.heat_pump, now_s)
    if loads.pool_pump:
        found["pool_pump"] = _pool_pump(loads.pool_pump)
    return {
        name: {"power_w": state.loads_w[name], "energy_wh": state.loads_wh[name], **status}
        for name, status in found.items()
    }


def _car(car: Car, now_s: float) -> Status:
    charger = car.charger
    return {
        "plugged": car.plugged,
        "soc": car.soc,
        "session_wh": car.session_wh,
        "setpoint_a": charger.setpoint_a,
        "offered_a": charger.offered_a(now_s),
        "failsafe": charger.in_failsafe(now_s),
        "writes": charger.writes,
        "hurried_writes": charger.hurried_writes,
    }


def _tank(tank: Tank) -> Status:
    return {"temp_c": tank.temp_c, "work": tank.work, "drawn_wh": tank.balance.drawn_wh, "writes": tank.writes}


def _heat_pump(heat_pump: HeatPump, now_s: float) -> Status:
    return {
        "temp_c": heat_pump.temp_c,
        "outdoor_c": heat_pump.outdoor_c,
        "running": heat_pump.running,
        "forced": heat_pump.forced,
        "offered_w": heat_pump.offered_w(now_s),
        "writes": heat_pump.writes,
    }


def _pool_pump(pump: PoolPump) -> Status:
    return {"closed": pump.closed, "counter_wh": pump.counter_wh}
