"""`zen bench minute`: plans of 15 minutes scored at one minute, with the delay of a real loop."""

import json as json_text
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.cli.bench.common import DaysOption, JsonOption, StartOption, plain_errors
from gateway.cli.language import language, say
from gateway.core.planning.method import Method
from gateway.planning.method_file import as_table, read_method
from gateway.study.benches import minute as study
from gateway.study.replay.limit import perfect_eur
from gateway.words.figures import number

LoadOption = Annotated[Path, typer.Option(help="CSV or Parquet of one minute: a time column, load_w.", metavar="FILE")]
PvOption = Annotated[Path, typer.Option(help="PV per kWp: time_utc, pv_south35_w_per_kwp or pv_w_per_kwp.")]
KwpOption = Annotated[float, typer.Option(help="Size of the roof.", min=0.1, max=1000)]
DelayOption = Annotated[float, typer.Option(help="From a change at the meter to the battery (s).", min=0, max=3600)]


def minute(
    load: LoadOption,
    pv: PvOption,
    start: StartOption,
    kwp: KwpOption = 5.0,
    days: DaysOption = 28,
    delay: DelayOption = study.DELAY_S,
    json: JsonOption = None,
) -> None:
    """8 kWh and 4 kW, 0.95 each way; HP 0.2081, HC 0.1635 (22-06 h), surplus 0.04 EUR/kWh; limit: LP at one minute."""
    with plain_errors():
        method = read_method()
        result = _result(load, pv, kwp=kwp, start=start.date(), days=days, delay_s=delay, method=method)
        if json is not None:
            json.write_text(json_text.dumps(result, indent=2) + "\n", encoding="utf-8")
    console = Console()
    for name, score in result["S"].items():
        console.print(f"{say(f'bench.way.{name}'):<16} S {number(language(), score, 4)}", highlight=False)


def _result(
    load: Path, pv: Path, *, kwp: float, start: date, days: int, delay_s: float, method: Method
) -> dict[str, Any]:
    case = study.case_of(load, pv, kwp=kwp, start=start, days=days)
    idle, perfect = study.idle_eur(case), perfect_eur(case)
    ways = {
        "rule": study.followed(case, study.rule(case), delay_s=delay_s),
        "zen": study.followed(case, study.zen(case, method), delay_s=delay_s),
    }
    return {
        "bench": "minute",
        "data": [load.name, pv.name],
        "kwp": kwp,
        "start": start.isoformat(),
        "days": days,
        "delay_s": delay_s,
        "eur": {"none": idle, "perfect": perfect, **{name: life.eur for name, life in ways.items()}},
        "S": {name: round((idle - life.eur) / (idle - perfect), 4) for name, life in ways.items()},
        "method": as_table(method),
    }
