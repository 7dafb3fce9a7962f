"""Quarters survive the gateway and come back on an even grid."""

from pathlib import Path

import numpy as np

from gateway.adapters.store.history import KEPT_S, HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.quarters import Quarter

T = 1_718_971_200


async def test_quarters_come_back_with_their_gaps(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    past = HistoryStore(outbox)
    await past.save_quarters(
        [Quarter(start_s=T, load_w=1.0, pv_w=-2.0), Quarter(start_s=T + 2700, load_w=None, pv_w=0.0)]
    )
    outbox.close()
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    history = await HistoryStore(outbox).quarters(T + 3600, days=28)
    outbox.close()
    assert (history.start_s, history.step_s, history.end_s) == (T, 900, T + 3600)
    assert np.array_equal(history.load_w, [1.0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(history.pv_w, [-2.0, np.nan, np.nan, 0.0], equal_nan=True)


async def test_what_is_after_the_end_or_too_old_is_left_out(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    past = HistoryStore(outbox)
    await past.save_quarters([Quarter(start_s=T + 900 * i, load_w=float(i), pv_w=0.0) for i in range(200)])
    history = await past.quarters(T + 86400, days=1)
    assert list(history.load_w) == [float(i) for i in range(96)]
    await past.save_quarters([Quarter(start_s=T + KEPT_S + 900 * 100, load_w=7.0, pv_w=0.0)])
    assert (await past.quarters(T + 900 * 200, days=28)).start_s == T + 900 * 100
    outbox.close()


async def test_the_highest_import_is_that_between_two_moments(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    past = HistoryStore(outbox)
    assert await past.highest_import_w(0, T) == 0.0
    for i, grid_w in enumerate([5000.0, 1200.0, None, 3400.0, -800.0, 7000.0]):
        await past.save_quarters([Quarter(start_s=T + 900 * i, load_w=None, pv_w=None, grid_w=grid_w)])
    assert await past.highest_import_w(T + 900, T + 4500) == 3400.0
    assert await past.highest_import_w(T + 3600, T + 4500) == 0.0  # only export
    outbox.close()


async def test_a_new_store_has_an_empty_history(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    history = await HistoryStore(outbox).quarters(T, days=28)
    outbox.close()
    assert (len(history.load_w), history.end_s) == (0, T)


async def test_what_no_meter_can_have_said_is_a_gap(tmp_path: Path) -> None:
    """A damaged store may hold texts and infinities where powers belong (SQLite keeps NaN as nothing)."""
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    past = HistoryStore(outbox)
    ill = ["NaN", "x", 9e999, -1e300, b"\x00", None]
    rows = [(T + 900 * i, value, value) for i, value in enumerate([400.0, *ill])]
    await outbox.write(lambda db: db.executemany("INSERT INTO quarters VALUES (?, ?, ?)", rows))
    written = [(t, "NaN" if value is None else value) for t, value, _ in rows]
    await outbox.write(lambda db: db.executemany("INSERT INTO told VALUES (?, ?)", written))
    history = await past.quarters(T + 900 * len(rows), days=28)
    known = [400.0, *[np.nan] * len(ill)]
    for column in (history.load_w, history.pv_w, await past.irradiance_forecast(T, len(rows))):
        assert np.array_equal(column, known, equal_nan=True)
    outbox.close()
