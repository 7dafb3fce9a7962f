"""`zen study`: what a storage would have brought to a recorded building."""

import json
import os
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.check import show_mistakes
from gateway.cli.language import language as spoken
from gateway.cli.study.options import StudyOptions, study_inputs_of
from gateway.cli.study.table import show
from gateway.mistakes import MistakesError
from gateway.study.record.errors import InputError
from gateway.study.whatif.answer import CHUNK, Size, answer
from gateway.study.whatif.figures import report
from gateway.study.whatif.page import page
from gateway.study.whatif.study_inputs import StudyInputs
from gateway.words import LANGUAGES, text

people = Console(stderr=True)  # stdout is for results


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
    off_peak: Annotated[
        str, typer.Option(help="Off-peak hours of the meter.", metavar="HH:MM-HH:MM,…")
    ] = "22:00-06:00",
    set_keys: Annotated[list[str] | None, typer.Option("--set", help="Key of the tariff.", metavar="KEY=VALUE")] = None,
    sell: Annotated[float, typer.Option(help="EUR/kWh for surplus.", min=-1.0, max=10.0)] = 0.04,
    co2: Annotated[str | None, typer.Option(help="g/kWh of the grid: a number, or points.", metavar="G|FILE")] = None,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First counted day.")] = None,
    days: Annotated[int | None, typer.Option(help="Counted days; left out: all.", min=1, max=36600)] = None,
    colours: Annotated[Path | None, typer.Option(help="Called days: day,colour.", metavar="FILE")] = None,
    goal_cost: Annotated[float | None, typer.Option(help="Share of the bill that counts.", min=0.0, max=100.0)] = None,
    goal_self_consumption: Annotated[float | None, typer.Option(help="EUR/kWh kept.", min=0.0, max=10.0)] = None,
    goal_co2: Annotated[float | None, typer.Option(help="EUR/t not emitted; needs CO2.", min=0.0, max=1e5)] = None,
    zone: Annotated[str | None, typer.Option(help="Clock of stamps and prices.", metavar="NAME")] = None,
    replan: Annotated[int, typer.Option(help="Minutes between plans.", min=15, max=1440)] = 180,
    workers: Annotated[int | None, typer.Option(help="Processes; left out: one per core.", min=1, max=64)] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Figures.", metavar="FILE")] = None,
    page_file: Annotated[Path | None, typer.Option("--page", help="Pictures (HTML).", metavar="FILE")] = None,
    language: Annotated[str | None, typer.Option(help="en or fr.")] = None,
) -> None:
    """Live a recorded building again with storages of several sizes: by the plain rule, by this gateway, perfectly."""
    options = StudyOptions(
        load=load, pv=pv, load_column=load_column, pv_column=pv_column, kwp=kwp, battery=battery, power=power,
        efficiency=efficiency, tariff=tariff, off_peak=off_peak, keys=set_keys or [], sell=sell, co2=co2,
        start=start, days=days, zone=zone, replan=replan, colours=colours, goal_cost=goal_cost,
        goal_self_consumption=goal_self_consumption, goal_co2=goal_co2,
    )  # fmt: skip
    _run(options, workers=workers, json_file=json_file, page_file=page_file, tongue=_language(language))


def _run(
    options: StudyOptions, *, workers: int | None, json_file: Path | None, page_file: Path | None, tongue: str
) -> None:
    """From files to table, JSON and page; mistakes are one sentence, exit code 2."""
    before_s = perf_counter()
    try:
        inputs, priced = study_inputs_of(options)
        sizes = _answered(inputs, workers, tongue)
        named = {"load": options.load.name, "pv": (options.pv or options.load).name, "tariff": priced.title}
        found = report(inputs, sizes, named=named, seconds=perf_counter() - before_s)
        _write(found, inputs, sizes, json_file=json_file, page_file=page_file, language=tongue)
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


def _answered(inputs: StudyInputs, workers: int | None, tongue: str) -> list[Size]:
    plans = inputs.steps // inputs.each // inputs.every
    cores = workers or (os.cpu_count() or 1 if plans > 2 * CHUNK else 1)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=people, transient=True) as progress:
        task = progress.add_task(text(tongue, "study.busy"), total=1.0)
        return answer(inputs, workers=cores, tick=lambda share: progress.update(task, completed=share))


def _write(
    found: dict[str, Any],
    inputs: StudyInputs,
    sizes: list[Size],
    *,
    json_file: Path | None,
    page_file: Path | None,
    language: str,
) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if page_file is not None:
        page_file.write_text(page(found, inputs, sizes, language=language), encoding="utf-8")
