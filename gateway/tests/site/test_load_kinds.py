"""Every kind of load has all that a kind needs: forgetting a word, a page, a check or a rule of one fails here."""

import importlib
import inspect
import json
import pickle
import pkgutil
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import gateway.core.loads
from gateway.adapters.products.profiles import Profile
from gateway.core.loads import memory, plain_rule
from gateway.core.loads.kind import FlexibleLoad, LoadMoment, LoadSettings
from gateway.core.loads.kinds import KINDS
from gateway.core.loads.request import Outlook
from gateway.core.model.state import Reading, SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning import planner
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.mistakes import Mistake
from gateway.site.file import load_checks
from gateway.site.file.load_sections import SECTIONS, read_loads
from gateway.site.file.sections import DeviceSection
from gateway.tests.core.planning.cases import STORAGE, day, tariff

PARIS = ZoneInfo("Europe/Paris")
NOW = 1_718_985_600.0  # 2024-06-21 18:00 in Paris
GRID = TimeGrid(start_s=NOW, step_s=900.0, steps=96)
ROOT = Path(gateway.__file__).parents[1]
WORDS = ROOT / "gateway" / "words"

# A section of each kind, and readings of its device with which it requests power.
EXAMPLES: dict[str, tuple[str, dict[str, float]]] = {
    "car": ("capacity_kwh = 50\nwanted_kwh = 20", {"p_w": 0.0, "plugged": 1.0, "e_session_wh": 0.0}),
    "tank": ('litres = 200\npower_w = 2000\ndraws = { "20:00" = 3.0 }', {"p_w": 0.0, "temp_c": 46.0}),
    "heat_pump": ("powers_w = [1500]\nkwh_per_k = 8\nloss_w_per_k = 180", {"p_w": 0.0, "temp_c": 19.6}),
    "appliance": ('quarters_w = [2000, 500]\nlatest = "12:00"', {"p_w": 0.0, "asked": 1.0}),
    "pool_pump": ("power_w = 900\ndaily_run_h = 6", {"p_w": 0.0}),
    "switchable": ('power_w = 900\nwanted_kwh = 3\nlatest = "12:00"', {"p_w": 0.0}),
}


def settings(kind: str) -> LoadSettings:
    mistakes: list[Mistake] = []
    text = f'[it]\nkind = "{kind}"\ndevice = "device"\n{EXAMPLES[kind][0]}'
    found = read_loads(tomllib.loads(text), mistakes)
    assert mistakes == []
    return found["it"]


def moments(kind: str) -> list[LoadMoment]:
    """Two cycles in which the device of the example tells all it must."""
    found = []
    for second in (0.0, 5.0):
        points = {name: Reading(value=value, measured_s=second) for name, value in EXAMPLES[kind][1].items()}
        state = SiteState(now_s=second, utc_s=NOW + second, devices={"device": points})
        found.append(LoadMoment(state=state, zone=PARIS, dt_s=5.0))
    return found


def flexible(kind: str) -> FlexibleLoad:
    seen = settings(kind).unseen("it")
    for now in moments(kind):
        seen = seen.observed(now)
    found = seen.flexible(moments(kind)[-1], GRID)
    assert found is not None
    return found


def outlook() -> Outlook:
    return Outlook(grid=GRID, now_s=NOW + 5.0, price=np.full(96, 0.2), outdoor_c=np.full(96, 5.0))


