"""A scenario file is checked whole; each mistake has its place and what is allowed."""

from pathlib import Path

import pytest

from gateway.mistakes import MistakesError
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.events import Runner

GOOD = """
title = "t"
[run]
seconds = 10
[[fault]]
kind = "MeterGone"
[[expect]]
quantity = "house.grid_w"
low = 0
"""


def mistakes(tmp_path: Path, text: str, *, runner: Runner = "virtual") -> dict[str, tuple[str, str]]:
    """(found, allowed) by place."""
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MistakesError) as caught:
        scenario_file.read(file, runner=runner)
    return {one.path: (one.found, one.allowed) for one in caught.value.mistakes}


@pytest.mark.parametrize(
    ("change", "place", "found", "allowed"),
    [
        (("title =", "titel ="), "titel", "a key that nothing reads", "did you mean title?"),
        (("title =", "titel ="), "title", "null", "a sentence"),
        (("seconds = 10", ""), "run.seconds", "nothing", "a value"),
        (("seconds = 10", "seconds = 10\nlike = 'dem'"), "run.like", '"dem"', "'demo', 'loads' or 'nothing'"),
        (("seconds = 10", "seconds = 10\nstart = 2024-06-21T12:00:00Z"), "run.start", "2024", "local time"),
        (("MeterGone", "MeterGon"), "fault[1].kind", '"MeterGon"', "did you mean MeterGone?"),
        (('"MeterGone"', '"MeterGone"\nfor = 3'), "fault[1].for", "a key that nothing reads", "did you mean for_s?"),
        (('"MeterGone"', '"MeterGone"\nfor_s = -3'), "fault[1].for_s", "-3", "greater than or equal to 0"),
        (('"MeterGone"', '"MeterGone"\nat_s = "x"'), "fault[1].at_s", '"x"', "number"),
        (('"MeterGone"', '"LoadStep"'), "fault[1].w", "nothing", "this key is needed"),
        (('"MeterGone"', '"CarAsleep"'), "fault[1]", "there is no car", "a fault of what [house] has"),
        (('"MeterGone"', '"WaterDrawn"\nlitres = 9'), "fault[1]", "there is no tank", "a fault of what [house] has"),
        (('"MeterGone"', '"NanSentinel"\npoint = "x"'), "fault[1]", "there are voltage_l1_v", "of what [house] has"),
        (("house.grid_w", "house.grd_w"), "expect[1].quantity", '"house.grd_w"', "did you mean house.grid_w?"),
        (("low = 0", "lo = 0\nlow = 0"), "expect[1].lo", "a key that nothing reads", "did you mean low?"),
        (("low = 0", "near = 'house.pv'"), "expect[1].near", '"house.pv"', "did you mean house.pv_w?"),
        (("low = 0", "low = 0\nafter = 2"), "expect[1].after", "2", "1 to 1"),
        (("[[expect]]", "[expect]"), "expect", "{", "double brackets"),
        (("title", "faults = [65]\ntitle"), "faults", "[65]", "1 to 64"),
        (("[run]", "[house.pv]\nkpw = 3\n[run]"), "house.pv.kpw", "a key that nothing reads", "did you mean kwp?"),
        (("[run]", "[site.control]\nreserve = 3\n[run]"), "site.control.reserve", "3", "less than or equal to 1"),
        (
            ("[run]", "[site.nodes.cellar.buses.tic]\nkind = 'tic'\n[run]"),
            "site.nodes.cellar.buses.tic",
            "tic",
            "without --virtual",
        ),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, change: tuple[str, str], place: str, found: str, allowed: str) -> None:
    told = mistakes(tmp_path, GOOD.replace(*change, 1))
    assert place in told, told
    assert found in told[place][0]
    assert allowed in told[place][1]


@pytest.mark.parametrize(
    ("kind", "runner", "allowed"),
    [
        ("DatabaseDown", "virtual", "a run without --virtual"),
        ("StoreSpoiled", "virtual", "a run without --virtual"),
        ("TelegramGone", "virtual", "a run without --virtual"),
        ("NodeOffNetwork", "chain", "a run with --virtual"),
        ("GatewayKilled", "bench", "a run without --bench"),
    ],
)
def test_what_a_runner_cannot_show_is_refused_in_plain_words(
    tmp_path: Path, kind: str, runner: Runner, allowed: str
) -> None:
    told = mistakes(tmp_path, GOOD.replace("MeterGone", kind), runner=runner)
    assert told["fault[1].kind"][1].startswith(allowed)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "x = 1\n[run]\n[house]\ny = 2\n[site]\nz = 3\n[[fault]]\n[[expect]]\n")
    assert {"x", "title", "run.seconds", "house.y", "site.z", "fault[1].kind", "expect[1].quantity"} <= set(told)


def test_a_scenario_starts_from_what_is_shipped_and_changes_it(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    text = GOOD.replace("seconds = 10", "seconds = 10\nlike = 'loads'\nseed = 7\nstart = 2024-01-02T03:04:05")
    file.write_text(f"{text}\n[house.car]\nsoc = 0.9\n[site.loads.car]\nmost_a = 10.0\n", encoding="utf-8")
    found = scenario_file.read(file, runner="virtual")
    assert (found.config.seed, found.config.clock.start.isoformat()) == (7, "2024-01-02T03:04:05")
    assert found.config.car is not None
    assert (found.config.car.soc, found.config.car.phases) == (0.9, 1)  # 1: of config/demo/loads.toml
    assert found.config.serve.car is not None
    assert found.file.loads["car"].most_a == 10.0  # type: ignore[attr-defined]
    assert found.file.tariff is None


def test_with_a_plan_there_is_the_shipped_tariff_or_one_s_own_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    planned = GOOD.replace("seconds = 10", "seconds = 10\nplan = true")
    file.write_text(planned, encoding="utf-8")
    shipped = scenario_file.read(file, runner="virtual").file.tariff
    assert shipped is not None
    assert shipped.file == "edf_hphc"
    own = '[site.tariff]\nfile = "edf_base"\nprices = { BASE = 0.2 }\nsurplus_price = 0.04\n'
    file.write_text(f"{planned}\n{own}", encoding="utf-8")
    assert scenario_file.read(file, runner="virtual").file.tariff.file == "edf_base"  # type: ignore[union-attr]


def test_a_recording_is_named_from_where_the_scenario_is(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text("time,load_w\n2024-06-21T12:00:00,500\n2024-06-22T12:00:00,500\n")
    file = tmp_path / "scenario.toml"
    text = GOOD.replace("MeterGone", "MeterFrozen") + '[house.load]\nfile = "load.csv"\n'
    file.write_text(text, encoding="utf-8")
    assert scenario_file.read(file, runner="virtual").config.load.file == tmp_path / "load.csv"
