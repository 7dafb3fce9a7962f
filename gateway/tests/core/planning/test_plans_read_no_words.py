"""Plans do not depend on the codes by which loads explain their requests: with every code renamed they are the same."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from gateway.core.loads.kind import FlexibleLoad, LoadWithState
from gateway.core.loads.request import LoadRequest, Outlook
from gateway.core.model.plan import LoadPurpose, Plan
from gateway.core.planning import planner
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.tests.core.planning import cases
from gateway.tests.core.planning.cases import LIMITS, NOW, STORAGE, day, tariff


def other(code: str | None) -> str | None:
    return None if code is None else f"other_{code[::-1]}"


@dataclass(frozen=True)
class InOtherWords:
    """A load whose requests explain themselves by other codes."""

    inner: FlexibleLoad

    @property
    def id(self) -> str:
        return self.inner.id

    def request(self, outlook: Outlook) -> LoadRequest:
        found = self.inner.request(outlook)
        return replace(found, code=other(found.code), special=other(found.special))


def loads(seed: int) -> tuple[FlexibleLoad, ...]:
    """A car that comes, a tank that is due or not, an appliance and a switched load with windows that fit or do not."""
    draw = np.random.default_rng(seed)
    washer = cases.ApplianceState(earliest_s=NOW, latest_s=NOW + 3600.0 * draw.uniform(0.2, 12.0))
    begin_s = NOW + 3600.0 * draw.uniform(0.0, 30.0)
    pool = cases.SwitchableState(
        earliest_s=begin_s, latest_s=begin_s + 3600.0 * draw.uniform(-1.0, 8.0), requested_wh=2700.0
    )
    return (
        LoadWithState(load=cases.CAR, state=cases.car_state(departure_h=draw.uniform(0.5, 20.0))),
        LoadWithState(
            load=cases.TANK, state=cases.tank_state(draw.uniform(46.0, 58.0), due_h=draw.choice([None, 8.0]))
        ),
        LoadWithState(load=cases.WASHER, state=washer),
        LoadWithState(load=cases.POOL, state=pool),
    )


def planned(found: tuple[FlexibleLoad, ...], seed: int) -> Plan:
    scenarios = day(sun=0.3, seed=seed)
    return planner.plan(
        STORAGE, 3000.0, scenarios, tariff(), Flexible(loads=found), made_s=NOW, solver=None, limits=LIMITS
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_is_the_same_in_other_words(seed: int) -> None:
    plain = planned(loads(seed), seed)
    renamed = planned(tuple(InOtherWords(one) for one in loads(seed)), seed)
    assert [slot.levels for slot in renamed.slots] == [slot.levels for slot in plain.slots]
    for name, slots in plain.loads.items():
        mine = [(slot.power_w, slot.value, slot.purpose) for slot in slots]
        assert [(slot.power_w, slot.value, slot.purpose) for slot in renamed.loads[name]] == mine
    assert [note.code for note in renamed.notes] == [note.code for note in plain.notes]


def test_some_of_these_plans_heat_against_legionella_and_some_have_no_window() -> None:
    plans = [planned(loads(seed), seed) for seed in range(12)]
    purposes = {slot.purpose for made in plans for slot in made.loads["tank"]}
    assert purposes == {LoadPurpose.SERVICE, LoadPurpose.HYGIENE}
    assert any(note.code == "note_window" for made in plans for note in made.notes)
