"""What a counter may say next: nonsense between two true values is absent, a new meter and a full register are said."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.node.counters import CHANGED, PROVES_S, ROLLED_OVER, Counters, span_wh
from gateway.adapters.products.points import Label, Point
from gateway.core.model.state import Reading
from gateway.tests.adapters.test_nodes import HZ_50, PROOF, batch, demo_session, watts

POINT = Point(name="e_import_wh", address=0, type="uint32", scale=10, every_s=5, low=0, high=5e10, counter=True)


def lived(
    values: Sequence[float], *, every_s: float = 30.0, point: Point = POINT
) -> tuple[list[float | None], list[str]]:
    """What is believed of a counter that is read every so often, and the events on the way."""
    counters, found = Counters(), []
    for i, value in enumerate(values):
        found.append(counters.check("pv", point, Reading(value=value, measured_s=every_s * i)).value)
    return found, [event.what for event in counters.take_events()]


@pytest.mark.parametrize(
    "nonsense", [[0.0], [0.0, 0.0, 0.0], [0.0] * 500, [3.0, 0.0, 7.0], [4.2e9], [0.0, 4.2e9, 0.0], [18_345_600.0]]
)
def test_nonsense_between_two_true_values_is_absent(nonsense: list[float]) -> None:
    values, events = lived([18_345_610.0, *nonsense, 18_345_620.0])
    assert values == [18_345_610.0, *[None] * len(nonsense), 18_345_620.0]
    assert events == []


def test_a_meter_that_was_changed_stays_low_and_counts_on_and_is_said_once() -> None:
    """From 2 kWh on, at 1.2 kW: 10 Wh in 30 s."""
    new = [2_000.0 + 10.0 * i for i in range(40)]
    values, events = lived([18_345_610.0, *new])
    first = 1 + int(PROVES_S / 30)
    assert values == [18_345_610.0, *[None] * (first - 1), *new[first - 1 :]]
    assert events == [CHANGED]


def test_a_meter_that_was_changed_for_one_with_more_on_it_is_said_too() -> None:
    values, events = lived([2_000.0, *(18_000_000.0 + 10.0 * i for i in range(40))])
    assert (values[1], values[-1], events) == (None, 18_000_390.0, [CHANGED])


def test_a_counter_that_was_0_at_first_may_be_anywhere_next() -> None:
    """A gateway that starts while a product answers 0."""
    values, events = lived([0.0, 18_345_610.0, 0.0, 18_345_620.0])
    assert values == [0.0, 18_345_610.0, None, 18_345_620.0]
    assert events == [CHANGED]


@pytest.mark.parametrize(
    ("point", "span"),
    [
        ({"type": "uint16", "scale": 100}, 6_553_600.0),
        ({"type": "uint32", "scale": 0.1}, 429_496_729.6),
        ({"type": "int32"}, 2_147_483_648.0),
        ({"type": "uint64"}, 2.0**64),
        ({"type": "float32"}, None),
        ({"type": "uint32", "sf_address": 9}, None),
    ],
)
def test_a_register_that_is_full_begins_at_0_again(point: dict[str, object], span: float | None) -> None:
    made = Point.model_validate({**POINT.model_dump(), "scale": 1.0, "high": 1e20, **point})
    assert span_wh(made) == span
    if span is None or span > 1e15:  # beyond it a float cannot count single Wh any more, nor will any building
        return
    values, events = lived([span - 60.0, span - 20.0, 20.0, 60.0], point=made)
    assert (values, events) == ([span - 60.0, span - 20.0, 20.0, 60.0], [ROLLED_OVER])


def test_an_index_of_a_telegram_has_nine_digits() -> None:
    index = Label(name="e_import_wh", label="EAST", every_s=5, low=0, high=999_999_999, counter=True)
    counters = Counters()
    for at_s, value in ((0.0, 999_999_990.0), (5.0, 4.0)):
        assert counters.check("grid", index, Reading(value=value, measured_s=at_s)).value == value
    assert [event.what for event in counters.take_events()] == [ROLLED_OVER]


@given(st.lists(st.tuples(st.floats(1, 600), st.floats(0, 2e7)), max_size=60))
def test_no_energy_is_negative_and_none_comes_from_nowhere(steps: list[tuple[float, float]]) -> None:
    counters, at_s, before = Counters(), 0.0, None
    for dt_s, value in steps:
        at_s += dt_s
        found = counters.check("x", POINT, Reading(value=value, measured_s=at_s)).value
        events = counters.take_events()
        if found is None:
            continue
        if before is not None and not events:
            passed_s = at_s - before[0]
            assert 0 <= found - before[1] <= 100 + 200_000 * passed_s / 3600 + 1e-6
        before = (at_s, found)


def test_a_changed_meter_is_an_event_in_the_store() -> None:
    session = demo_session()
    rows = []
    for i, kwh in enumerate([100.0, *(1.0 + 0.01 * k for k in range(90))]):
        payload = batch(session, (5 * i + 1, PROOF, 0, (*HZ_50, *watts(kwh), *watts(0.0))))
        rows += session.receive_batch(payload, 1000.0 + 5 * i, 5e8)
    [event] = [row for row in rows if row.measurement == "event"]
    assert event.tags == {"site": "lens", "building": "lens", "device": "grid", "role": "grid"}
    assert (event.fields["code"], event.fields["point"]) == (CHANGED, "e_import_wh")
    assert event.fields["before_wh"] == 100_000
    stored = [row.fields["e_import_wh"] for row in rows if "e_import_wh" in row.fields]
    assert stored[0] == 100_000
    assert stored[1:] == sorted(stored[1:])
    assert 1_000 < stored[1] < 2_000


@pytest.mark.parametrize(
    "damage", [None, "x", [1], {"pv": 5}, {"pv": {"e_import_wh": "7"}}, {"pv": {"e_import_wh": 1e999}}]
)
def test_what_a_counter_was_before_a_restart_is_known_after_it(damage: object) -> None:
    before = Counters()
    before.check("pv", POINT, Reading(value=18_345_610.0, measured_s=5.0))
    after = Counters()
    after.restore(damage, 10.0)
    after.restore(before.known(), 10.0)
    values = [
        after.check("pv", POINT, Reading(value=v, measured_s=20.0 + i)).value
        for i, v in enumerate([0.0, 0.0, 18_900_000.0])
    ]
    assert values == [None, None, 18_900_000.0]
    assert after.take_events() == []
