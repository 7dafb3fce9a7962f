"""Without a battery that follows there is nothing to plan for, and it is said why."""

import asyncio
from dataclasses import replace

import pytest

from gateway.observers.battery_observer import BatteryObserver
from gateway.planning.collector import InputCollector
from gateway.planning.service import NoPlanError
from gateway.ports import Cycle
from gateway.tests.core.plant import SITE


def asked(site, batteries) -> str:
    rest = dict.fromkeys(("clock", "clock_is_set", "state", "past", "prices", "weather", "place", "method", "flexible"))
    collector = InputCollector(site=site, batteries=batteries, zone="Europe/Paris", **rest)
    with pytest.raises(NoPlanError) as error:
        asyncio.run(collector.collect())
    return error.value.reason.code


def test_batteries_that_do_not_follow_are_not_planned_with() -> None:
    observer = BatteryObserver(SITE)
    assert observer.usable() == list(SITE.batteries)
    observer.show(
        Cycle(number=1, state=None, setpoints=(), load_w=None, late_ms=0.0, astray=frozenset({"battery"}))  # type: ignore[arg-type]
    )
    assert observer.usable() == []
    assert asked(SITE, observer.usable) == "all_astray"
    assert asked(replace(SITE, batteries=()), list) == "no_battery"
