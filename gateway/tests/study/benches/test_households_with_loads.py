"""Hundreds of random households with car, hot water and pump, also with hostile plans: limits and least times hold."""

from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.state import Mode, Reason
from gateway.tests.core.building import CAR, POOL, TANK, Building, Device, site

SECONDS = 200
WILD = st.floats(-1e9, 1e9) | st.sampled_from([float("nan"), float("inf"), -float("inf"), 0.0])
LEAST_W, MOST_W = 6 * 230.0, 32 * 230.0
LEAST_ON_S, LEAST_OFF_S = {"car": 60, "pool": 600}, {"car": 60, "pool": 300}
TAKES_NONE = {"load_limit", "load_absent", "load_idle", "load_warm"}  # what may end a run before its time
LEVELS = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=9_000.0, export_wh=9_000.0)

requests = st.dictionaries(
    st.sampled_from(["car", "tank", "pool"]),
    st.builds(
        LoadSlot,
        power_w=st.sampled_from([0.0, 900.0, 3000.0, 7000.0]) | WILD,
        value=st.floats(-0.1, 0.6) | WILD,
        reason=st.just(Reason(code="hostile")),
    ),
)
slots = st.none() | st.builds(
    Slot,
    start_s=st.just(0.0),
    buy=WILD,
    sell=WILD,
    levels=st.just(LEVELS),
    value=WILD,
    reason=st.just(Reason(code="x")),
)
steps = st.lists(st.tuples(st.integers(1, SECONDS), st.floats(-8_000, 8_000)), max_size=6)
devices = st.builds(Device, own_w=st.sampled_from([0.0, 1380.0]), most_w=st.floats(0, 1e4), dead_s=st.floats(0, 6))


@pytest.mark.slow
@settings(max_examples=200, phases=[Phase.explicit, Phase.generate])
@given(
    plans=st.lists(st.tuples(requests, slots), min_size=1, max_size=4),
    steps=steps,
    owned=st.tuples(devices, devices, devices),
    limit_w=st.floats(2_000, 12_000),
    late_s=st.integers(0, 3),
    temp_c=st.floats(38, 62),
    battery=st.booleans(),
)
def test_no_limit_and_no_least_time_is_left_whatever_the_plan(
    plans, steps, owned, limit_w, late_s, temp_c, battery
) -> None:
    building = Building(
        site=site(CAR, TANK, POOL, battery=battery, import_limit_w=limit_w),
        base_w=lambda t: 300.0 + sum(w for at_s, w in steps if t >= at_s),
        devices=dict(zip(("car-meter", "tank-meter", "pool-meter"), owned, strict=True)),
        meter_late_s=late_s,
    )
    building.devices["car-meter"].points = {"plugged": 1.0, "e_session_wh": 0.0}
    building.devices["tank-meter"].points = {"temp_c": temp_c}
    for wanted, slot in plans:
        building.requests, building.slot = wanted, slot
        building.run(SECONDS // len(plans))
    within_bands(building)
    for load in ("car", "pool"):  # what can be set from 0 W on has no relay
        least_times(building, load)
    within_the_limit(building, limit_w, longest_s=late_s + max(device.dead_s for device in owned) + 4)


def within_bands(building: Building) -> None:
    """A car gets 0 or at least 6 A, a relay all or nothing."""
    for sent in building.sent:
        powers = {device: setpoint.power_w or 0.0 for device, setpoint in sent.items()}
        assert powers["car-meter"] == 0.0 or LEAST_W - 1e-6 <= powers["car-meter"] <= MOST_W + 1e-6
        assert 0.0 <= powers["tank-meter"] <= 3000.0 + 1e-6
        assert powers["pool-meter"] in (0.0, 900.0)


def least_times(building: Building, load: str) -> None:
    """Once on or off it stays so, unless a limit comes before, or the load itself takes nothing."""
    sent = [one[f"{load}-meter"] for one in building.sent]
    turns = [
        (t, bool(now.power_w), now.reason.code)
        for t, (before, now) in enumerate(pairwise(sent))
        if before.mode is now.mode is Mode.CONTROL and bool(before.power_w) != bool(now.power_w)
    ]
    for (since, was_on, _), (at, _, why) in pairwise(turns):
        least_s = LEAST_ON_S[load] if was_on else LEAST_OFF_S[load]
        assert at - since >= least_s or (was_on and why in TAKES_NONE), (load, since, at, why)


def within_the_limit(building: Building, limit_w: float, *, longest_s: float) -> None:
    """More than the limit is drawn for no longer than meter, cycle and device take, where loads can help it."""
    over = 0
    for t, grid_w in enumerate(building.grid_w):
        sent = building.sent[max(t - 1, 0)]
        loads = [one for device, one in sent.items() if device != "battery" and one.mode is Mode.CONTROL]
        base_w = building.base_w(t + 1.0) + 3 * 1380.0  # of what runs in its own mode
        over = over + 1 if grid_w > limit_w + 1.0 and base_w < limit_w and len(loads) == 3 else 0
        assert over <= longest_s, (t, grid_w, limit_w)
