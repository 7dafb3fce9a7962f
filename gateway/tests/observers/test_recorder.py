"""What outlives a restart: quarter hours with their true times, and where each counter was."""

from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.house import HouseLoad
from gateway.core.model.state import Reading, SiteState
from gateway.observers.recorder import Recorder
from gateway.ports import Cycle
from gateway.tests.core.plant import SITE

T = 1_764_547_200.0  # the beginning of a quarter hour


def cycle(now_s: float, utc_s: float, *, is_dated: bool = True, load_w: float = 400.0) -> Cycle:
    power = {"p_w": Reading(value=0.0, measured_s=now_s)}
    state = SiteState(
        now_s=now_s, utc_s=utc_s, devices=dict.fromkeys(("grid", "pv", "battery"), power), is_dated=is_dated
    )
    house = HouseLoad(load_w=load_w, low_w=load_w, high_w=load_w)
    return Cycle(number=1, state=state, setpoints=(), load_w=load_w, house=house, late_ms=0.0)


async def test_cycles_before_the_clock_was_set_fill_the_quarter_hour_in_which_they_were(tmp_path: Path) -> None:
    """The machine wakes three hours behind, 100 s after the beginning of a quarter; it is set 500 s later."""
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        past = HistoryStore(outbox)
        recorder = Recorder(site=SITE, past=past)
        for second in range(100, 905):
            is_dated = second >= 600
            utc_s = T + second - (0.0 if is_dated else 10_800.0)
            recorder.show(cycle(1000.0 + second, utc_s, is_dated=is_dated))
        await recorder.write()
        found = await past.quarters(int(T) + 900, days=1)
    assert (found.start_s, list(found.load_w)) == (T, [pytest.approx(400.0)])


async def test_counters_are_kept_with_each_quarter_hour(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        recorder = Recorder(site=SITE, past=HistoryStore(outbox), counters=lambda: {"pv": {"e_wh": 5.0}})
        assert recorder.counters() is None
        for second in range(902):
            recorder.show(cycle(1000.0 + second, T + second))
        await recorder.write()
        assert Recorder(site=SITE, past=HistoryStore(outbox)).counters() == {"pv": {"e_wh": 5.0}}
        await HistoryStore(outbox).save_note("counters", "[" * 100_000)
        assert Recorder(site=SITE, past=HistoryStore(outbox)).counters() is None
