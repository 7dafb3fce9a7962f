"""The two homes of the published benches: what is counted, at which prices, with which battery."""

from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.levels import Floats, GridLimits, Storage
from gateway.study.record.errors import InputError
from gateway.study.record.series import Record, read_record
from gateway.study.replay.case import Case

BEYOND_S = 3 * 86400.0  # prices are known farther than the record
PARIS = ZoneInfo("Europe/Paris")

# pierre-haessig/solarhome-control-bench: 4 kWp, 8 kWh without losses or power limit, half full, at most 3 kW imported.
SOLARHOME_KWP = 4.0
SOLARHOME = Storage(
    capacity_wh=8000.0, charge_max_w=1e5, discharge_max_w=1e5, charge_efficiency=1.0, discharge_efficiency=1.0
)
SOLARHOME_NIGHT, SOLARHOME_DAY = 0.10, 0.20  # EUR/kWh, 0-6 h and else
SOLARHOME_LIMITS = GridLimits(import_max_w=3000.0)

# A French home: heures pleines and creuses (22-06 h local), 8 kWh and 4 kW with 0.95 each way.
HOME = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)
HOME_HP, HOME_HC, HOME_SURPLUS = 0.2081, 0.1635, 0.04  # EUR/kWh
HOME_END_SHARE = 0.95  # of HC, for what is stored in the end


def solarhome(path: Path, *, start: date, days: int) -> Case:
    """The solar-home control bench; local time without change of hour. InputError when the file is none."""
    record = read_record(path, zone=UTC, pv_kwp=SOLARHOME_KWP)
    hours = local_hours(record.filled, UTC)
    buy = np.where(hours < 6.0, SOLARHOME_NIGHT, SOLARHOME_DAY)
    first, steps = counted(path, record.filled, start=start, days=days, zone=UTC)
    return Case(
        record=record.filled,
        usable=record.known,
        first=first,
        steps=steps,
        storage=SOLARHOME,
        start_wh=SOLARHOME.capacity_wh / 2,
        buy=buy,
        sell=np.zeros(len(buy)),
        limits=SOLARHOME_LIMITS,
    )


def home(path: Path, *, start: date, days: int, zone: tzinfo = PARIS) -> Case:
    """A home with HP/HC, its day begins at local midnight. InputError when the file is none."""
    return home_of(path, read_record(path, zone=zone), start=start, days=days, zone=zone)


def home_of(path: Path, record: Record, *, start: date, days: int, zone: tzinfo) -> Case:
    """The same, of a record that was read before."""
    hours = local_hours(record.filled, zone)
    buy = np.where((hours < 6.0) | (hours >= 22.0), HOME_HC, HOME_HP)
    first, steps = counted(path, record.filled, start=start, days=days, zone=zone)
    return Case(
        record=record.filled,
        usable=record.known,
        first=first,
        steps=steps,
        storage=HOME,
        start_wh=HOME.capacity_wh / 2,
        buy=buy,
        sell=np.full(len(buy), HOME_SURPLUS),
        end_price=HOME_END_SHARE * HOME_HC,
        zone=zone,
    )


def local_hours(record: History, zone: tzinfo) -> Floats:
    """Hour of the local day (0…24) at the start of each step of the record and of the days beyond."""
    stamps = np.arange(record.start_s, record.end_s + BEYOND_S, record.step_s).tolist()
    moments = [datetime.fromtimestamp(stamp, zone) for stamp in stamps]
    return np.array([moment.hour + moment.minute / 60.0 for moment in moments])


def counted(path: Path, record: History, *, start: date, days: int, zone: tzinfo) -> tuple[int, int]:
    """First step and number of steps of `days` days from the local midnight of `start`."""
    start_s = datetime.combine(start, time(), tzinfo=zone).timestamp()
    first = (start_s - record.start_s) / record.step_s
    steps = round(days * 86400.0 / record.step_s)
    if first < 0.0 or first + steps > len(record.load_w):
        edges = (datetime.fromtimestamp(edge_s, zone) for edge_s in (record.start_s, record.end_s))
        begin, end = (edge.isoformat(" ", "minutes") for edge in edges)
        raise InputError(path, "range", has=f"{begin} – {end}", wanted=f"{start} + {days} d")
    if first != int(first):
        raise InputError(path, "midnight", step=f"{record.step_s:g} s", day=str(start))
    return int(first), steps
