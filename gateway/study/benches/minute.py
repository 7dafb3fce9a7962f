"""One-minute truth: plans of a quarter of an hour, scored at one minute, with the delay that a real loop has.

The power of a minute changes at its start; the battery follows `delay_s` later, and until then does what the minute
before requested. The default delay is that of the whole chain on real sockets: from the change at the grid meter to the
battery at its new power, about 1.2 s (poll of the meter, gateway, dead time and ramp of a usual converter).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.levels import Floats, Levels, Storage, follow, plain
from gateway.core.planning.method import Method
from gateway.simulator.recordings.table_file import TableFileError, read_columns, read_names
from gateway.study.record.errors import InputError, no_table
from gateway.study.record.series import check_order, floats, one_of, stamps
from gateway.study.replay.case import Case
from gateway.study.replay.zen import zen as planned

DELAY_S = 1.2
MINUTE_S = 60.0
SLOT_MINUTES = 15
HOURS = MINUTE_S / 3600.0
# The tariff and the battery of the published table: 8 kWh, 4 kW, 0.95 each way, heures creuses from 22 to 6 h.
STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)
HP, HC, SURPLUS, END_SHARE = 0.2081, 0.1635, 0.04, 0.95
CLOCK = timezone(timedelta(hours=1))  # local time without change of hour, as the load's stamps

Ask = Callable[[int, float], Levels]  # minute of the record, stored energy (Wh) -> levels that hold from then on


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteResult:
    """What the counted minutes led to."""

    # What they cost (EUR), what is stored in the end settled.
    eur: float
    # What is stored in the end (Wh above empty).
    energy_wh: float


def case_of(load: Path, pv: Path, *, kwp: float, start: date, days: int) -> Case:
    """A load of one minute beside the PV of a weather file, on straight lines between its values.

    Raises InputError for files that do not hold them or do not reach over the days.
    """
    load_w, first_s = _series(load, ("load_w",), 1.0)
    solar_w, solar_s = _series(pv, ("pv_south35_w_per_kwp", "pv_w_per_kwp", "pv_w"), kwp)
    stamps = first_s[0] + MINUTE_S * np.arange(round((first_s[-1] - first_s[0]) / MINUTE_S) + 1)
    record = History(
        start_s=float(stamps[0]),
        step_s=MINUTE_S,
        load_w=np.interp(stamps, first_s, load_w),
        pv_w=-np.interp(stamps, solar_s, solar_w),
    )
    begin_s = datetime.combine(start, time(), tzinfo=CLOCK).timestamp()
    first, steps = round((begin_s - record.start_s) / MINUTE_S), days * 1440
    if first < 0 or first + steps > len(stamps):
        edges = (datetime.fromtimestamp(edge_s, CLOCK).date() for edge_s in stamps[[0, -1]].tolist())
        raise InputError(load, "range", has=" – ".join(map(str, edges)), wanted=f"{start} + {days} d")
    hour = (np.arange(len(stamps) + 3 * 1440) * HOURS + _hour(record.start_s)) % 24.0
    return Case(
        record=record,
        usable=record,
        first=first,
        steps=steps,
        storage=STORAGE,
        start_wh=0.0,
        buy=np.where((hour < 6.0) | (hour >= 22.0), HC, HP),
        sell=np.full(len(hour), SURPLUS),
        end_price=END_SHARE * HC,
        zone=CLOCK,
    )


def followed(case: Case, ask: Ask, *, delay_s: float) -> MinuteResult:
    """The counted minutes, levels asked for at each slot, the battery late by `delay_s`."""
    net_w, (buy, sell) = case.net_w.tolist(), case.prices
    whole, share = divmod(delay_s / MINUTE_S, 1.0)
    wanted = [0.0] * (int(whole) + 1)  # what was requested before the first minute
    energy_wh, eur, levels = case.start_wh, 0.0, plain(case.storage)
    for k in range(case.steps):
        if k % SLOT_MINUTES == 0:
            levels = ask(case.first + k, energy_wh)
        wanted.append(float(follow(levels, case.storage, energy_wh=energy_wh, net_w=net_w[k], hours=HOURS)))
        for power_w, part in ((wanted[-2 - int(whole)], share), (wanted[-1 - int(whole)], 1.0 - share)):
            given_w, energy_wh = _moved(case.storage, energy_wh, power_w, HOURS * part)
            grid_kwh = (net_w[k] + given_w) * HOURS * part / 1000.0
            eur += buy[k] * max(grid_kwh, 0.0) + sell[k] * min(grid_kwh, 0.0)
    return MinuteResult(eur=eur - case.end_price * (energy_wh - case.start_wh) / 1000.0, energy_wh=energy_wh)


def idle_eur(case: Case) -> float:
    """What the counted minutes cost without a battery."""
    buy, sell = case.prices
    grid_kwh = case.net_w * HOURS / 1000.0
    return float((buy * np.maximum(grid_kwh, 0.0) + sell * np.minimum(grid_kwh, 0.0)).sum())


def rule(case: Case) -> Ask:
    """The plain rule."""
    levels = plain(case.storage)
    return lambda _minute, _energy_wh: levels


def zen(case: Case, method: Method) -> Ask:
    """The gateway's own planner at the steps of its plan; of the coming slot it knows nothing."""
    decide = planned(slots_of(case), method, knows_step=False)
    return lambda minute, energy_wh: decide(minute // SLOT_MINUTES, energy_wh)


def slots_of(case: Case) -> Case:
    """The same building at the steps of the plan: means of 15 minutes."""
    count = len(case.record.load_w) // SLOT_MINUTES
    start = case.record.start_s

    def means(values: Floats) -> Floats:
        return np.asarray(values[: count * SLOT_MINUTES].reshape(count, SLOT_MINUTES).mean(axis=1))

    record = History(
        start_s=start,
        step_s=MINUTE_S * SLOT_MINUTES,
        load_w=means(case.record.load_w),
        pv_w=means(case.record.pv_w),
    )
    return Case(
        record=record,
        usable=record,
        first=case.first // SLOT_MINUTES,
        steps=case.steps // SLOT_MINUTES,
        storage=case.storage,
        start_wh=case.start_wh,
        buy=case.buy[::SLOT_MINUTES],
        sell=case.sell[::SLOT_MINUTES],
        end_price=case.end_price,
        zone=case.zone,
    )


def _moved(storage: Storage, energy_wh: float, power_w: float, hours: float) -> tuple[float, float]:
    """The power that the storage really takes or gives for so long, and what it then holds (Wh)."""
    if hours == 0.0:
        return 0.0, energy_wh
    if power_w > 0.0:
        power_w = min(power_w, (storage.capacity_wh - energy_wh) / (storage.charge_efficiency * hours))
        return power_w, min(energy_wh + power_w * storage.charge_efficiency * hours, storage.capacity_wh)
    power_w = max(power_w, -energy_wh * storage.discharge_efficiency / hours)
    return power_w, max(energy_wh + power_w / storage.discharge_efficiency * hours, 0.0)


def _series(path: Path, wanted: tuple[str, ...], scale: float) -> tuple[Floats, Floats]:
    """Values and their moments (Unix s); stamps without offset are local."""
    try:
        names = read_names(path)
        time_name, value_name = one_of(path, names, ("time_utc", "time_local", "time")), one_of(path, names, wanted)
        columns = read_columns(path, [time_name, value_name])
    except TableFileError as error:
        raise no_table(path, error) from error
    moments_s = stamps(path, columns[time_name], time_name, CLOCK)
    check_order(path, moments_s, CLOCK)
    values = floats(path, columns[value_name], value_name)
    known = np.isfinite(values)
    return scale * values[known], moments_s[known]


def _hour(utc_s: float) -> float:
    moment = datetime.fromtimestamp(utc_s, CLOCK)
    return moment.hour + moment.minute / 60.0
