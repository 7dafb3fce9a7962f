"""How accounts, decisions and events get into the tables. Every function is to be called in a transaction."""

import json
import sqlite3
from collections.abc import Iterable

from gateway.adapters.archive.names import Names, steps
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.adapters.archive.schema import FLOWS, MILLIONTHS, QUARTER_S, TENTHS, THOUSANDTHS, TIMES
from gateway.core.accounts.quarter_account import EnergySource, QuarterAccount

SOURCES = tuple(EnergySource)  # stored by its place: a new one goes to the end
COUNTER_EPOCH = "counter_epoch"  # kind of the event of a counter that was reset, swapped or rolled over


def write_accounts(db: sqlite3.Connection, names: Names, accounts: Iterable[QuarterAccount]) -> None:
    """Quarter hours; one that is there already is replaced, with all that was known of its devices."""
    for account in accounts:
        t = account.start_s // QUARTER_S
        for table in ("device_quarters", "load_quarters"):
            db.execute(f"DELETE FROM {table} WHERE t = ?", (t,))  # noqa: S608 - names are ours
        row = _quarter(names, account)
        db.execute(f"INSERT OR REPLACE INTO quarters VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        db.executemany(
            "INSERT INTO device_quarters VALUES (?, ?, ?, ?, ?)",
            [
                (t, names.number(id_), steps(one.drawn_wh, TENTHS), steps(one.given_wh, TENTHS), _place(one.source))
                for id_, one in account.devices.items()
            ],
        )
        db.executemany(
            "INSERT INTO load_quarters VALUES (?, ?, ?, ?, ?)",
            [
                (t, names.number(id_), *(steps(wh, TENTHS) for wh in (one.used_wh, one.of_sun_wh, one.of_battery_wh)))
                for id_, one in account.loads.items()
            ],
        )
        moment = float(account.start_s)
        epochs = [
            HistoryEvent(kind=COUNTER_EPOCH, since_s=moment, until_s=moment, device=id_) for id_ in account.epochs
        ]
        write_events(db, names, epochs)


def write_decisions(db: sqlite3.Connection, names: Names, decisions: Iterable[Decision]) -> None:
    """Decisions; one of the same device and begin is replaced."""
    for one in decisions:
        row = (
            round(one.since_s * TENTHS),
            names.number(one.device),
            steps(one.until_s, TENTHS),
            names.number(one.mode),
            names.number(one.code),
            steps(one.power_w, 1),
            *names.packed(one.numbers),
            one.more or None,
        )
        db.execute("INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def write_events(db: sqlite3.Connection, names: Names, events: Iterable[HistoryEvent]) -> None:
    """Events; one of the same kind, device and begin is replaced."""
    for one in events:
        begin = (round(one.since_s * TENTHS), names.number(one.kind), names.number(one.device))
        row = (*begin, steps(one.until_s, TENTHS), *names.packed(one.numbers))
        db.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)", row)


def end_open(db: sqlite3.Connection, at_s: float) -> None:
    """What a run left open ends when it was last alive (UTC), and not before it began."""
    at = round(at_s * TENTHS)
    for table in ("decisions", "events"):
        db.execute(f"UPDATE {table} SET until = MAX(since, ?) WHERE until IS NULL", (at,))  # noqa: S608


def forget_before(db: sqlite3.Connection, oldest_s: float) -> None:
    """Delete what is older than that moment (UTC)."""
    for table, (column, step_s) in TIMES.items():
        db.execute(f"DELETE FROM {table} WHERE {column} < ?", (round(oldest_s / step_s),))  # noqa: S608
    old = [day for (day,) in db.execute("SELECT day FROM days WHERE until < ?", (round(oldest_s),))]
    for table in ("days", "device_days", "load_days"):
        db.executemany(f"DELETE FROM {table} WHERE day = ?", [(day,) for day in old])  # noqa: S608


def _quarter(names: Names, account: QuarterAccount) -> tuple[int | None, ...]:
    flows, price = account.flows, account.price
    return (
        account.start_s // QUARTER_S,
        steps(account.used_wh, TENTHS),
        *(None if flows is None else steps(getattr(flows, name), TENTHS) for name in FLOWS),
        steps(account.curtailed_wh, TENTHS),
        steps(account.stored_wh, TENTHS),
        steps(account.seen, THOUSANDTHS),
        None if price is None else names.number(price.period),
        None if price is None else steps(price.buy, MILLIONTHS),
        None if price is None else steps(price.sell, MILLIONTHS),
        steps(account.co2_g_per_kwh, TENTHS),
        names.number(json.dumps(account.epochs)) if account.epochs else None,
        names.number(json.dumps(dict(account.notes), ensure_ascii=False)) if account.notes else None,
    )


def _place(source: EnergySource) -> int:
    return SOURCES.index(source)