def test_every_module_of_a_kind_is_registered_and_has_an_example() -> None:
    modules = [name for _, name, _ in pkgutil.iter_modules(gateway.core.loads.__path__)]
    kinds = {
        one.kind: name
        for name in modules
        for _, one in inspect.getmembers(importlib.import_module(f"gateway.core.loads.{name}"), inspect.isclass)
        if "kind" in vars(one) and one.__module__ == f"gateway.core.loads.{name}"
    }
    assert kinds == {kind: kind for kind in KINDS}  # one file for each, of its name
    assert set(EXAMPLES) == set(KINDS)
    assert list(SECTIONS) == list(KINDS)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_and_its_reasons_have_words(kind: str, language: str) -> None:
    words = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    keys = [f"load.{kind}", *(f"reason.{code}" for code in KINDS[kind].own_reasons)]
    assert [key for key in keys if not words.get(key)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_in_the_reference_with_all_its_keys(kind: str) -> None:
    page = (ROOT / "docs" / "reference" / "site-file.md").read_text(encoding="utf-8")
    assert f'kind = "{kind}"' in page
    part = page.split(f'kind = "{kind}"', 1)[1].split("\n## ", 1)[0]
    assert (KINDS[kind].__doc__ or "").split("\n", 1)[0] in part
    assert [field.name for field in fields(KINDS[kind]) if f"\n| `{field.name}` | " not in part] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_must_tell_what_the_kind_needs(kind: str) -> None:
    """One point after the other is taken from a product that reports them all."""
    needed = KINDS[kind].needed_points
    assert needed[0] == "p_w"
    assert set(needed) == set(EXAMPLES[kind][1])

    def mistakes(points: tuple[str, ...]) -> list[str]:
        rows = [
            {"name": name, "address": 2 * i, "type": "int16", "every_s": 2, "low": 0, "high": 30_000}
            for i, name in enumerate((*points, "spare"))
        ]
        profile = Profile.model_validate_json(
            json.dumps(
                {
                    "schema": "zev-profile/1", "id": "made", "title": "Made", "roles": ["load"], "points": rows,
                    "links": {"tcp": {"unit": 1, "port": 502}}, "sources": ["here"], "proof": "spare",
                    "reply_timeout_ms": 500,
                }
            )
        )  # fmt: skip
        device = DeviceSection(role="load", profile="made", node="cellar", host="127.0.0.1", unit=1)
        found = load_checks.devices_of({"it": settings(kind)}, {"device": device}, {"device": profile})
        return [f"{mistake.path} {mistake.found}" for mistake in found]

    assert mistakes(needed) == []
    for name in needed:
        rest = tuple(other for other in needed if other != name)
        assert mistakes(rest) == [f"loads.it.device made without {name}"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_car_is_set_in_amperes(kind: str) -> None:
    refused = {
        unit for unit in ("W", "A", "share", "switch") if any(m.key == "kind" for m in settings(kind).misfits(unit))
    }
    assert refused == ({"switch"} if kind == "car" else {"A"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_load_says_what_control_must_know(kind: str) -> None:
    load = settings(kind).load("it")
    assert load.id == "it"
    assert all(0.0 <= band.low_w <= band.high_w for band in load.bands)
    assert min(load.minimum_up_s, load.minimum_down_s) >= 0.0
    assert load.presence_point is None or load.presence_point in KINDS[kind].needed_points
    assert load.comfort is None or load.comfort.low_c < load.comfort.high_c <= load.comfort.hygiene_c
    assert (load.comfort is not None) == ("temp_c" in KINDS[kind].needed_points)
    assert settings(kind).phases_used in (1, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_observed_outlives_a_restart_and_a_clock_set_back(kind: str) -> None:
    seen = settings(kind).unseen("it")
    for now in moments(kind):
        seen = seen.observed(now)
    row = json.loads(json.dumps(memory.kept(seen)))
    again = memory.recalled(settings(kind).unseen("it"), row)
    assert memory.kept(again) == row
    early = memory.kept(memory.not_ahead(again, NOW - 86_400.0))
    assert all(value <= NOW - 86_400.0 for name, value in early.items() if value and name in ("since_s", "started_s"))
    assert hash(seen.event) == hash(again.event)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_a_plain_rule_and_what_is_carried(kind: str) -> None:
    load = flexible(kind)
    request = load.request(outlook())
    assert (request.id, request.code) == ("it", None)
    assert request.need is not None
    power_w = max(band.high_w for band in settings(kind).load("it").bands)
    carried = load.carried(power_w, begin_s=NOW, end_s=NOW + 900.0)
    assert carried.state != load.state  # type: ignore[attr-defined]
    assert type(carried) is type(load)


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_rule_has_words_for_all_it_says_on_a_day(kind: str) -> None:
    """At each hour, of a load that has got nothing yet and of one that was served for long."""
    load = flexible(kind)
    power_w = max(band.high_w for band in settings(kind).load("it").bands)
    served = load.carried(power_w, begin_s=NOW, end_s=NOW + 12 * 3600.0)
    found = [plain_rule.requests([one], NOW + 3600.0 * hour)["it"] for one in (load, served) for hour in range(24)]
    words = json.loads((WORDS / "en.json").read_text())
    assert {slot.reason.code for slot in found if f"reason.{slot.reason.code}" not in words} == set()
    assert all(slot.power_w == 0.0 or slot.power_w <= power_w for slot in found)
    assert all((slot.value == 0.0) <= (slot.power_w == 0.0) for slot in found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_gives_it_power_and_travels_between_processes(kind: str) -> None:
    load = pickle.loads(pickle.dumps(flexible(kind)))  # noqa: S301 - our own
    inputs = Flexible(loads=(load,), outdoor_c=np.full(96, -5.0))
    made = planner.plan(
        STORAGE, 2000.0, day(start_s=NOW), tariff(start_s=NOW), flexible=inputs, made_s=NOW + 5.0, solver=None
    )
    slots = made.loads["it"]
    assert len(slots) == 96
    assert max(slot.power_w for slot in slots) > 0.0
    words = json.loads((WORDS / "en.json").read_text())
    assert {slot.reason.code for slot in slots if f"reason.{slot.reason.code}" not in words} == set()


def test_settings_of_a_file_are_those_of_the_code() -> None:
    """Defaults, tuples and tables arrive in the settings as their types say."""
    car = settings("car")
    assert car == replace(car)
    assert (car.phases, car.device) == ((1,), "device")  # type: ignore[attr-defined]
