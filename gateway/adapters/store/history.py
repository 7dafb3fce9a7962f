"""What the building did, in the store: the last days for the page, quarter hours for planning."""

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from gateway.adapters.store.outbox import Outbox
from gateway.adapters.store.schema import TREND
from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.core.model.quarters import QUARTER_S, Quarter

TREND_S = 10  # seconds of one step of the trend
TREND_KEPT_S = 2 * 86400  # the page shows one day
FORECASTS_KEPT_S = 60 * 86400  # plans compare them with what came over 56 days (`days` in config/planner.toml)
MOST_W = 1e7  # what a site file may call a power: more in the store is damage
MOST_W_M2 = 2e3  # the sun gives 1361 outside of the atmosphere, cloud edges add to what arrives
MOST_C = 90.0  # of either sign
KEPT_S = 400 * 86400  # a year and a month of quarters: about two megabytes


class HistoryStore:
    """Trend, quarters, forecasts and notes in the file of the outbox. Calls may raise OutboxError."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def save_trend(self, t: int, values: Mapping[str, float | None]) -> None:
        """One step of the page's chart: mean powers (W) and state of charge over the step that starts at `t`."""
        row = (t, *(values.get(name) for name in TREND))

        def write(db: sqlite3.Connection) -> None:
            db.execute(f"INSERT OR REPLACE INTO trend VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
            db.execute("DELETE FROM trend WHERE t < ?", (t - TREND_KEPT_S,))

        await self._outbox.write(write)

    def trend(self, since: int) -> list[tuple[float | None, ...]]:
        """Steps of the chart from `since` on (UTC seconds): (t, *TREND). For the start only: it reads at once."""
        sql = f"SELECT t, {', '.join(TREND)} FROM trend WHERE t >= ? ORDER BY t"  # noqa: S608 - names are ours
        rows = self._outbox.at_start(lambda db: db.execute(sql, (since,)).fetchall())
        return [(t, *(_number(value) for value in values)) for t, *values in rows]

    def last_s(self) -> float | None:
        """When something was last stored (UTC); None in a new store. For the start only: it reads at once."""
        (last,) = self._outbox.at_start(lambda db: db.execute("SELECT MAX(t) FROM trend").fetchone())
        return float(last) if isinstance(last, (int, float)) else None

    async def save_quarters(self, quarters: Sequence[Quarter]) -> None:
        """Finished quarters; one that is there already is replaced."""
        rows = [(q.start_s, q.load_w, q.pv_w) for q in quarters]
        grid = [(q.start_s, q.grid_w) for q in quarters if q.grid_w is not None]
        ranges = [(q.start_s, *q.load_range_w) for q in quarters if q.load_range_w is not None]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO quarters VALUES (?, ?, ?)", rows)
            db.executemany("INSERT OR REPLACE INTO grid VALUES (?, ?)", grid)
            db.executemany("INSERT OR REPLACE INTO load_range VALUES (?, ?, ?)", ranges)
            for table in ("quarters", "grid", "load_range"):
                oldest = max(row[0] for row in rows) - KEPT_S
                db.execute(f"DELETE FROM {table} WHERE t < ?", (oldest,))  # noqa: S608 - names are ours

        if rows:
            await self._outbox.write(write)

    async def quarters(self, end_s: int, days: int) -> History:
        """So many days up to `end_s` (UTC, a quarter's start), none after it; NaN where there is nothing."""
        start_s = end_s - days * 86400
        sql = (
            "SELECT quarters.t, load_w, pv_w, low_w, high_w FROM quarters LEFT JOIN load_range USING (t)"
            " WHERE quarters.t >= ? AND quarters.t < ? ORDER BY quarters.t"
        )
        rows = await self._outbox.read(lambda db: db.execute(sql, (start_s, end_s)).fetchall())
        first_s = int(rows[0][0]) if rows else end_s
        history = np.full(((end_s - first_s) // QUARTER_S, 4), np.nan)
        for t, *powers_w in rows:
            history[(t - first_s) // QUARTER_S] = [_known(power_w, MOST_W) for power_w in powers_w]
        history[np.isfinite(history[:, 0]), 2:] = np.nan  # it was not known at first, and then it was
        return History(
            start_s=first_s,
            step_s=QUARTER_S,
            load_w=history[:, 0],
            pv_w=history[:, 1],
            load_range_w=history[:, 2:],
        )

    async def highest_import_w(self, start_s: float, end_s: float) -> float:
        """The highest mean import of a quarter between two moments (UTC); 0 where none is known."""
        sql = "SELECT grid_w FROM grid WHERE t >= ? AND t < ?"
        rows = await self._outbox.read(lambda db: db.execute(sql, (start_s, end_s)).fetchall())
        known = [power_w for (found,) in rows if np.isfinite(power_w := _known(found, MOST_W))]
        return max([0.0, *known])

    async def save_irradiance_forecast(self, forecast: Sequence[tuple[int, float]]) -> None:
        """What the weather feed says of coming quarters (start, W/m²); what was said first of each stays."""

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR IGNORE INTO told VALUES (?, ?)", forecast)
            db.execute("DELETE FROM told WHERE t < ?", (max(row[0] for row in forecast) - FORECASTS_KEPT_S,))

        if forecast:
            await self._outbox.write(write)

    async def irradiance_forecast(self, start_s: int, count: int) -> Floats:
        """What had been said of so many quarters (W/m²); NaN where nothing."""
        sql = "SELECT t, irradiance_w_m2 FROM told WHERE t >= ? AND t < ?"
        rows = await self._outbox.read(lambda db: db.execute(sql, (start_s, start_s + QUARTER_S * count)).fetchall())
        found = np.full(count, np.nan)
        for t, irradiance_w_m2 in rows:
            found[(t - start_s) // QUARTER_S] = _known(irradiance_w_m2, MOST_W_M2)
        return found

    async def save_outdoor_forecast(self, temps: Sequence[tuple[int, float]]) -> None:
        """How warm the feed says the next quarters are (start, °C); what was said last of each stays."""

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO outdoor VALUES (?, ?)", temps)
            db.execute("DELETE FROM outdoor WHERE t < ?", (max(row[0] for row in temps) - FORECASTS_KEPT_S,))

        if temps:
            await self._outbox.write(write)

    async def outdoor_forecast_c(self, start_s: int, count: int) -> Floats:
        """How warm it had been said to be in so many quarters (°C); NaN where nothing."""
        sql = "SELECT t, temp_c FROM outdoor WHERE t >= ? AND t < ?"
        rows = await self._outbox.read(lambda db: db.execute(sql, (start_s, start_s + QUARTER_S * count)).fetchall())
        found = np.full(count, np.nan)
        for t, temp_c in rows:
            found[(t - start_s) // QUARTER_S] = _known(temp_c, MOST_C)
        return found

    async def save_note(self, name: str, text: str) -> None:
        """A text to be found again after a restart."""
        await self._outbox.write(lambda db: db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, text)))

    def note(self, name: str) -> str | None:
        """The text that was saved, None without one. For the start only: it reads at once."""
        row = self._outbox.at_start(lambda db: db.execute("SELECT text FROM notes WHERE name = ?", (name,)).fetchone())
        return None if row is None else str(row[0])


def _known(value: object, most: float) -> float:
    """A number of a plausible size; NaN for all else that a damaged store may hold."""
    return float(value) if isinstance(value, (int, float)) and abs(value) <= most else np.nan


def _number(value: object) -> float | None:
    """A number as it may be shown; None for all else."""
    known = _known(value, MOST_W)
    return known if np.isfinite(known) else None
