"""Each phase and each circuit stays within its limit, whoever draws or gives too much there, and somebody says so."""

import math
from dataclasses import replace

import pytest

from gateway.core.loads.car import Car, phase_bands
from gateway.core.loads.switchable import Switchable
from gateway.core.model.limits import Circuit, Limits
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Battery, Inverter, LoadDevice, Site
from gateway.core.model.state import Reason

from .wired_building import Trunk, Wired, WiredBuilding, on

CAR = Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(1,)), capacity_wh=60_000.0)
CAR3 = Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(3,)), capacity_wh=60_000.0)
BOILER = Switchable(id="boiler", band=Band(low_w=3000.0, high_w=3000.0))
ONE_PHASE = LoadDevice(load=CAR, device="charger", takes_orders=True, spread=1, in_amperes=True)
THREE_PHASES = LoadDevice(load=CAR3, device="charger", takes_orders=True, spread=3, in_amperes=True)
HEATER = LoadDevice(load=BOILER, device="heater", takes_orders=True)
PHASE_W = 3450.0  # 15 A
BATTERY = Battery(
    id="battery", capacity_wh=10_000.0, charge_max_w=5000.0, discharge_max_w=5000.0, reserve=0.1, soc_max=1.0,
    dead_time_s=1.0, ramp_w_per_s=5000.0,
)  # fmt: skip
HOUSE = Site(
    grid="grid", pv=("pv",), batteries=(), grid_setpoint_w=0.0, import_limit_w=9000.0, export_limit_w=12_000.0,
    meter_delay_s=(0.0, 1.0), phase_import_limit_w=PHASE_W, phase_export_limit_w=PHASE_W,
)  # fmt: skip
SURPLUS = {"car": LoadSlot(power_w=0.0, value=0.2, reason=Reason(code="load_plain"))}
MUST = {
    id_: LoadSlot(power_w=power_w, value=value, reason=Reason(code="load_due"))
    for id_, power_w, value in (("car", 7360.0, 2.0), ("boiler", 3000.0, 3.0))
}


def charger(**changes: object) -> Wired:
    """A car that obeys after 3 s and is read every 2 s."""
    found = {"phases": on(1), "dead_s": 3, "ramp_w": 3000.0, "every_s": 2} | changes
    return Wired(points={"plugged": 1.0, "e_session_wh": 0.0}, **found)


def roof(sun_w: float, **changes: object) -> Wired:
    return Wired(**({"low_w": -sun_w, "high_w": 0.0, "own_w": -sun_w, "power_w": -sun_w} | changes))


def house(load: LoadDevice = ONE_PHASE, sun_w: float = 9000.0, **changes: object) -> WiredBuilding:
    devices = {"pv": roof(sun_w), load.device: charger(**changes)}
    return WiredBuilding(site=replace(HOUSE, loads=(load,)), devices=devices, requests=SURPLUS)


def longest_over_s(powers_w: list[float], limit_w: float) -> int:
    """The longest time in a row above a limit (s)."""
    longest = here = 0
    for power_w in powers_w:
        here = here + 1 if power_w > limit_w + 25.0 else 0
        longest = max(longest, here)
    return longest


# the meter, a cycle, dead time and ramp of the car, 2 s
CAR_S = 1 + 1 + 3 + 2 + 2


@pytest.mark.parametrize("phase", [1, 2, 3])
@pytest.mark.parametrize("shows_phases", [False, True])
def test_a_car_on_one_phase_is_held_within_its_phase_though_the_sun_covers_it(phase: int, shows_phases) -> None:
    """32 A on one phase of a connection with 15 A each, 9 kW of sun on all three: the grid as a whole is near 0."""
    building = house(phases=on(phase), shows_phases=shows_phases)
    building.run(300)
    assert longest_over_s(building.phase_w(phase), PHASE_W) <= CAR_S
    settled = building.phase_w(phase, 120)
    assert max(settled) <= PHASE_W + 25.0
    assert max(settled) >= PHASE_W - 400.0  # and as much as is allowed
    reason = building.last("charger").reason
    assert (reason.code, reason.numbers["place"]) == ("load_limit_phase", f"L{phase}")
    assert reason.numbers["limit_w"] == PHASE_W


