"""EMHASS behind a pipe: JSON lines in, JSON lines out. Run by the Python of EMHASS's own environment, never imported.

First line in: {"step_minutes", "capacity_wh", "charge_max_w", "discharge_max_w", "charge_efficiency",
"discharge_efficiency", "loads": at most two of {"power_w", "hours"}, on or off}; out: {"ready": version}. Then one line
per plan: {"start_s", "load_w", "pv_w", "buy", "sell", "soc", "soc_final", "call": "naive-mpc" | "dayahead"}; out:
{"battery_w", "ms", "cpu_ms"} with charging positive, or {"error"}. `pv_w` is positive here, as EMHASS has it. Only what
it needs of EMHASS is called (MIT licence); none of it is ours.
"""

import asyncio
import json
import logging
import os
import sys
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import emhass
import orjson
import pandas as pd
from emhass.optimization import Optimization
from emhass.utils import build_config, build_params, build_secrets, get_yaml_parse

BUY, SELL = "unit_load_cost", "unit_prod_price"
LINE_W = 1e5  # no limit of the connection in these problems


def overrides(plant: dict[str, Any]) -> dict[str, Any]:
    """The battery and the loads of the problem, HiGHS on one thread: as its own benchmark script does."""
    loads = plant.get("loads", [])
    shiftable = {
        "nominal_power_of_deferrable_loads": [load["power_w"] for load in loads],
        "operating_hours_of_each_deferrable_load": [load["hours"] for load in loads],
    }
    return (shiftable if loads else {}) | {
        "optimization_time_step": plant["step_minutes"],
        "set_use_battery": True,
        "set_use_pv": True,
        "set_nodischarge_to_grid": False,
        "number_of_deferrable_loads": len(loads),
        "lp_solver": "HIGHS",
        "num_threads": 1,
        "maximum_power_from_grid": LINE_W,
        "maximum_power_to_grid": LINE_W,
        "battery_nominal_energy_capacity": plant["capacity_wh"],
        "battery_charge_power_max": plant["charge_max_w"],
        "battery_discharge_power_max": plant["discharge_max_w"],
        "battery_charge_efficiency": plant["charge_efficiency"],
        "battery_discharge_efficiency": plant["discharge_efficiency"],
        "battery_minimum_state_of_charge": 0.0,
        "battery_maximum_state_of_charge": 1.0,
        "battery_target_state_of_charge": 0.5,
    }


async def configured(paths: dict[str, Path], plant: dict[str, Any], logger: logging.Logger) -> Any:
    """EMHASS's three tables of configuration, made by its own functions."""
    config = await build_config(paths, logger, paths["defaults_path"])
    config.update(overrides(plant))
    _, secrets = await build_secrets(paths, logger, no_response=True)
    params = await build_params(paths, secrets, config, logger)
    return get_yaml_parse(orjson.dumps(params).decode(), logger)


def optimiser(plant: dict[str, Any]) -> Any:
    """One `Optimization` for all plans: its problem is built once, as in its own service."""
    root = Path(emhass.__file__).parent
    logger = logging.getLogger("emhass")
    logger.setLevel(logging.CRITICAL)
    paths = {
        "data_path": Path.cwd(),
        "root_path": root,
        "defaults_path": root / "data" / "config_defaults.json",
        "associations_path": root / "data" / "associations.csv",
    }
    retrieve, optim, plants = asyncio.run(configured(paths, plant, logger))
    optim.update({"lp_solver": "HIGHS", "num_threads": 1})
    return Optimization(retrieve, optim, plants, BUY, SELL, "profit", paths, logger)


def plan(planner: Any, step_minutes: int, ask: dict[str, Any]) -> dict[str, Any]:
    """Powers of the battery (W, charging positive) in each step, and the time of the call."""
    steps = len(ask["load_w"])
    index = pd.date_range(pd.Timestamp(ask["start_s"], unit="s", tz="UTC"), periods=steps, freq=f"{step_minutes}min")
    data = pd.DataFrame({BUY: ask["buy"], SELL: ask["sell"]}, index=index)
    pv, load = pd.Series(ask["pv_w"], index=index), pd.Series(ask["load_w"], index=index)
    socs = {"soc_init": ask["soc"], "soc_final": ask["soc_final"]}
    before_s, before_cpu_s = perf_counter(), process_time()
    if ask["call"] == "dayahead":
        result = planner.perform_dayahead_forecast_optim(data, pv, load, **socs)
    else:
        result = planner.perform_naive_mpc_optim(data, pv, load, steps, **socs)
    took_ms, cpu_ms = (perf_counter() - before_s) * 1000.0, (process_time() - before_cpu_s) * 1000.0
    if "P_batt" not in result:
        return {"error": str(result.get("optim_status", "no plan"))}
    return {"battery_w": [-power for power in result["P_batt"].tolist()], "ms": took_ms, "cpu_ms": cpu_ms}


def main() -> None:
    """Answers until the pipe is closed. What EMHASS prints goes to standard error: standard output is ours."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    plant = json.loads(sys.stdin.readline())
    planner = optimiser(plant)
    answers.write(json.dumps({"ready": version("emhass")}) + "\n")
    for line in sys.stdin:
        answers.write(json.dumps(plan(planner, plant["step_minutes"], json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
