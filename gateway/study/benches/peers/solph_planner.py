"""oemof.solph behind a pipe, with the protocol of `emhass_planner`; its answer also has the optimum, {"objective_eur"}.

Run by the Python of solph's own environment, never imported. The end of the storage is free; "soc_final" and "call" are
not read.
"""

import json
import os
import sys
import warnings
from importlib.metadata import version
from time import perf_counter, process_time
from typing import Any

import pandas as pd
from oemof import solph


def system(plant: dict[str, Any], ask: dict[str, Any]) -> solph.EnergySystem:
    """The home: PV, load, grid both ways, and the battery on one bus; kW and EUR."""
    steps = len(ask["load_w"])
    start = pd.Timestamp(ask["start_s"], unit="s")
    index = pd.date_range(start, periods=steps + 1, freq=f"{plant['step_minutes']}min")
    energy = solph.EnergySystem(timeindex=index, infer_last_interval=False)
    bus = solph.buses.Bus(label="home")
    energy.add(
        bus,
        solph.components.Source("pv", outputs={bus: fixed(ask["pv_w"])}),
        solph.components.Sink("load", inputs={bus: fixed(ask["load_w"])}),
        solph.components.Source("import", outputs={bus: solph.Flow(variable_costs=ask["buy"])}),
        solph.components.Sink("export", inputs={bus: solph.Flow(variable_costs=[-price for price in ask["sell"]])}),
        solph.components.GenericStorage(
            "battery",
            nominal_capacity=plant["capacity_wh"] / 1000.0,
            inputs={bus: solph.Flow(nominal_capacity=plant["charge_max_w"] / 1000.0)},
            outputs={bus: solph.Flow(nominal_capacity=plant["discharge_max_w"] / 1000.0)},
            inflow_conversion_factor=plant["charge_efficiency"],
            outflow_conversion_factor=plant["discharge_efficiency"],
            initial_storage_level=ask["soc"],
            balanced=False,
        ),
    )
    return energy


def fixed(powers_w: list[float]) -> solph.Flow:
    """A flow that is as it is."""
    return solph.Flow(fix=[power_w / 1000.0 for power_w in powers_w], nominal_capacity=1.0)


def plan(plant: dict[str, Any], ask: dict[str, Any]) -> dict[str, Any]:
    """The optimum (EUR) and the time from the building of the model to its solution."""
    before_s, before_cpu_s = perf_counter(), process_time()
    model = solph.Model(system(plant, ask))
    model.solve(solver="highs")
    took_ms, cpu_ms = (perf_counter() - before_s) * 1000.0, (process_time() - before_cpu_s) * 1000.0
    return {"objective_eur": float(model.objective()), "ms": took_ms, "cpu_ms": cpu_ms}


def main() -> None:
    """Answers until the pipe is closed; standard output is ours."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    plant = json.loads(sys.stdin.readline())
    answers.write(json.dumps({"ready": version("oemof.solph")}) + "\n")
    for line in sys.stdin:
        answers.write(json.dumps(plan(plant, json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
