"""Whatever befalls a twin at random, it goes on, and no set-point leaves the range of its device."""

import random
from dataclasses import MISSING, fields

import pytest

from gateway.simulator.faults import KINDS, fault_of
from gateway.trial.scenario.tables import placed, shipped
from gateway.trial.twin.twin import Twin

CYCLES = 400
FREE = {"w": (-20_000.0, 20_000.0), "charge_w": (0.0, 5000.0), "discharge_w": (0.0, 5000.0), "factor": (-10.0, 10.0)}


def draw_fault(draw: random.Random) -> tuple[str, dict[str, object]]:
    """A kind that virtual time can show, and some of its numbers."""
    kind = draw.choice([name for name in KINDS if not name.startswith("Telegram")])
    numbers: dict[str, object] = {"for_s": draw.uniform(1.0, 40.0)}
    for field in fields(KINDS[kind]):
        if field.name in FREE and (field.default is MISSING or draw.random() < 0.7):
            numbers[field.name] = draw.uniform(*FREE[field.name])
    if kind == "LoadIgnoresOrders":
        numbers |= {"device": "tank", "w": abs(draw.uniform(0.0, 3000.0))}
    if kind in ("LoadGone", "LoadRefuses"):
        numbers["device"] = draw.choice(["car", "tank"])
    return kind, numbers


def draw_act(found: Twin, draw: random.Random) -> None:
    acts = (
        lambda: found.house.building.add_step(draw.uniform(0.0, 9000.0), draw.uniform(1.0, 60.0)),
        lambda: found.power_node("cellar", on=True),
        lambda: found.hang_node("cellar"),
        lambda: (found.stop_broker(), found.start_broker()),
        lambda: found.cut_node("cellar", off=True),
        lambda: found.cut_node("cellar", off=False),
        lambda: (found.kill_gateway(), found.start_gateway()),
        lambda: found.freeze_gateway(frozen=draw.random() < 0.5),
        lambda: found.step_clock(draw.uniform(-1e6, 1e6)),
        found.clear,
    )
    draw.choice(acts)()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_twin_survives_everything(seed: int) -> None:
    draw = random.Random(seed)
    house, site = placed(*shipped("loads"))
    site.pop("tariff")
    found = Twin.of(house, site, step_s=0.2)
    ran = 0
    for _ in range(CYCLES):
        if draw.random() < 0.15:
            kind, numbers = draw_fault(draw)
            found.begin(fault_of(kind, numbers))
        if draw.random() < 0.05:
            draw_act(found, draw)
        cycle = found.cycle()
        ran += cycle is not None
        for setpoint in cycle.setpoints if cycle else ():
            low, high = {"battery": (-5000.0, 5000.0), "car": (0.0, 3680.0), "tank": (0.0, 3000.0)}[setpoint.device]
            assert setpoint.power_w is None or low <= setpoint.power_w <= high
        state = found.house.state
        assert state.grid_w == pytest.approx(
            state.base_load_w + state.pv_w + state.battery_w + sum(state.loads_w.values()), abs=1e-6
        )
    assert ran > CYCLES / 4
