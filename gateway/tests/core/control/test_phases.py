"""On which phases a load draws is learned from the grid meter, whatever else happens in the building."""

import random
from dataclasses import replace

import pytest

from gateway.core.control.phases import EVEN, PhaseMemory, matching, use_of
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Site
from gateway.core.model.state import Reason

from .test_place_limits import HEATER, HOUSE, ONE_PHASE, THREE_PHASES, charger, roof
from .wired_building import Phases, Wired, WiredBuilding, on

FREE = replace(HOUSE, import_limit_w=50_000.0, phase_import_limit_w=40_000.0, phase_export_limit_w=40_000.0)
MUST = {
    id_: LoadSlot(power_w=w, value=2.0, reason=Reason(code="load_due")) for id_, w in (("car", 7360.0), ("boiler", 3e3))
}
REST = {id_: LoadSlot(power_w=0.0, value=0.0, reason=Reason(code="load_wait")) for id_ in ("car", "boiler")}


def restless(seed: int) -> list[Phases]:
    """Kettles on any phase, and noise of 150 W on each."""
    draw, rows, kettles = random.Random(seed), [], [0, 0, 0]
    for second in range(2000):
        for phase in range(3):
            if draw.random() < 0.004:
                kettles[phase] = second + draw.randint(20, 120)
        a, b, c = (300.0 + draw.uniform(-150, 150) + 2000.0 * (second < kettles[phase]) for phase in range(3))
        rows.append((a, b, c))
    return rows


def switched(building: WiredBuilding, times: int) -> None:
    """The loads go on and off, three minutes each."""
    for _ in range(times):
        building.requests = MUST
        building.run(180)
        building.requests = REST
        building.run(180)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("phase", [1, 2, 3])
def test_a_load_that_is_switched_shows_its_phase(phase: int, seed: int) -> None:
    rows = restless(seed)
    sun_w = 3000.0 + 2000.0 * (seed % 2)
    building = WiredBuilding(
        site=replace(FREE, loads=(ONE_PHASE,)),
        devices={"pv": roof(sun_w), "charger": charger(phases=on(phase))},
        base_w=lambda t: rows[t],
        late_s=seed % 2,
    )
    switched(building, 3)
    assert building.memory.phases.learned["car"] == on(phase)


@pytest.mark.parametrize("phases", [(1,), (2, 3), (1, 2, 3)])
def test_a_car_uses_some_of_the_phases_of_its_charger(phases: tuple[int, ...]) -> None:
    building = WiredBuilding(
        site=replace(FREE, loads=(THREE_PHASES,)),
        devices={"pv": roof(0.0), "charger": charger(phases=on(*phases), share=len(phases) / 3)},
    )
    switched(building, 1)
    assert building.memory.phases.learned["car"] == on(*phases)
    use = use_of(THREE_PHASES, building.memory.phases, building.site)
    assert use.ordered == tuple(1 / 3 if phase in phases else 0.0 for phase in (1, 2, 3))
    assert use.drawn == on(*phases)


def test_what_was_learned_of_a_car_leaves_with_it() -> None:
    building = WiredBuilding(
        site=replace(FREE, loads=(ONE_PHASE,)), devices={"pv": roof(0.0), "charger": charger(phases=on(2))}
    )
    switched(building, 1)
    assert use_of(ONE_PHASE, building.memory.phases, building.site).drawn == on(2)
    building.devices["charger"].points["plugged"] = 0.0
    building.run(4)
    assert use_of(ONE_PHASE, building.memory.phases, building.site).drawn == (1.0, 1.0, 1.0)  # on any of them


def test_two_loads_that_move_at_once_say_nothing_of_each_other() -> None:
    building = WiredBuilding(
        site=replace(FREE, loads=(ONE_PHASE, HEATER)),
        devices={"pv": roof(0.0), "charger": charger(phases=on(1)), "heater": Wired(phases=on(3), dead_s=3)},
    )
    switched(building, 3)
    learned = building.memory.phases.learned
    assert learned.get("car", on(1)) == on(1)
    assert learned.get("boiler", on(3)) == on(3)


def test_what_the_site_file_says_is_not_learned_anew() -> None:
    site: Site = replace(FREE, loads=(HEATER,), phases={"heater": (1,)})
    assert use_of(HEATER, PhaseMemory(learned={"boiler": on(3)}), site).drawn == on(1)
    assert use_of(HEATER, PhaseMemory(), replace(site, phases={})).drawn == EVEN


@pytest.mark.parametrize(
    ("step_w", "moved_w", "found"),
    [
        (3000.0, (3000.0, 0.0, 0.0), on(1)),
        (-3000.0, (0.0, -3000.0, 0.0), on(2)),
        (3000.0, (1000.0, 1000.0, 1000.0), on(1, 2, 3)),
        (3000.0, (4000.0, 1000.0, 1000.0), on(1)),  # the sun went, too
        (3000.0, (1500.0, 1500.0, 0.0), on(1, 2)),
        (3000.0, (3000.0, 2000.0, 0.0), None),  # and a kettle beside it
        (500.0, (500.0, 0.0, 0.0), None),
    ],
)
def test_a_step_fits_some_phases_clearly_or_says_nothing(
    step_w: float, moved_w: tuple[float, ...], found: Phases | None
) -> None:
    assert matching(step_w, moved_w, 3) == found
