"""Whether what is expected held: tables of seconds, each with its verdict worked out by hand."""

import pytest
from pydantic import ValidationError

from gateway.trial.scenario.expectation import Expectation, Value, judge


def rows(*values: Value, quantity: str = "house.grid_w") -> list[dict[str, Value]]:
    """A second each, from 1 s on."""
    return [{"t": float(t), quantity: value} for t, value in enumerate(values, start=1)]


def wanted(**keys: object) -> Expectation:
    return Expectation.model_validate({"quantity": "house.grid_w", **keys})


@pytest.mark.parametrize(
    ("keys", "values", "held", "worst"),
    [
        ({"high": 10}, (1, 5, 10), True, (None, None)),
        ({"high": 10}, (1, 11, 15, 12), False, (3.0, 15)),
        ({"low": 0, "high": 10}, (5, -3, 12), False, (2.0, -3)),
        ({"high": 10}, (1, None, 2), False, (2.0, None)),  # a number that is not there is none
        ({"high": 10, "or_absent": True}, (1, None, 2), True, (None, None)),
        ({"high": 10, "share": 0.75}, (1, 2, 3, 99), True, (4.0, 99)),
        ({"high": 10, "share": 0.8}, (1, 2, 3, 99), False, (4.0, 99)),
        ({"high": 10, "from_s": 3}, (99, 99, 1), True, (None, None)),
        ({"high": 10, "to_s": 2}, (1, 1, 99), True, (None, None)),
        ({"high": 10, "from_s": 9}, (1, 1, 1), False, (None, None)),  # nothing was seen
        ({"is": "hold"}, ("hold", "hold"), True, (None, None)),
        ({"is": "hold"}, ("hold", None), False, (2.0, None)),
        ({"is_not": "control"}, ("hold", None, "release"), True, (None, None)),
        ({"is_not": "control"}, ("hold", "control"), False, (2.0, "control")),
        ({"has": "wait"}, (("full", "wait"), ("wait",)), True, (None, None)),
        ({"has": "wait"}, (("full",), ()), False, (1.0, ("full",))),
    ],
)
def test_each_second_that_counts_must_hold(
    keys: dict[str, object], values: tuple[Value, ...], *, held: bool, worst: tuple[object, object]
) -> None:
    verdict = judge(wanted(**keys), rows(*values), faults_at_s=[])
    assert (verdict.held, (verdict.worst_t, verdict.worst)) == (held, worst)


@pytest.mark.parametrize(
    ("within_s", "values", "held", "settled_s"),
    [
        (3, (0, 0, 99, 99, 5, 5), True, 3.0),  # the fault is at 2 s: good for ever from 5 s on
        (2, (0, 0, 99, 99, 5, 5), False, 3.0),
        (2, (0, 0, 99, 5, 99, 5), False, 4.0),  # reached, and lost again
        (4, (0, 0, 99, 99, 99, 99), False, None),
        (0, (0, 0, 1, 1, 1, 1), True, 0.0),
    ],
)
def test_what_is_reached_in_time_must_be_kept(
    within_s: float, values: tuple[float, ...], *, held: bool, settled_s: float | None
) -> None:
    verdict = judge(wanted(high=10, after=1, within_s=within_s), rows(*values), faults_at_s=[2.0])
    assert (verdict.held, verdict.settled_s) == (held, settled_s)


def test_one_quantity_is_compared_with_another() -> None:
    seconds = [{"t": 1.0, "a": 10.0, "b": 12.0}, {"t": 2.0, "a": 10.0, "b": 20.0}, {"t": 3.0, "a": 10.0, "b": None}]
    near = Expectation(quantity="a", near="b", by=5.0)
    assert [near.holds(row) for row in seconds] == [True, False, False]
    assert judge(near, seconds[:2], faults_at_s=[]).worst_t == 2.0


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "low or high"),
        ({"low": 1, "is": "x"}, "low or high"),
        ({"is": "x", "has": "y"}, "low or high"),
        ({"low": 2, "high": 1}, "low at most high"),
        ({"low": 2, "from_s": 5, "to_s": 4}, "to_s at or after from_s"),
        ({"low": 2, "share": 0}, "greater than 0"),
        ({"low": float("nan")}, "finite"),
    ],
)
def test_an_expectation_that_says_nothing_sensible_is_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        wanted(**keys)