def test_a_car_that_uses_one_phase_of_three_is_not_held_back_for_the_others() -> None:
    """Its amperes are those of each phase: what it draws is a third of what it is sent."""
    building = house(THREE_PHASES, phases=on(3), share=1 / 3)
    building.requests = {"car": replace(MUST["car"], power_w=22_000.0)}
    building.run(400)
    assert longest_over_s(building.phase_w(3), PHASE_W) <= CAR_S + 60  # learned when it begins for the second time
    assert max(building.phase_w(3, 200)) <= PHASE_W + 25.0
    assert building.phase_w(3, 390)[-1] >= PHASE_W - 500.0


def test_a_house_that_takes_a_phase_beyond_its_limit_sheds_the_car_there() -> None:
    building = house(sun_w=0.0)
    building.requests = MUST
    building.base_w = lambda t: (200.0 if t < 100 else 2200.0, 200.0, 200.0)
    building.run(200)
    assert building.phase_w(1, 90)[0] >= PHASE_W - 400.0
    assert longest_over_s(building.phase_w(1, 95), PHASE_W) <= CAR_S
    assert building.phase_w(1)[-1] <= PHASE_W


def test_a_load_that_is_not_on_the_phase_is_left_alone() -> None:
    site = replace(HOUSE, loads=(ONE_PHASE, HEATER), phases={"heater": (2,)})
    devices = {"pv": roof(0.0), "charger": charger(), "heater": Wired(phases=on(2))}
    building = WiredBuilding(site=site, devices=devices, requests=MUST)
    building.base_w = lambda t: (200.0 if t < 100 else 3000.0, 200.0, 200.0)
    building.run(200)
    assert {sent["heater"].power_w for sent in building.sent[60:]} == {3000.0}
    assert building.last("charger").power_w == 0.0
    assert building.last("charger").reason.code == "load_limit_phase"


@pytest.mark.parametrize("battery_phase", [None, 1])
def test_a_battery_helps_the_phase_that_is_beyond_its_limit(battery_phase: int | None) -> None:
    """Nothing can be shed; a battery on all phases gives a third of its power on each."""
    site = replace(HOUSE, batteries=(replace(BATTERY, phase=battery_phase),))
    battery = Wired(
        phases=on(1) if battery_phase else on(1, 2, 3), low_w=-5000.0, high_w=5000.0, ramp_w=5000.0,
        points={"soc": 0.6},
    )  # fmt: skip
    building = WiredBuilding(site=site, devices={"pv": roof(6000.0), "battery": battery})
    building.base_w = lambda t: (1000.0 if t < 60 else 6500.0, 200.0, 200.0)
    building.run(120)
    assert longest_over_s(building.phase_w(1), PHASE_W) <= 1 + 1 + 1 + 1 + 2
    assert building.phase_w(1)[-1] <= PHASE_W + 25.0
    reason = building.last("battery").reason
    assert (reason.code, reason.numbers.get("place")) == ("import_limit_phase", "L1")


def test_a_roof_on_one_phase_is_held_within_the_export_limit_of_its_phase() -> None:
    site = replace(HOUSE, curtailable=(Inverter(id="pv", rated_w=6000.0),), phases={"pv": (2,)})
    building = WiredBuilding(site=site, devices={"pv": roof(5500.0, phases=on(2), dead_s=3)})
    building.run(60)
    exported = [-w for w in building.phase_w(2)]
    assert longest_over_s(exported, PHASE_W) <= 1 + 1 + 3 + 2
    assert exported[-1] >= PHASE_W - 60.0
    reason = building.last("pv").reason
    assert (reason.code, reason.numbers["place"]) == ("pv_curtailed_phase", "L2")


GARAGE = Circuit(
    id="garage", parent=None, limits=Limits(import_w=4600.0), devices=frozenset({"charger", "heater"}), meter="sub"
)


