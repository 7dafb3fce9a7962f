"""What the benches of homes have in common: reading, a bar of progress, a table, a file of results."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.adapters.solver import SolverError
from gateway.cli.check import show_mistakes
from gateway.cli.language import language, say
from gateway.core.planning.method import Method
from gateway.mistakes import MistakesError
from gateway.planning.method_file import as_table, read_method
from gateway.study.benches.report.results import ResultsError
from gateway.study.benches.study_time import StudyFailedError
from gateway.study.record.errors import InputError
from gateway.study.replay.case import Case
from gateway.study.replay.outcome import Outcome, compare
from gateway.study.replay.spread import SHARE
from gateway.words.figures import number

people = Console(stderr=True)  # stdout is for results

DataOption = Annotated[Path, typer.Option(help="CSV or Parquet with a time column, load and PV.", metavar="FILE")]
StartOption = Annotated[
    datetime, typer.Option(formats=["%Y-%m-%d"], help="First counted day; what lies before is only learnt from.")
]
DaysOption = Annotated[int, typer.Option(help="Counted days.", min=1, max=3660)]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the result here, too.", metavar="FILE")]
ByDayOption = Annotated[bool, typer.Option("--by-day", help="Show the cost of each day, too.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """What is wrong is printed in one sentence of the terminal's language; exit code 2."""
    try:
        yield
    except InputError as error:
        sentence = say(f"study.bad.{error.code}", **error.facts)
    except SolverError as error:
        sentence = say("bench.no_limit", why=str(error))
    except ResultsError as error:
        sentence = say("bench.no_results", file=str(error.path), why=error.why)
    except StudyFailedError as error:
        sentence = str(error)  # the study's own sentence
    except MistakesError as error:
        show_mistakes(error)
        raise typer.Exit(2) from error
    except OSError as error:
        sentence = str(error)
    else:
        return
    refuse(sentence)


def refuse(sentence: str) -> NoReturn:
    """The sentence, and exit code 2."""
    people.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


class Build(Protocol):
    """How a bench makes its case from a file."""

    def __call__(self, path: Path, *, start: date, days: int) -> Case:
        """InputError when the file is none."""


def run(
    name: str, build: Build, *, data: Path, start: datetime, days: int, json_file: Path | None, by_day: bool = False
) -> None:
    """One bench from file to table."""
    with plain_errors():
        method = read_method()
        case = build(data, start=start.date(), days=days)
        outcome = _watched(name, case, method)
        result = as_result(name, data, start.date(), days, method, outcome)
        if json_file is not None:
            json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    show(result)
    if by_day:
        show_days(result, start.date())


def _watched(name: str, case: Case, method: Method) -> Outcome:
    with Progress(console=people, transient=True) as progress:
        task = progress.add_task(name, total=case.steps)
        return compare(case, method, tick=_advance(progress, task))


def _advance(progress: Progress, task: Any) -> Callable[[], None]:
    return lambda: progress.advance(task)


def as_result(name: str, data: Path, start: date, days: int, method: Method, outcome: Outcome) -> dict[str, Any]:
    """What is written: the figures, and all that they depend on."""
    return {
        "bench": name,
        "data": data.name,
        "start": start.isoformat(),
        "days": days,
        "eur_per_day": outcome.eur_per_day,
        "S": outcome.score,
        "less_than_rule": outcome.less_than_rule,
        "rule_daily_eur": [round(eur, 4) for eur in outcome.rule_daily.tolist()],
        "zen_daily_eur": [round(eur, 4) for eur in outcome.zen_daily.tolist()],
        "plan_ms": round(outcome.plan_ms, 2),
        "method": as_table(method),
    }


def show(result: dict[str, Any]) -> None:
    """The result for people."""
    table = Table(title=title(result["bench"], result["data"], result["start"], result["days"]))
    table.add_column("")
    table.add_column(say("bench.eur_per_day"), justify="right")
    table.add_column("S", justify="right")
    fixed = {"none": 0.0, "perfect": 1.0}
    for way, eur in result["eur_per_day"].items():
        score = result["S"].get(way, fixed.get(way))
        table.add_row(say(f"bench.way.{way}"), _figure(eur), "" if score is None else _figure(score))
    console = Console()
    console.print(table)
    less = {name: _figure(result["less_than_rule"][name]) for name in ("mean", "low", "high")}
    console.print(say("bench.less_than_rule", share_pct=100.0 * SHARE, **less), highlight=False, soft_wrap=True)
    for section, values in result["method"].items():
        shown = "  ".join(f"{key}={value}" for key, value in values.items())
        console.print(f"{section}: {shown}", markup=False, highlight=False, soft_wrap=True)
    console.print(say("bench.decision", ms=number(language(), result["plan_ms"], 2)), highlight=False)


def title(bench: str, data: str, start: str, days: int) -> str:
    """What a table of a recorded building is about."""
    return say("bench.title", bench=bench, data=data, start=start, days=str(days))


def show_days(result: dict[str, Any], start: date) -> None:
    """What each day cost; energy that a day leaves stored counts for it at the least price."""
    table = Table(title="EUR")
    for column in ("bench.day", "bench.way.rule", "bench.way.zen", "bench.less"):
        table.add_column(say(column), justify="right")
    for after, (plain, own) in enumerate(zip(result["rule_daily_eur"], result["zen_daily_eur"], strict=True)):
        day = start + timedelta(days=after)
        table.add_row(day.isoformat(), _figure(plain), _figure(own), _figure(plain - own))
    Console().print(table)


def _figure(value: float) -> str:
    return number(language(), value, 4)
