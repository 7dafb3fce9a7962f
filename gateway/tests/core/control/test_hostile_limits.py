"""Hostile buildings in virtual time: no limit is exceeded for longer than it takes to act, where anything can act.

Devices that obey late, in part or not at all, meters that are late, cars on phases that nobody knows, loads that come
and go, limits that change. Judged is the truth of the building. `make hostile` lives ten times as many cycles.
"""

import math
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.control.dispatch import Memory
from gateway.core.control.limit_guard import longest_answer_s
from gateway.core.control.load_memory import REACT_S
from gateway.core.control.memory import from_note, to_note
from gateway.core.loads.car import Car, phase_bands
from gateway.core.loads.switchable import Switchable
from gateway.core.model.limits import CONNECTION, UNLIMITED, Circuit, LimitPlace, Limits
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import Battery, Inverter, LoadDevice, Site
from gateway.core.model.state import Mode, Reason, SiteState

from .wired_building import UTC_S, Phases, Trunk, Wired, WiredBuilding, on

CYCLES = 250
PARTS = 10  # which several processes can share
EXAMPLES = int(os.environ.get("ZEN_HOSTILE_CYCLES", "100000")) // CYCLES // PARTS
NOISE_W = 60.0  # beyond a limit: noise of the meter, steps of a limit, what a converter's least power leaves
WHY = Reason(code="load_due")
LOADS = {
    "car": Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(1,)), capacity_wh=60_000.0),
    "wallbox": Car(id="wallbox", bands=phase_bands(least_a=6, most_a=16, phases=(3,)), capacity_wh=60_000.0),
    "boiler": Switchable(id="boiler", band=Band(low_w=3000.0, high_w=3000.0), minimum_up_s=600.0),
    "heater": Switchable(id="heater", band=Band(low_w=0.0, high_w=2400.0)),
}
CHARGERS = ("car", "wallbox")
BATTERY_W = 5000.0
SPREAD = {"car": 1, "wallbox": 3, "boiler": 3, "heater": 3}
TRUE_PHASES = {
    "car": [on(1), on(2), on(3)],
    "wallbox": [on(1), on(3), on(1, 2, 3)],
    "boiler": [on(2), on(1, 2, 3)],
    "heater": [on(1), on(2, 3), on(1, 2, 3)],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Narrower limits of the connection from one second to another; silent for the seconds after that."""

    begin_s: int
    end_s: int
    silent_s: int
    strictest: Limits
    circuit: str | None = None

    def limits(self, state: SiteState) -> Limits | None:
        second = state.utc_s - UTC_S
        if self.end_s <= second < self.end_s + self.silent_s:
            return None
        return self.strictest if self.begin_s <= second < self.end_s else UNLIMITED

    @property
    def edges(self) -> tuple[int, ...]:
        return self.begin_s, self.end_s, self.end_s + self.silent_s


def wired_load(draw: random.Random, id_: str) -> Wired:
    """A load with its true phases; some do not obey, some take less than they are sent."""
    obeys, phases = draw.random() < 0.8, draw.choice(TRUE_PHASES[id_])
    used = sum(share > 0.0 for share in phases)
    return Wired(
        phases=phases,
        dead_s=draw.randint(1, 4),
        ramp_w=draw.choice([1500.0, 1e9]),
        high_w=draw.choice([1.0, 0.5]) * most_w(id_),
        own_w=0.0 if obeys else draw.choice([1380.0, 3000.0]),
        share=used / 3 if id_ == "wallbox" else 1.0,
        obeys=obeys,
        every_s=draw.choice([1, 2]),
        points={"plugged": 1.0, "e_session_wh": 0.0},
    )


def wired_battery(draw: random.Random) -> tuple[Battery, Wired]:
    """A battery of 5 kW; some take or give less, some do what they want."""
    phase, dead_s, ramp_w = draw.choice([None, None, 1, 2]), draw.randint(1, 2), draw.choice([1000.0, 1e6])
    obeys = draw.random() < 0.8
    battery = Battery(
        id="battery", capacity_wh=10_000.0, charge_max_w=BATTERY_W, discharge_max_w=BATTERY_W, reserve=0.1, soc_max=1.0,
        dead_time_s=float(dead_s), ramp_w_per_s=ramp_w, phase=phase,
    )  # fmt: skip
    device = Wired(
        phases=on(phase) if phase else on(1, 2, 3),
        dead_s=dead_s,
        ramp_w=ramp_w,
        low_w=-draw.choice([BATTERY_W, BATTERY_W, 1000.0]),
        high_w=draw.choice([BATTERY_W, BATTERY_W, 300.0]),
        own_w=0.0 if obeys else draw.choice([0.0, 3000.0, -2000.0]),
        obeys=obeys,
        points={"soc": draw.choice([0.05, 0.5, 0.5, 1.0])},
    )
    return battery, device


@dataclass(kw_only=True)
class Case:
    """A building, and the moments at which something new happens in it."""

    building: WiredBuilding
    moments: frozenset[int]
    restart_s: int


def case_of(seed: int) -> Case:
    """A building with all that happens in it; the same number gives the same one."""
    draw = random.Random(seed)
    ids = draw.sample(sorted(LOADS), draw.choice([0, 1, 2, 2, 3]))
    devices: dict[str, Wired] = {id_: wired_load(draw, id_) for id_ in ids}
    batteries: tuple[Battery, ...] = ()
    if draw.random() < 0.6:
        battery, devices["battery"] = wired_battery(draw)
        batteries = (battery,)
    roof, sun_w = draw.choice([on(1, 2, 3), on(1, 2, 3), on(3)]), draw.choice([0.0, 0.0, 4000.0, 9000.0])
    devices["pv"] = Wired(
        phases=roof, dead_s=draw.randint(1, 4), low_w=-sun_w, high_w=0.0, own_w=-sun_w, power_w=-sun_w
    )
    base, moments = house_of(draw)
    hours = Hours(
        begin_s=draw.randint(30, 90),
        end_s=draw.randint(120, 160),
        silent_s=draw.choice([0, 40]),
        strictest=Limits(import_w=draw.choice([3000.0, math.inf]), export_w=1000.0),
    )
    sources = (hours,) if draw.random() < 0.4 else ()
    behind = frozenset(draw.sample(sorted(devices), min(draw.choice([0, 1, 2]), len(devices))))
    circuit = Circuit(
        id="box", parent=None, limits=Limits(import_w=draw.choice([2500.0, 4000.0]), export_w=3000.0),
        devices=behind, meter=draw.choice([None, "sub"]),
    )  # fmt: skip
    phase_w = draw.choice([math.inf, 3450.0, 4600.0])
    site = Site(
        grid="grid", pv=("pv",), batteries=batteries, grid_setpoint_w=0.0, meter_delay_s=(0.0, 3.0),
        import_limit_w=draw.choice([4000.0, 6000.0, 9000.0]), export_limit_w=draw.choice([0.0, 1500.0, 6000.0]),
        phase_import_limit_w=phase_w, phase_export_limit_w=phase_w,
        curtailable=(Inverter(id="pv", rated_w=10_000.0),),
        phases={"pv": (3,)} if roof == on(3) else {},
        loads=tuple(
            LoadDevice(load=LOADS[id_], device=id_, takes_orders=True, spread=SPREAD[id_], in_amperes=id_ in CHARGERS)
            for id_ in ids
        ),
        circuits=(circuit,) if behind else (),
        limit_sources=sources,
    )  # fmt: skip
    building = WiredBuilding(
        site=site,
        devices=devices,
        base_w=lambda t: base[t],
        trunks={"box": Trunk(devices=behind, meter=circuit.meter)} if behind else {},
        requests={
            id_: LoadSlot(power_w=draw.choice([0.0, 3000.0, 11_000.0]), value=draw.choice([0.1, 0.3, 2.0]), reason=WHY)
            for id_ in ids
        },
        late_s=draw.randint(0, 3),
        seed=seed,
    )
    moments |= {edge for one in sources for edge in one.edges}
    return Case(building=building, moments=frozenset(moments), restart_s=draw.choice([0, 100]))


def house_of(draw: random.Random) -> tuple[list[Phases], set[int]]:
    """What the house draws on each phase in each second, and when that changes: often, or seldom."""
    now, moments, rows, at_s = [100.0, 100.0, 100.0], set(), [], 0
    for second in range(CYCLES + 1):
        if second >= at_s:
            at_s = second + draw.choice([3, 10, 40, 70])
            now[draw.randrange(3)] = draw.choice([0.0, 300.0, 1500.0, 3000.0, 5000.0])
            moments.add(second)
        rows.append((now[0], now[1], now[2]))
    return rows, moments


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
# The same buildings each time in the tests; `make hostile` draws new ones.
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="ZEN_HOSTILE_CYCLES" not in os.environ,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(seed=st.integers(0, 2**40))
def test_no_limit_is_exceeded_for_longer_than_it_takes_to_act(part: int, seed: int) -> None:
    case = case_of(PARTS * seed + part)
    building = case.building
    over_s: dict[tuple[LimitPlace, bool], int] = {}
    longest_s = {is_phase: patience_s(building, is_phase=is_phase) for is_phase in (True, False)}
    for second in range(1, CYCLES + 1):
        building.run(1)
        if second == case.restart_s:
            building.memory = Memory.restored(from_note(to_note(building.memory.stored)))
        is_new = second in case.moments or second == case.restart_s
        over = {(place, is_import): found for place, is_import, *found in excesses(building)}
        over_s = {key: over_s.get(key, 0) + 1 for key in over if not is_new}
        for (place, is_import), counted in over_s.items():
            most_s = longest_s[place.phase is not None]
            assert counted <= most_s, (second, place, is_import, over[place, is_import], most_s)


def excesses(building: WiredBuilding) -> Iterator[tuple[LimitPlace, bool, float, float]]:
    """Each limit that is exceeded: by how much (W), and how much of that devices could take away that obey.

    Only where they could take away all of it.
    """
    state = SiteState(now_s=float(building.t), utc_s=UTC_S + building.t, devices={})
    site = building.site.at(state)
    flows = building.truth[-1]
    rows = [(CONNECTION, sum(flows[""]), site.limits.import_w, site.limits.export_w, frozenset(building.devices))]
    for phase in (1, 2, 3):
        here_w = flows[""][phase - 1]
        limits = site.limits.phase_import_w, site.limits.phase_export_w
        rows.append((LimitPlace(None, phase), here_w, *limits, frozenset(building.devices)))
    for circuit in site.circuits:
        here_w = sum(flows[circuit.id])
        rows.append((LimitPlace(circuit.id), here_w, circuit.limits.import_w, circuit.limits.export_w, circuit.devices))
    for place, flow_w, import_w, export_w, behind in rows:
        for is_import, over_w in ((True, flow_w - import_w), (False, -flow_w - export_w)):
            if over_w > NOISE_W:
                could_w = could_less_w(building, place, behind, drawn=is_import)
                if could_w >= over_w + NOISE_W:
                    yield place, is_import, over_w, could_w


def could_less_w(building: WiredBuilding, place: LimitPlace, behind: frozenset[str], *, drawn: bool) -> float:
    """What can be taken away from a flow (W) by those that are controlled and obey."""
    found = 0.0
    for id_ in behind:
        device, sent = building.devices[id_], building.sent[-1].get(id_)
        if not device.obeys or sent is None or (id_ != "pv" and sent.mode is not Mode.CONTROL):
            continue
        share = 1.0 if place.phase is None else device.phases[place.phase - 1]
        soc = device.points.get("soc", 0.5)
        low_w = 0.0 if id_ == "battery" and soc <= 0.12 else device.low_w
        high_w = 0.0 if id_ == "battery" and soc >= 1.0 else device.high_w
        if id_ == "pv":
            found += 0.0 if drawn else -share * device.power_w
        elif id_ == "battery":
            free_w = device.power_w - low_w if drawn else high_w - device.power_w
            found += share * min(free_w, *room_w(building, device, drawn=drawn))
        else:
            found += share * device.power_w if drawn else 0.0
    return found


def room_w(building: WiredBuilding, device: Wired, *, drawn: bool) -> Iterator[float]:
    """How much less, or more, a battery can draw because of the limits of circuits and phases around it (W)."""
    site = building.site.at(SiteState(now_s=float(building.t), utc_s=UTC_S + building.t, devices={}))
    flows = building.truth[-1]
    for phase, share in enumerate(device.phases):
        here_w, limits = flows[""][phase], site.limits
        room = limits.phase_export_w + here_w if drawn else limits.phase_import_w - here_w
        yield max(room, 0.0) / share if share > 0.0 else math.inf
    for circuit in site.circuits:
        if "battery" in circuit.devices:
            here_w, limits = sum(flows[circuit.id]), circuit.limits
            yield max(limits.export_w + here_w if drawn else limits.import_w - here_w, 0.0)


def patience_s(building: WiredBuilding, *, is_phase: bool) -> float:
    """Longest delay of the meter, cycle, dead time, ramp and report of the slowest, and 2 s; more with disobedience.

    Who does not obey has to be found out, by its own reports or by what the meter goes on to show; on which phase a
    load draws, by trying.
    """
    known = building.devices
    act_s = max(one.dead_s + BATTERY_W / max(one.ramp_w, 500.0) + one.every_s for one in known.values())
    answer_s = building.site.meter_delay_s[1] + 1.0 + act_s + 2.0
    tries = len(building.site.loads) if is_phase else 0
    rounds = 1 if any(is_hostile(id_, device) for id_, device in known.items()) else 0
    wait_s = max(longest_answer_s(building.site, is_import=is_import) for is_import in (True, False))
    takes_less = any(id_ in LOADS and device.high_w < most_w(id_) for id_, device in known.items())
    return answer_s * (1 + tries) + rounds * wait_s + (REACT_S if takes_less else 0.0)


def most_w(id_: str) -> float:
    return max(band.high_w for band in LOADS[id_].bands)


def is_hostile(id_: str, device: Wired) -> bool:
    """Whether a device does something else than it is told; a load that takes less does no harm."""
    return not device.obeys or (id_ == "battery" and device.high_w - device.low_w < 2 * BATTERY_W)