@pytest.mark.parametrize("meter", ["sub", None])
def test_a_circuit_is_held_within_its_limit_by_what_is_behind_it(meter: str | None) -> None:
    """With a meter also what is not known counts: 800 W more from second 150 on."""
    site = replace(
        HOUSE, loads=(ONE_PHASE, HEATER), phase_import_limit_w=math.inf, phase_export_limit_w=math.inf,
        circuits=(replace(GARAGE, meter=meter),),
    )  # fmt: skip
    devices = {"pv": roof(0.0), "charger": charger(), "heater": Wired()}
    garage = Trunk(
        devices=GARAGE.devices, meter=meter, base_w=lambda t: (0.0, 800.0 if meter and t > 150 else 0.0, 0.0)
    )
    building = WiredBuilding(site=site, devices=devices, requests=MUST, trunks={"garage": garage})
    building.run(300)
    flow = [sum(flows["garage"]) for flows in building.truth]
    assert longest_over_s(flow, 4600.0) <= CAR_S
    assert max(flow[280:]) <= 4600.0 + 25.0
    assert building.last("heater").power_w == 3000.0  # its value is higher
    reason = building.last("charger").reason
    assert (reason.code, reason.numbers["place"]) == ("load_limit_circuit", "garage")


def test_a_circuit_in_a_circuit_and_its_phases_have_limits_of_their_own() -> None:
    box = Circuit(id="box", parent="garage", limits=Limits(phase_import_w=2300.0), devices=frozenset({"charger"}))
    site = replace(HOUSE, loads=(ONE_PHASE,), circuits=(replace(GARAGE, meter=None), box), phases={"charger": (3,)})
    building = WiredBuilding(site=site, devices={"pv": roof(0.0), "charger": charger(phases=on(3))}, requests=MUST)
    building.run(60)
    assert building.last("charger").power_w == pytest.approx(2300.0)
    assert building.last("charger").reason.numbers["place"] == "box L3"


def test_behind_a_meter_that_is_silent_nothing_is_ordered() -> None:
    site = replace(HOUSE, loads=(ONE_PHASE,), circuits=(replace(GARAGE, devices=frozenset({"charger"})),))
    garage = Trunk(devices=frozenset({"charger"}), meter="sub")
    building = WiredBuilding(site=site, devices={"pv": roof(0.0), "charger": charger()}, requests=MUST)
    building.trunks = {"garage": garage}
    building.run(60)
    assert building.last("charger").power_w > 3000.0
    garage.meter = None
    building.run(6)
    assert building.last("charger").power_w > 1380.0  # not more, for a while
    building.run(6)
    assert building.last("charger").power_w == 0.0


def test_a_load_that_does_not_obey_makes_the_others_give_way() -> None:
    site = replace(HOUSE, loads=(ONE_PHASE, HEATER), phase_import_limit_w=math.inf)
    devices = {"pv": roof(0.0), "charger": charger(obeys=False, own_w=7000.0), "heater": Wired()}
    building = WiredBuilding(site=site, devices=devices, requests=MUST)
    building.run(120)
    assert longest_over_s(building.grid_w(), 9000.0) <= 8 + CAR_S  # until it is known that the car does not
    assert building.last("heater").power_w == 0.0


def test_a_battery_that_charges_though_it_is_told_not_to_makes_the_loads_give_way() -> None:
    battery = Wired(low_w=-5000.0, high_w=5000.0, obeys=False, own_w=4000.0, points={"soc": 0.5})
    site = replace(HOUSE, loads=(HEATER,), batteries=(BATTERY,), phase_import_limit_w=math.inf, import_limit_w=6000.0)
    building = WiredBuilding(site=site, devices={"pv": roof(0.0), "heater": Wired(), "battery": battery}, requests=MUST)
    building.run(120)
    assert longest_over_s(building.grid_w(), 6000.0) <= 20
    assert building.grid_w()[-1] <= 6000.0


def test_a_battery_that_takes_less_than_it_is_sent_makes_the_roof_give_way() -> None:
    battery = Wired(low_w=-5000.0, high_w=300.0, points={"soc": 0.97})
    site = replace(
        HOUSE, batteries=(BATTERY,), export_limit_w=1000.0, phase_export_limit_w=math.inf,
        curtailable=(Inverter(id="pv", rated_w=6000.0),),
    )  # fmt: skip
    building = WiredBuilding(site=site, devices={"pv": roof(5500.0, dead_s=3), "battery": battery})
    building.run(120)
    assert longest_over_s([-w for w in building.grid_w()], 1000.0) <= 25
    assert 700.0 <= -building.grid_w()[-1] <= 1025.0
