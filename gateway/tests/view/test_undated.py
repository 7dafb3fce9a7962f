"""The chart of the last hours: what was seen before the clock was set has its own time, and overwrites nothing."""

from dataclasses import replace
from pathlib import Path

from gateway.core.model.state import Reading, SiteState
from gateway.ports import Cycle
from gateway.tests.view.scene import building

HOURS_S = 3 * 3600.0


async def test_a_clock_that_is_three_hours_behind_writes_nothing_into_the_chart_of_then(tmp_path: Path) -> None:
    with building(tmp_path / "a", with_loads=False) as (gateway, clock):
        kept: list[tuple[int, dict[str, float | None]]] = []
        gateway.view._keep_step = lambda t, values: kept.append((t, dict(values)))
        for second in range(61):
            clock.now_s += 1.0
            is_dated = second >= 40
            utc_s = clock.utc_s() - (0.0 if is_dated else HOURS_S)
            grid = {"grid": {"p_w": Reading(value=float(second), measured_s=clock.now_s)}}
            state = SiteState(now_s=clock.now_s, utc_s=utc_s, devices=grid, is_dated=is_dated)
            shown = Cycle(number=second, state=state, setpoints=(), load_w=None, late_ms=0.0)
            gateway.view.show(replace(shown, number=second + 1))
            assert is_dated or kept == []
        true_s = clock.utc_s() - 60.0
    assert [t for t, _ in kept] == [int(true_s) // 10 * 10 + 10 * i for i in range(len(kept))]
    assert len(kept) == 6
    assert [values["grid_w"] for _, values in kept] == sorted(values["grid_w"] for _, values in kept)
