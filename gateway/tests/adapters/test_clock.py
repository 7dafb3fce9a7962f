"""What a node's clock shows now, by which its orders are dated."""

import pytest

from gateway.adapters.clock import NodeClock, Stamp


def heard(clock: NodeClock, node_s: float, arrived_s: float, *, is_utc: bool = True, seq: int = 1) -> None:
    stamp = Stamp(base=(7, is_utc), seq=seq, node_s=node_s, utc_s=node_s if is_utc else None)
    clock.hear(stamp, node_s, arrived_s)


@pytest.mark.parametrize("node_s", [0.0, 8.4e8, 8.4e8 + 600, 4.0e9])
def test_a_node_s_clock_is_read_through_its_messages_whatever_it_shows(node_s: float) -> None:
    clock = NodeClock()
    heard(clock, node_s, 100.3)
    heard(clock, node_s + 1, 101.02, seq=2)  # the quickest message
    assert clock.reading_s(110.02) == pytest.approx(node_s + 10)


def test_a_node_that_does_not_know_the_time_or_was_not_heard_shows_nothing() -> None:
    clock = NodeClock()
    assert clock.reading_s(100.0) is None
    heard(clock, 12.0, 100.0, is_utc=False)
    assert clock.reading_s(100.0) is None
    heard(clock, 8.4e8, 101.0, seq=2)
    assert clock.reading_s(101.0) == 8.4e8
