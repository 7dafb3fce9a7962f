"""Writes to wearing registers are counted by device and day of UTC."""

from gateway.adapters.node.day_writes import DayWrites
from gateway.adapters.node.orders import OrderAnswer

MIDNIGHT = 1_800_000_000 // 86400 * 86400.0


def answer(device: str | None, *, written: bool = True) -> OrderAnswer:
    return OrderAnswer(
        seq=1,
        boot=1,
        session=1,
        number=0,
        device=device,
        done="applied",
        why="",
        written=written,
        at_s=0.0,
        values=None,
        back=None,
    )


def test_what_was_written_counts_until_midnight_of_utc() -> None:
    writes = DayWrites()
    for at_s, device, written in (
        (1, "pump", True),
        (2, "pump", False),
        (3, "car", True),
        (4, None, True),
        (5, "pump", True),
    ):
        writes.count(answer(device, written=written), MIDNIGHT + at_s)
    assert dict(writes.today(MIDNIGHT + 86399)) == {"pump": 2, "car": 1}
    assert dict(writes.today(MIDNIGHT + 86400)) == {}
