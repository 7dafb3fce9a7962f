"""One arbiter of all surplus: never more than is there, the highest worth first, and no relay that flutters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control.arbiter import Consumer, RecentPower, allocated, sampled, sustained_w, switched_after
from gateway.core.model.switched import Switched

EV = Consumer(id="ev", min_w=1380, max_w=3680, step_w=230, value=0.20, dwell_on_s=300, dwell_off_s=300)
BOILER = Consumer(id="boiler", min_w=2000, max_w=2000, value=0.15, dwell_on_s=600, dwell_off_s=60)
BATTERY = Consumer(id="battery", min_w=0, max_w=5000, value=0.18)
HEAT_PUMP = Consumer(id="heat_pump", min_w=800, max_w=2400, value=0.17, dwell_on_s=1200, dwell_off_s=1200)
ELECTROLYSER = Consumer(id="electrolyser", min_w=500, max_w=3000, step_w=100, value=0.05)
ALL = (EV, BOILER, BATTERY, HEAT_PUMP, ELECTROLYSER)

SWITCHED = st.dictionaries(
    st.sampled_from([c.id for c in ALL]), st.builds(Switched, runs=st.booleans(), since_s=st.floats(0, 2000))
)


@pytest.mark.parametrize(
    ("available_w", "expected"),
    [
        (0, {}),
        (1000, {"battery": 1000}),  # too little for the car
        (2000, {"ev": 1840, "battery": 160}),  # 1380 + 2 x 230; the battery takes the rest
        (9000, {"ev": 3680, "battery": 5000}),  # 320 W are left, too little for anyone
        (11_000, {"ev": 3680, "battery": 5000, "heat_pump": 2320}),
        (20_000, {"ev": 3680, "battery": 5000, "heat_pump": 2400, "boiler": 2000, "electrolyser": 3000}),
    ],
)
def test_surplus_goes_to_the_highest_value_first(available_w, expected) -> None:
    powers = allocated(available_w, ALL, {}, 2000.0)
    assert {id_: w for id_, w in powers.items() if w} == expected


@given(available_w=st.floats(-5_000, 25_000), switched=SWITCHED, now_s=st.floats(2000, 3000))
def test_never_more_than_is_there_but_for_dwell_times(available_w, switched, now_s) -> None:
    powers = allocated(available_w, ALL, switched, now_s)
    after = switched_after(powers, switched, now_s)
    held = [
        c for c in ALL if c.id in switched and switched[c.id].runs and now_s - switched[c.id].since_s < c.dwell_on_s
    ]
    least_w = sum(c.min_w for c in held)
    assert sum(powers.values()) <= max(available_w, least_w) + 1e-6
    for consumer in ALL:
        power_w = powers[consumer.id]
        assert power_w == 0 or consumer.min_w - 1e-6 <= power_w <= consumer.max_w + 1e-6
        if consumer.step_w and power_w:
            assert (power_w - consumer.min_w) / consumer.step_w == pytest.approx(
                round((power_w - consumer.min_w) / consumer.step_w), abs=1e-6
            )
        assert consumer not in held or power_w >= consumer.min_w
        before = switched.get(consumer.id)
        if before is not None and not before.runs and now_s - before.since_s < consumer.dwell_off_s:
            assert power_w == 0
        if before is not None:
            same = before.runs == (power_w > 0)
            assert after[consumer.id] == (before if same else Switched(runs=power_w > 0, since_s=now_s))


@given(available_w=st.floats(0, 25_000))
def test_a_lower_value_gets_only_what_those_above_cannot_use(available_w) -> None:
    powers = allocated(available_w, ALL, {}, 2000.0)
    ordered = sorted(ALL, key=lambda c: -c.value)
    for i, consumer in enumerate(ordered):
        below_w = sum(powers[c.id] for c in ordered[i + 1 :])
        room_w = available_w - sum(powers[c.id] for c in ordered[: i + 1])
        if below_w > 0 and powers[consumer.id] < consumer.max_w:
            more_w = consumer.min_w + 100 if powers[consumer.id] == 0 else consumer.step_w
            assert room_w < more_w  # one step more would not have fitted


def test_more_is_given_out_only_after_a_while_and_less_at_once() -> None:
    surplus, found = RecentPower(), []
    for t in range(40):
        surplus = sampled(surplus, float(t), 3000.0 if t >= 5 else 500.0)
        found.append(sustained_w(surplus, 500.0))
    assert found[23] == 500.0  # 20 s of 3 kW are not yet over
    assert found[30] == 3000.0
    for t in range(40, 47):
        surplus = sampled(surplus, float(t), 0.0)
    assert sustained_w(surplus, 3000.0) == 0.0


def test_a_clock_that_was_set_back_holds_nobody() -> None:
    powers = allocated(0.0, (BOILER,), {"boiler": Switched(runs=True, since_s=9e9)}, 1000.0)
    assert powers == {"boiler": 0.0}
