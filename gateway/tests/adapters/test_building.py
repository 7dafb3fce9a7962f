"""A disk that cannot be written stops nothing: rows wait in memory, and what cannot wait is counted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.building import ROWS_KEPT, Building
from gateway.adapters.clock import SystemClock
from gateway.adapters.nodes import OrderBook
from gateway.adapters.outbox import Outbox
from gateway.ports import Row


@pytest.mark.parametrize(("count", "cut"), [(100, 0), (ROWS_KEPT - 5_000, 0), (ROWS_KEPT + 5_000, 5_000)])
async def test_rows_outlive_a_locked_store(tmp_path: Path, count: int, cut: int) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    building = Building(
        site_id="s",
        grid="grid",
        clock=SystemClock(),
        desks={},
        keys={},
        actuators={},
        outbox=outbox,
        orders=OrderBook(session=1),
        writes=True,
    )
    rows = [Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=i) for i in range(count)]
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await building.keep(rows)
        assert building.store_error is not None
    await building.keep([])
    assert building.store_error is None
    assert (outbox.waiting, building.rows_cut) == (count - cut, cut)
    outbox.close()
