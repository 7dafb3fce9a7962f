"""A counter at the starts of quarter hours."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.accounts.counter_track import CounterTrack, read

Q = 900


def tracked(*readings: tuple[float, float]) -> CounterTrack:
    track = None
    for utc_s, wh in readings:
        track = read(track, utc_s, wh)
    assert track is not None
    return track


def test_a_quarter_hour_between_readings_lies_on_the_straight_line() -> None:
    #                 10 s before 0: 100, 10 s behind: 120 -> 110 at 0; 1010 at 890 s, 1030 at 910 s -> 1020 at 900 s
    track = tracked((Q - 10, 100.0), (Q + 10, 120.0), (2 * Q - 10, 1010.0), (2 * Q + 10, 1030.0))
    assert track.energy(Q) == (910.0, 20.0)


@given(
    gaps=st.lists(st.floats(min_value=0.5, max_value=7200.0), min_size=3, max_size=40),
    powers=st.lists(st.floats(min_value=0.0, max_value=50_000.0), min_size=40, max_size=40),
)
def test_quarter_hours_add_up_to_the_counter_whatever_was_missed(gaps: list[float], powers: list[float]) -> None:
    utc_s, wh = 0.0, 5000.0
    track = read(None, utc_s, wh)
    for gap_s, power_w in zip(gaps, powers, strict=False):
        utc_s, wh = utc_s + gap_s, wh + power_w * gap_s / 3600.0
        track = read(track, utc_s, wh)
    starts = sorted(track.edges)
    energies = [track.energy(start) for start in starts[:-1]]
    assert [later - earlier for earlier, later in pairwise(starts)] == [Q] * len(energies)
    assert sum(found[0] for found in energies if found) == pytest.approx(
        track.edges[starts[-1]].wh - track.edges[starts[0]].wh if starts else 0.0, abs=1e-6
    )
    assert all(found is not None and found[0] >= -1e-6 for found in energies)


@pytest.mark.parametrize(
    ("after", "why"),
    [(0.0, "reset"), (40.0, "rolled over"), (9_000_000.0, "another meter that shows more")],
)
def test_a_counter_that_begins_anew_is_an_epoch_of_its_quarter_hour_only(after: float, why: str) -> None:
    before = [(float(at), 1_000_000.0 + at) for at in range(0, Q + 600, 60)]
    behind = [(float(at), after + at - Q - 600) for at in range(Q + 600, 3 * Q + 60, 60)]
    track = tracked(*before, *behind)
    assert track.energy(0) == (900.0, 60.0), why
    assert track.epochs == {Q}
    assert track.energy(Q) is None
    assert track.energy(2 * Q) == (900.0, 60.0)


def test_an_older_reading_says_nothing_and_a_clock_set_back_begins_anew() -> None:
    track = tracked((100.0, 10.0), (110.0, 11.0))
    assert read(track, 105.0, 12.0) is track
    assert read(track, 20.0, 12.0) == CounterTrack(last_s=20.0, last_wh=12.0)
