"""Reads the archive, beside a gateway that may be writing. What damage has taken away is absent."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.adapters.archive import schema
from gateway.adapters.archive.names import Names, value
from gateway.adapters.archive.records import LONGEST_S, DayTotals, Decision, DeviceDay, HistoryEvent, LoadDay
from gateway.adapters.archive.schema import FLOWS, MILLIONTHS, QUARTER_S, TENTHS, THOUSANDTHS
from gateway.adapters.archive.writing import SOURCES
from gateway.adapters.store import files
from gateway.adapters.store.files import UnusableError
from gateway.core.accounts.quarter_account import (
    DeviceEnergy,
    EnergySource,
    Flows,
    LoadEnergy,
    PriceInForce,
    QuarterAccount,
)

Row = Sequence[object]
_FLOWS = ", ".join(FLOWS)


class ArchiveReader:
    """What happened between two moments (UTC s, the second one excluded), oldest first.

    Each call opens the file for itself; it may raise UnusableError. No file is an empty archive.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a path there is nothing."""
        self._path = path

    def quarters(self, from_s: float, to_s: float) -> list[QuarterAccount]:
        """Quarter hours that begin in the period; energies to a tenth of a Wh."""
        span = (_first(from_s), _first(to_s))
        with self._opened() as db:
            names = Names(db)
            devices = _by_time(db.execute("SELECT * FROM device_quarters WHERE t >= ? AND t < ?", span))
            loads = _by_time(db.execute("SELECT * FROM load_quarters WHERE t >= ? AND t < ?", span))
            found = db.execute("SELECT * FROM quarters WHERE t >= ? AND t < ? ORDER BY t", span)
            return [_account(names, row, devices.get(row[0], ()), loads.get(row[0], ())) for row in found]

    def days(self, from_s: float, to_s: float) -> list[DayTotals]:
        """Local days that begin in the period."""
        sql = f"SELECT day, start, until, quarters, used, {_FLOWS}, curtailed FROM days"  # noqa: S608 - names are ours
        with self._opened() as db:
            names = Names(db)
            rows = db.execute(f"{sql} WHERE start >= ? AND start < ? ORDER BY day", (from_s, to_s)).fetchall()
            span = (rows[0][0], rows[-1][0]) if rows else (0, -1)
            devices = _by_time(db.execute("SELECT * FROM device_days WHERE day >= ? AND day <= ?", span))
            loads = _by_time(db.execute("SELECT * FROM load_days WHERE day >= ? AND day <= ?", span))
            return [_day(names, row, devices.get(row[0], ()), loads.get(row[0], ())) for row in rows]

    def decisions(self, from_s: float, to_s: float, *, most: int = 1_000_000) -> list[Decision]:
        """Decisions that held for some time of the period, the first `most` of them."""
        with self._opened() as db:
            names = Names(db)
            return [_decision(names, row) for row in _lasting(db, "decisions", from_s, to_s, most)]

    def events(self, from_s: float, to_s: float, *, most: int = 1_000_000) -> list[HistoryEvent]:
        """Events that lasted for some time of the period, the first `most` of them."""
        with self._opened() as db:
            names = Names(db)
            return [_event(names, row) for row in _lasting(db, "events", from_s, to_s, most)]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._path is None or not self._path.exists():
            with closing(sqlite3.connect(":memory:")) as db:
                schema.complete(db)
                yield db
            return
        with closing(files.open_to_read(self._path)) as db:
            try:
                db.execute("BEGIN")
                yield db
            except files.ERRORS as error:
                raise UnusableError(files.cause_of(error, self._path), str(error)) from error


def _first(utc_s: float) -> int:
    """The first quarter that begins at a moment or after it."""
    return -int(-utc_s // QUARTER_S)


def _lasting(db: sqlite3.Connection, table: str, from_s: float, to_s: float, most: int) -> Sequence[Row]:
    sql = (
        f"SELECT * FROM {table} WHERE since < ? AND (until > ? OR until IS NULL OR since >= ?)"  # noqa: S608 - ours
        " ORDER BY since LIMIT ?"
    )
    begin, end = round(from_s * TENTHS), round(to_s * TENTHS)
    if table == "decisions":  # there are millions, and none is longer
        sql = sql.replace("WHERE", f"WHERE since >= {begin - round(LONGEST_S * TENTHS)} AND")
    return db.execute(sql, (end, begin, begin, most)).fetchall()


def _by_time(rows: sqlite3.Cursor) -> Mapping[object, Sequence[Row]]:
    found: dict[object, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _account(names: Names, row: Row, devices: Sequence[Row], loads: Sequence[Row]) -> QuarterAccount:
    t, used, *rest = row
    flows, (curtailed, stored, seen, period, buy, sell, co2, epochs, notes) = rest[: len(FLOWS)], rest[len(FLOWS) :]
    return QuarterAccount(
        start_s=int(str(t)) * QUARTER_S,
        devices={
            names.name(device): DeviceEnergy(
                drawn_wh=value(drawn, TENTHS), given_wh=value(given, TENTHS), source=_source(source)
            )
            for _, device, drawn, given, source in devices
        },
        loads={
            names.name(load): LoadEnergy(
                used_wh=value(wh, TENTHS), of_sun_wh=value(sun, TENTHS), of_battery_wh=value(battery, TENTHS)
            )
            for _, load, wh, sun, battery in loads
        },
        used_wh=value(used, TENTHS),
        flows=_flows(flows),
        curtailed_wh=value(curtailed, TENTHS),
        stored_wh=value(stored, TENTHS),
        seen=value(seen, THOUSANDTHS) or 0.0,
        price=_price(names, period, buy, sell),
        co2_g_per_kwh=value(co2, TENTHS),
        epochs=tuple(_texts(names.name(epochs)).values()),
        notes=_texts(names.name(notes)),
    )


def _day(names: Names, row: Row, devices: Sequence[Row], loads: Sequence[Row]) -> DayTotals:
    day, start, end, quarters, used, *rest = row
    text = str(day)
    return DayTotals(
        day=f"{text[:4]}-{text[4:6]}-{text[6:]}",
        start_s=_whole(start),
        end_s=_whole(end),
        quarters=_whole(quarters),
        used_wh=value(used, TENTHS),
        flows=_flows(rest[: len(FLOWS)]),
        curtailed_wh=value(rest[len(FLOWS)], TENTHS),
        devices={
            names.name(device): DeviceDay(
                drawn_wh=value(drawn, TENTHS), given_wh=value(given, TENTHS), quarters=_whole(count)
            )
            for _, device, drawn, given, count in devices
        },
        loads={
            names.name(load): LoadDay(
                used_wh=value(wh, TENTHS),
                of_sun_wh=value(sun, TENTHS),
                of_battery_wh=value(battery, TENTHS),
                quarters=_whole(count),
            )
            for _, load, wh, sun, battery, count in loads
        },
    )


def _decision(names: Names, row: Row) -> Decision:
    since, device, until, mode, code, power, shape, numbers, more = row
    return Decision(
        device=names.name(device),
        since_s=_whole(since) / TENTHS,
        until_s=value(until, TENTHS),
        mode=names.name(mode),
        code=names.name(code),
        power_w=value(power, 1),
        numbers=names.unpacked(shape, numbers),
        more=_whole(more),
    )


def _event(names: Names, row: Row) -> HistoryEvent:
    since, kind, device, until, shape, numbers = row
    return HistoryEvent(
        kind=names.name(kind),
        since_s=_whole(since) / TENTHS,
        until_s=value(until, TENTHS),
        device=names.name(device),
        numbers=names.unpacked(shape, numbers),
    )


def _flows(found: Row) -> Flows | None:
    known = [wh for one in found if (wh := value(one, TENTHS)) is not None]
    return Flows(**dict(zip(FLOWS, known, strict=True))) if len(known) == len(FLOWS) else None


def _price(names: Names, period: object, buy: object, sell: object) -> PriceInForce | None:
    found = value(buy, MILLIONTHS), value(sell, MILLIONTHS)
    if found[0] is None or found[1] is None:
        return None
    return PriceInForce(period=names.name(period), buy=found[0], sell=found[1])


def _source(place: object) -> EnergySource:
    is_known = isinstance(place, int) and 0 <= place < len(SOURCES)
    return SOURCES[int(str(place))] if is_known else EnergySource.UNKNOWN


def _texts(text: str) -> Mapping[str, str]:
    """Texts by name, or in a list by their place; none of what is neither."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list):
        found = dict(enumerate(found))
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}


def _whole(found: object) -> int:
    return found if isinstance(found, int) else 0
