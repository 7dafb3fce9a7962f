"""`zen study`: what a storage would have brought to a recorded building."""

import json
import os
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.check import show_mistakes
from gateway.cli.language import language as spoken
from gateway.cli.study.table import show
from gateway.cli.study.tariff import Priced, read_co2, read_tariff
from gateway.core.levels import Floats, Storage
from gateway.core.point_series import PointSeries
from gateway.mistakes import MistakesError
from gateway.settings.method import read_method
from gateway.study.record.inputs import InputError, read_inputs, slot_s
from gateway.study.record.priced import co2_on, prices_on
from gateway.study.record.series import Record
from gateway.study.whatif.answer import CHUNK, Size, WhatIf, answer
from gateway.study.whatif.figures import report
from gateway.study.whatif.page import page
from gateway.words import LANGUAGES, text

people = Console(stderr=True)  # stdout is for results
BEYOND_S = 4 * 86400.0  # prices are known farther than the record: plans look ahead
MOST_KWH = 1e5
HOURS_TO_FILL = 2.0  # where no power is given: a storage is charged in this time

File = Annotated[Path, typer.Option(metavar="FILE")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
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
    sell: float
    co2: str | None
    start: datetime | None
    days: int | None
    zone: str | None
    replan: int


def study(
    *,
    load: Annotated[Path, typer.Option(help="CSV or Parquet: time and load_w or load_kw.", metavar="FILE")],
    pv: Annotated[Path | None, typer.Option(help="The same for pv_w; left out: in --load.", metavar="FILE")] = None,
    load_column: Annotated[str | None, typer.Option(help="Where a file has several.", metavar="NAME")] = None,
    pv_column: Annotated[str | None, typer.Option(help="Where a file has several.", metavar="NAME")] = None,
    kwp: Annotated[float | None, typer.Option(help="Size of the PV, where its column is per kWp.", min=0.0)] = None,
    battery: Annotated[str, typer.Option(help="Sizes in kWh.", metavar="KWH,…")] = "0,2.5,5,10,15",
    power: Annotated[float | None, typer.Option(help="kW; left out: full in 2 hours.", min=0.01, max=1e5)] = None,
    efficiency: Annotated[float, typer.Option(help="Each way, 0…1.", min=0.5, max=1.0)] = 0.95,
    tariff: Annotated[str, typer.Option(help="A list of config/tariffs, or a site file.", metavar="NAME")] = "edf_hphc",
    off_peak: Annotated[str, typer.Option(help="Off-peak hours of edf_hphc.", metavar="HH:MM-HH:MM,…")] = "22:00-06:00",
    sell: Annotated[float, typer.Option(help="EUR/kWh for surplus.", min=-1.0, max=10.0)] = 0.04,
    co2: Annotated[str | None, typer.Option(help="g/kWh of the grid: a number, or points.", metavar="G|FILE")] = None,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First counted day.")] = None,
    days: Annotated[int | None, typer.Option(help="Counted days; left out: all.", min=1, max=36600)] = None,
    zone: Annotated[str | None, typer.Option(help="Clock of stamps and prices.", metavar="NAME")] = None,
    replan: Annotated[int, typer.Option(help="Minutes between plans.", min=15, max=1440)] = 180,
    workers: Annotated[int | None, typer.Option(help="Processes; left out: one per core.", min=1, max=64)] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Figures.", metavar="FILE")] = None,
    page_file: Annotated[Path | None, typer.Option("--page", help="Pictures (HTML).", metavar="FILE")] = None,
    language: Annotated[str | None, typer.Option(help="en or fr.")] = None,
) -> None:
    """Live a recorded building again with storages of several sizes: by the plain rule, by this gateway, perfectly."""
    wish = Wish(
        load=load, pv=pv, load_column=load_column, pv_column=pv_column, kwp=kwp, battery=battery, power=power,
        efficiency=efficiency, tariff=tariff, off_peak=off_peak, sell=sell, co2=co2, start=start, days=days,
        zone=zone, replan=replan,
    )  # fmt: skip
    _run(wish, workers=workers, json_file=json_file, page_file=page_file, tongue=_language(language))


def _run(wish: Wish, *, workers: int | None, json_file: Path | None, page_file: Path | None, tongue: str) -> None:
    """From files to table, JSON and page; what is wrong is told in one sentence, exit code 2."""
    before_s = perf_counter()
    try:
        priced = read_tariff(wish.tariff, zone=_zone(wish.zone), off_peak=_list(wish.off_peak), sell=wish.sell)
        asked = _asked(wish, priced)
        sizes = _answered(asked, workers, tongue)
        named = {"load": wish.load.name, "pv": (wish.pv or wish.load).name, "tariff": priced.title}
        found = report(asked, sizes, named=named, seconds=perf_counter() - before_s)
        _write(found, asked, sizes, json_file=json_file, page_file=page_file, language=tongue)
    except InputError as error:
        _refuse(text(tongue, f"study.bad.{error.code}", **error.facts))
    except MistakesError as error:
        show_mistakes(error)
        raise typer.Exit(2) from error
    except OSError as error:
        _refuse(str(error))
    show(found, tongue)


def _refuse(sentence: str) -> None:
    people.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def _language(wanted: str | None) -> str:
    if wanted is not None and wanted not in LANGUAGES:
        raise typer.BadParameter(", ".join(LANGUAGES), param_hint="--language")
    return wanted or spoken()


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(Path(name or ""), "zone", found=str(name)) from error


def _list(given: str) -> list[str]:
    return [part.strip() for part in given.split(",") if part.strip()]


def _storages(wish: Wish) -> tuple[Storage, ...]:
    """The sizes above 0, rising; 0 is the building as it is."""
    try:
        sizes = sorted({float(part.replace("kWh", "")) for part in _list(wish.battery)})
    except ValueError as error:
        raise InputError(Path(), "battery", found=wish.battery) from error
    if not sizes or not all(0.0 <= kwh <= MOST_KWH for kwh in sizes) or sizes[-1] == 0.0:
        raise InputError(Path(), "battery", found=wish.battery)
    return tuple(_storage(kwh, wish) for kwh in sizes if kwh > 0.0)


def _storage(kwh: float, wish: Wish) -> Storage:
    power_w = 1000.0 * (wish.power if wish.power is not None else kwh / HOURS_TO_FILL)
    return Storage(
        capacity_wh=1000.0 * kwh,
        charge_max_w=power_w,
        discharge_max_w=power_w,
        charge_efficiency=wish.efficiency,
        discharge_efficiency=wish.efficiency,
    )


def _asked(wish: Wish, priced: Priced) -> WhatIf:
    storages = _storages(wish)
    columns = {"load_column": wish.load_column, "pv_column": wish.pv_column}
    record = read_inputs(wish.load, wish.pv, zone=priced.zone, kwp=wish.kwp, **columns)
    known = record.known
    each = round(slot_s(known.step_s) / known.step_s)
    first, steps = _counted(wish, priced, record, each)
    count = len(known.load_w) + round(BEYOND_S / known.step_s)
    buy, sell = prices_on(priced.tariff, start_s=known.start_s, step_s=known.step_s, steps=count)
    return WhatIf(
        record=record,
        zone=priced.zone,
        first=first,
        steps=steps,
        each=each,
        every=max(1, round(60.0 * wish.replan / (each * known.step_s))),
        buy=buy,
        sell=sell,
        co2=_co2(wish.co2, record, count),
        storages=storages,
        method=read_method(),
    )


def _co2(given: str | None, record: Record, count: int) -> Floats | None:
    told = read_co2(given)
    if isinstance(told, PointSeries):
        return co2_on(told, start_s=record.known.start_s, step_s=record.known.step_s, steps=count)
    return None if told is None else np.full(count, told)


def _counted(wish: Wish, priced: Priced, record: Record, each: int) -> tuple[int, int]:
    """First counted step and how many, in whole slots: local days where `--start` or `--days` say so."""
    known = record.known
    slot = each * known.step_s
    slots = len(known.load_w) // each
    begin = 0
    if wish.start is not None:
        start_s = datetime.combine(wish.start.date(), time(), tzinfo=priced.zone).timestamp()
        begin = round((start_s - known.start_s) / slot)
    if wish.days is None:
        count = slots - begin
    else:
        first_day = datetime.fromtimestamp(known.start_s + begin * slot, priced.zone)
        end = datetime.fromordinal(first_day.toordinal() + wish.days)
        end_s = datetime.combine(end.date(), first_day.time(), tzinfo=priced.zone).timestamp()
        count = round((end_s - known.start_s) / slot) - begin
    if begin < 0 or count < 1 or begin + count > slots:
        edges = (
            datetime.fromtimestamp(edge, priced.zone).strftime("%Y-%m-%d") for edge in (known.start_s, known.end_s)
        )
        wanted = f"{wish.start.date() if wish.start else '—'} + {wish.days or '—'} d"
        raise InputError(wish.load, "range", has=" – ".join(edges), wanted=wanted)
    return begin * each, count * each


def _answered(asked: WhatIf, workers: int | None, tongue: str) -> list[Size]:
    plans = asked.steps // asked.each // asked.every
    cores = workers or (os.cpu_count() or 1 if plans > 2 * CHUNK else 1)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=people, transient=True) as progress:
        task = progress.add_task(text(tongue, "study.busy"), total=1.0)
        return answer(asked, workers=cores, tick=lambda share: progress.update(task, completed=share))


def _write(
    found: dict[str, Any],
    asked: WhatIf,
    sizes: list[Size],
    *,
    json_file: Path | None,
    page_file: Path | None,
    language: str,
) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if page_file is not None:
        page_file.write_text(page(found, asked, sizes, language=language), encoding="utf-8")
