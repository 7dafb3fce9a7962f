"""A thousand random households in virtual time, also with hostile plans: no limit is ever left."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.levels import Levels
from gateway.core.model.plan import Slot
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Mode, Reason, SetPoint, SiteState
from gateway.study.benches.closed_loop.virtual_building import MeterModel, VirtualBuilding
from gateway.study.benches.closed_loop.virtual_building import battery as house_battery

SECONDS = 24.0
RESERVE = 0.1
WILD = st.floats(-1e9, 1e9) | st.sampled_from([float("nan"), float("inf"), -float("inf"), 0.0])


@st.composite
def slots(draw: st.DrawFn) -> Slot | None:
    """Any plan at all: levels beyond the capacity, prices of any sign, numbers that are none."""
    if draw(st.booleans()):
        return None
    charge, a, b, export = sorted(draw(st.lists(st.floats(0, 1e6) | st.floats(0, 2e4), min_size=4, max_size=4)))
    reserve, fill = draw(st.permutations([a, b]))
    levels = Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export)
    buy, sell, value = draw(WILD), draw(WILD), draw(WILD)
    return Slot(start_s=0.0, buy=buy, sell=sell, levels=levels, value=value, reason=Reason(code="hostile"))


@st.composite
def batteries(draw: st.DrawFn) -> tuple[Battery, ...]:
    """One to three, of any size, some with known losses."""
    found = []
    for i in range(draw(st.integers(1, 3))):
        lossy = draw(st.booleans())
        found.append(
            Battery(
                id=f"battery{i}",
                capacity_wh=draw(st.floats(500, 20_000)),
                charge_max_w=draw(st.floats(300, 8_000)),
                discharge_max_w=draw(st.floats(300, 8_000)),
                reserve=RESERVE,
                soc_max=draw(st.floats(0.5, 1.0)),
                dead_time_s=draw(st.floats(0, 2)),
                ramp_w_per_s=draw(st.floats(200, 10_000)),
                min_power_w=30.0 if lossy else 0.0,
                loss_constant_w=draw(st.floats(0, 100)) if lossy else 0.0,
                loss_quadratic_per_w=5e-6 if lossy else 0.0,
            )
        )
    return tuple(found)


@dataclass
class Watched:
    """The product's law, and all it said beside what it knew."""

    site: Site
    slot: Slot | None
    memory: Memory = field(default_factory=Memory)
    said: list[tuple[SiteState, tuple[SetPoint, ...], float]] = field(default_factory=list)

    def step(self, state: SiteState):
        setpoints, self.memory = decide(state, self.site, self.slot, self.memory)
        if self.memory.batteries.net.net_w is not None:
            self.said.append((state, setpoints, self.memory.batteries.net.net_w))
        return {s.device: s.power_w for s in setpoints if s.power_w is not None}


@pytest.mark.slow
@settings(max_examples=1000)
@given(
    owned=batteries(),
    slot=slots(),
    soc=st.floats(0.0, 1.0),
    base_w=st.floats(-8_000, 8_000),
    jump_w=st.floats(-6_000, 6_000),
    limits=st.tuples(st.floats(1_000, 12_000), st.floats(0, 12_000)),
    delay_s=st.floats(0, 3),
)
def test_no_limit_is_ever_left_whatever_the_plan(owned, slot, soc, base_w, jump_w, limits, delay_s) -> None:
    site = Site(
        grid="grid",
        pv=("pv",),
        batteries=owned,
        grid_setpoint_w=0.0,
        import_limit_w=limits[0],
        export_limit_w=limits[1],
    )

    def net_w_at(t: float) -> float:
        return base_w + (jump_w if t > SECONDS / 2 else 0.0)

    building = VirtualBuilding(
        load_w=lambda t: max(net_w_at(t), 0.0),
        pv_w=lambda t: min(net_w_at(t), 0.0),
        batteries={b.id: physics(b, soc) for b in owned},
        meter=MeterModel(delay_s=(0.0, delay_s)),
    )
    watched = Watched(site=site, slot=slot)
    building.run(SECONDS, watched)
    assert watched.said
    for state, setpoints, net_w in watched.said:
        powers = {s.device: s.power_w for s in setpoints if s.mode is Mode.CONTROL}
        if not powers:
            continue
        within_each(powers, owned, state)
        within_grid(sum(powers.values()), net_w, site)
        assert not (min(powers.values()) < 0 < max(powers.values()))  # no battery charges another one


def physics(battery: Battery, soc: float):
    settings_ = {
        "capacity_wh": battery.capacity_wh,
        "charge_max_w": battery.charge_max_w,
        "discharge_max_w": battery.discharge_max_w,
        "dead_time_s": battery.dead_time_s,
        "ramp_w_per_s": battery.ramp_w_per_s,
        "soc_min": 0.0,
        "soc": soc,
    }
    return house_battery(**settings_)


def within_each(powers, owned, state) -> None:
    for battery in (b for b in owned if b.id in powers):
        power_w = powers[battery.id]
        soc = state.reading(battery.id, "soc").value
        assert -battery.discharge_max_w - 1e-6 <= power_w <= battery.charge_max_w + 1e-6
        assert soc > battery.reserve or power_w >= 0
        assert soc < battery.soc_max or power_w <= 0


def within_grid(total_w, net_w, site) -> None:
    """What is bought or sold by the batteries never takes the grid beyond a limit; 15 W are too little for a write."""
    grid_w = net_w + total_w
    slack_w = 20.0
    assert grid_w <= max(site.import_limit_w, net_w) + slack_w or total_w <= 0
    assert grid_w >= min(-site.export_limit_w, net_w) - slack_w or total_w >= 0
    if total_w > slack_w:
        assert grid_w <= site.import_limit_w + slack_w or total_w <= -site.export_limit_w - net_w + slack_w
