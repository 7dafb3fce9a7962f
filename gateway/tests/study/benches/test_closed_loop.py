"""A short form of the closed-loop bench with its bands: no change of the law may be worse unseen."""

from dataclasses import asdict, replace
from itertools import pairwise

import pytest

from gateway.study.benches.closed_loop.bench import LAWS, PERFECT, bench, law, measured, perfect, score, summary
from gateway.study.benches.closed_loop.scenarios import SCENARIOS, virtual_building
from gateway.study.benches.closed_loop.virtual_building import STEP_S, Moment

SHORT = {scenario.name: scenario for scenario in SCENARIOS}


# 10 minutes, seed 1. Bands: a tenth above what was measured when they were written.
@pytest.mark.parametrize(
    ("name", "avoidable_wh", "crossings", "settling_s", "travel_kw"),
    [
        ("kettle, meter 1 to 3 s", 90.0, 33.0, 6.0, 101.0),
        ("clouds and kettle, meter 0.5 s", 98.0, 47.0, 15.2, 231.0),
        ("two batteries", 150.0, 80.0, 17.0, 256.0),
        ("car, boiler and battery", 252.0, 119.0, 23.5, 382.0),
    ],
)
def test_the_loop_stays_inside_its_bands(name, avoidable_wh, crossings, settling_s, travel_kw) -> None:
    found = score("zen", SHORT[name], seed=1, seconds=600.0)
    assert found.avoidable_import_wh + found.avoidable_export_wh <= avoidable_wh
    assert found.crossings <= crossings
    assert found.settling_p95_s <= settling_s
    assert found.travel_kw <= travel_kw


@pytest.mark.parametrize(
    "changes",
    [{"dead_time_s": 1.4}, {"ramp_w_per_s": 1200.0}, {"dead_time_s": 0.3, "ramp_w_per_s": 9000.0}],
    ids=str,
)
def test_a_battery_that_is_not_what_the_site_file_says_swings_neither(changes) -> None:
    """Dead time 0.8 s and ramp 2500 W/s are configured; the kettle runs and rests, and nothing else moves."""
    scenario = SHORT["kettle, meter 1 s"]
    building = virtual_building(replace(scenario, batteries=(changes,)), 600.0, seed=1)
    found = measured(building.run(600.0, law("zen", scenario)), 0.0, 0)
    as_configured = score("zen", scenario, seed=1, seconds=600.0)
    assert found.travel_kw <= 1.1 * as_configured.travel_kw
    assert found.crossings <= as_configured.crossings


def test_integrating_each_second_swings_where_we_do_not() -> None:
    found = bench([SHORT["kettle, meter 2 s"]], seeds=[1], seconds=300.0)
    result = summary(found)
    assert result["ratio"]["avoidable_import_wh"]["integral_1s"] < 0.5
    assert result["ratio"]["travel_kw"]["integral_1s"] < 0.1
    assert set(found["kettle, meter 2 s"]) == {*LAWS, PERFECT}


def test_batteries_that_know_the_grid_at_once_leave_nothing_avoidable() -> None:
    """And what they travel is the path of the net load itself, since this battery has no limit in its way."""
    scenario = SHORT["kettle, meter 2 s"]
    moments = virtual_building(scenario, 300.0, seed=1).run(300.0, law("zen", scenario))
    found = measured(perfect(moments, 0.0), 0.0, 0)
    assert (found.avoidable_import_wh, found.avoidable_export_wh, found.crossings) == (0.0, 0.0, 0.0)
    path_w = sum(abs(after.net_w - before.net_w) for before, after in pairwise(moments))
    assert found.travel_kw == pytest.approx(path_w / 1000 * 12, rel=0.02)


def test_a_score_counts_what_the_batteries_could_have_had_by_hand() -> None:
    """One hour of 100 W import while the battery has 60 W left, then of 50 W export while it charges not at all."""
    hour = round(3600 / STEP_S)
    first = [Moment(at_s=0, net_w=0, grid_w=100.0, battery_w=(0.0,), headroom_w=(60.0, 0.0))] * hour
    then = [Moment(at_s=0, net_w=0, grid_w=-50.0, battery_w=(-80.0,), headroom_w=(0.0, 500.0))] * hour
    found = asdict(measured([*first, *then], 0.0, 3))
    assert found == pytest.approx(
        {
            "avoidable_import_wh": 30.0,  # 60 Wh in two hours
            "avoidable_export_wh": 25.0,
            "overshoot_wh": 25.0,  # it gave 80 W of which 50 W left the building
            "crossings": 0.0,  # 50 W are not beyond the band
            "settling_p95_s": 0.0,
            "travel_kw": 0.04,
            "switches": 1.5,
        }
    )
