"""The options of the command line, and the inputs of a study that they stand for."""

from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from gateway.cli.study.tariff import AskedTariff, Called, Priced, read_co2, read_tariff
from gateway.core.model.levels import Floats, Storage
from gateway.core.pricing.goals import Goals
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import Tariff
from gateway.planning.method_file import read_method
from gateway.study.record.errors import InputError
from gateway.study.record.inputs import read_inputs, slot_s
from gateway.study.record.priced import co2_on, prices_on
from gateway.study.record.series import Record
from gateway.study.whatif.study_inputs import Colours, StudyInputs

BEYOND_S = 4 * 86400.0  # prices are known farther than the record: plans look ahead
MOST_KWH = 1e5
HOURS_TO_FILL = 2.0  # where no power is given: a storage is charged in this time


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What was asked for on the command line."""

    load: Path
    pv: Path | None
    load_column: str | None
    pv_column: str | None
    kwp: float | None
    battery: str
    power: float | None
    efficiency: float
    tariff: str
    off_peak: str
    keys: list[str]
    sell: float
    co2: str | None
    start: datetime | None
    days: int | None
    zone: str | None
    replan: int
    colours: Path | None
    goal_cost: float | None
    goal_self_consumption: float | None
    goal_co2: float | None


def study_inputs_of(options: StudyOptions) -> tuple[StudyInputs, Priced]:
    """The inputs, and where its prices are from. InputError, MistakesError of a site file, OSError."""
    storages = _storages(options)
    priced = read_tariff(
        AskedTariff(
            name=options.tariff,
            zone=_zone(options.zone),
            off_peak=_list(options.off_peak),
            sell=options.sell,
            days=options.colours,
            keys=_keys(options.keys),
        )
    )
    goals = _goals(options, priced.goals)
    columns = {"load_column": options.load_column, "pv_column": options.pv_column}
    record = read_inputs(options.load, options.pv, zone=priced.zone, kwp=options.kwp, **columns)
    known = record.known
    each = round(slot_s(known.step_s) / known.step_s)
    first, steps = _counted(options, priced, record, each)
    buy, sell = _prices(priced.tariff, record)
    inputs = StudyInputs(
        record=record,
        zone=priced.zone,
        first=first,
        steps=steps,
        each=each,
        every=max(1, round(60.0 * options.replan / (each * known.step_s))),
        buy=buy,
        sell=sell,
        co2=_co2(options, priced, goals, record),
        storages=storages,
        method=read_method(),
        goals=goals,
        colours=None if priced.called is None else _colours(priced.called, record),
    )
    if priced.called is not None:
        _check_colours(options, priced.called, inputs)
    return inputs, priced


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(Path(name or ""), "zone", found=str(name)) from error


def _keys(given: list[str]) -> dict[str, str]:
    """Keys of [tariff] by their names, from KEY=VALUE."""
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (key, sign, _) in zip(given, pairs, strict=True) if not key.strip() or not sign]
    if wrong:
        raise InputError(Path(), "keys", found=wrong[0])
    return {key.strip(): value.strip() for key, _, value in pairs}


def _list(given: str) -> list[str]:
    return [part.strip() for part in given.split(",") if part.strip()]


def _storages(options: StudyOptions) -> tuple[Storage, ...]:
    """The sizes above 0, rising; 0 is the building as it is."""
    try:
        sizes = sorted({float(part.replace("kWh", "")) for part in _list(options.battery)})
    except ValueError as error:
        raise InputError(Path(), "battery", found=options.battery) from error
    if not sizes or not all(0.0 <= kwh <= MOST_KWH for kwh in sizes) or sizes[-1] == 0.0:
        raise InputError(Path(), "battery", found=options.battery)
    return tuple(_storage(kwh, options) for kwh in sizes if kwh > 0.0)


def _storage(kwh: float, options: StudyOptions) -> Storage:
    power_w = 1000.0 * (options.power if options.power is not None else kwh / HOURS_TO_FILL)
    return Storage(
        capacity_wh=1000.0 * kwh,
        charge_max_w=power_w,
        discharge_max_w=power_w,
        charge_efficiency=options.efficiency,
        discharge_efficiency=options.efficiency,
    )


def _prices(tariff: Tariff, record: Record) -> tuple[Floats, Floats]:
    return prices_on(tariff, start_s=record.known.start_s, step_s=record.known.step_s, steps=_steps(record))


def _steps(record: Record) -> int:
    """How far prices are wanted."""
    return len(record.known.load_w) + round(BEYOND_S / record.known.step_s)


def _goals(options: StudyOptions, of_site: Goals) -> Goals:
    """Those of the site file, where no option says another."""
    weights = {
        "cost": options.goal_cost,
        "self_consumption_eur_per_kwh": options.goal_self_consumption,
        "co2_eur_per_t": options.goal_co2,
    }
    try:
        return replace(of_site, **{name: weight for name, weight in weights.items() if weight is not None})
    except ValueError as error:
        raise InputError(Path(), "goals") from error


def _co2(options: StudyOptions, priced: Priced, goals: Goals, record: Record) -> Floats | None:
    """g/kWh of each step; that of the site file only where a goal needs it."""
    is_goal = goals.co2_eur_per_t > 0.0
    co2 = read_co2(options.co2 or (priced.co2 if is_goal else None))
    if isinstance(co2, PointSeries):
        return co2_on(co2, start_s=record.known.start_s, step_s=record.known.step_s, steps=_steps(record))
    if co2 is None and is_goal:
        raise InputError(Path(), "co2_goal")
    return None if co2 is None else np.full(_steps(record), co2)


def _colours(called: Called, record: Record) -> Colours:
    """What plans assume for days whose type is not announced yet."""
    return Colours(buy=_prices(called.unknown, record)[0], zone=called.zone, rules=called.rules)


def _check_colours(options: StudyOptions, called: Called, inputs: StudyInputs) -> None:
    """Each counted day has a type."""
    missing = called.rules.unknown(called.days, inputs.start_s, inputs.end_s, called.zone)
    if missing:
        days = {"first": missing[0].isoformat(), "last": missing[-1].isoformat(), "count": str(len(missing))}
        raise InputError(options.colours or Path(), "colours_missing", **days)


def _counted(options: StudyOptions, priced: Priced, record: Record, each: int) -> tuple[int, int]:
    """First counted step and how many, in whole slots: local days where `--start` or `--days` say so."""
    known = record.known
    slot = each * known.step_s
    slots = len(known.load_w) // each
    begin = 0
    if options.start is not None:
        start_s = datetime.combine(options.start.date(), time(), tzinfo=priced.zone).timestamp()
        begin = round((start_s - known.start_s) / slot)
    if options.days is None:
        count = slots - begin
    else:
        first_day = datetime.fromtimestamp(known.start_s + begin * slot, priced.zone)
        end = datetime.fromordinal(first_day.toordinal() + options.days)
        end_s = datetime.combine(end.date(), first_day.time(), tzinfo=priced.zone).timestamp()
        count = round((end_s - known.start_s) / slot) - begin
    if begin < 0 or count < 1 or begin + count > slots:
        edges = (
            datetime.fromtimestamp(edge, priced.zone).strftime("%Y-%m-%d") for edge in (known.start_s, known.end_s)
        )
        wanted = f"{options.start.date() if options.start else '—'} + {options.days or '—'} d"
        raise InputError(options.load, "range", has=" – ".join(edges), wanted=wanted)
    return begin * each, count * each
