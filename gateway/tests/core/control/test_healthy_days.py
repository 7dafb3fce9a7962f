"""On healthy days nothing is doubted: no alarm, nothing held or given back; `make healthy` lives 200 of them."""

import os
from collections import Counter

import pytest

from gateway.core.model.state import Mode
from gateway.tests.core.control.healthy_days import DAY_S, Day

DAYS = int(os.environ.get("ZEN_HEALTHY_DAYS", "5"))
ASKED_SHARE = 0.002  # of the seconds: three minutes a day in which the meter is asked by small steps


@pytest.mark.timeout(900)  # a day is 86,400 decisions
@pytest.mark.parametrize("number", range(1, DAYS + 1))
def test_a_healthy_day_raises_no_alarm(number: int) -> None:
    found: Counter[tuple[Mode, str]] = Counter()
    for setpoint in Day(number).run():
        found[setpoint.mode, setpoint.reason.code] += 1
    assert {(mode, code) for mode, code in found if mode is not Mode.CONTROL} <= {(Mode.WATCH, "starting")}
    assert {code for _, code in found} & {"not_followed", "meter_impossible", "phase_impossible"} == set()
    assert found[Mode.CONTROL, "meter_asked"] <= ASKED_SHARE * DAY_S
