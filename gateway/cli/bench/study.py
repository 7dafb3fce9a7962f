"""`zen bench study`: the time of `zen study` for a year at one minute."""

import json as json_text
import os
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.cli.bench.common import JsonOption, people, plain_errors
from gateway.cli.bench.minute import KwpOption, LoadOption, PvOption
from gateway.cli.language import say
from gateway.planning.method_file import as_table, read_method
from gateway.study.benches.study_time import Took, measure

SomeDaysOption = Annotated[int | None, typer.Option(help="Counted days; left out: all.", min=1, max=3660)]


def study(
    load: LoadOption, pv: PvOption, kwp: KwpOption = 5.0, days: SomeDaysOption = None, json: JsonOption = None
) -> None:
    """`zen study` with its defaults on a record of one minute: reading CSV, four sizes, JSON and page."""
    with plain_errors():
        method = as_table(read_method())
        with people.status(say("bench.all.running", name="zen study")):
            took = measure(load, pv, kwp=kwp, days=days)
        result = _result(took, [load.name, pv.name], method)
        if json is not None:
            json.write_text(json_text.dumps(result, indent=2) + "\n", encoding="utf-8")
    figures = {key: result[key] for key in ("steps", "wall_s", "processor_s")}
    sentence = say("bench.study.took", sizes=len(result["sizes_kwh"]), **figures)
    Console().print(sentence, markup=False, highlight=False, soft_wrap=True)


def _result(took: Took, data: list[str], method: dict[str, Any]) -> dict[str, Any]:
    figures = took.figures
    return {
        "bench": "study",
        "data": data,
        "days": figures["days"],
        "steps": round(figures["days"] * 86400.0 / figures["step_s"]),
        "sizes_kwh": [size["kwh"] for size in figures["sizes"]],
        "plan_every_s": figures["plan_every_s"],
        "wall_s": round(took.wall_s, 1),
        "processor_s": round(took.processor_s, 1),
        "cores": os.cpu_count(),
        "gain_eur": {f"{size['kwh']:g}": size["gain_eur"] for size in figures["sizes"]},
        "method": method,
    }
