"""`zen bench all` and `zen bench page`: every bench of the published page, and the page."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.bench.common import people, plain_errors
from gateway.cli.language import say
from gateway.planning.method_file import method_file
from gateway.study.benches.report.benches import BENCHES, Bench
from gateway.study.benches.report.page import texts
from gateway.study.benches.report.results import read
from gateway.study.benches.report.run import Account, run, write_account

DATA = Path("../shared/data")
OUT = Path("build/bench")

DataFolder = Annotated[Path, typer.Option(help="Folder of recorded series.", metavar="FOLDER")]
OutFolder = Annotated[Path, typer.Option(help="Where results are written.", metavar="FOLDER")]
OnlyOption = Annotated[str, typer.Option(help="Only benches whose name holds this; the rest is kept.")]
DocsOption = Annotated[Path, typer.Option(help="Folder of the page.", metavar="FOLDER")]


def everything(context: typer.Context, data: DataFolder = DATA, out: OutFolder = OUT, only: OnlyOption = "") -> None:
    """Every bench of the page, one after the other, with one configuration; results as JSON files."""
    chosen = [bench for bench in BENCHES if only in bench.name]
    if not chosen:
        people.print(say("bench.all.none", name=only), style="red", markup=False, highlight=False)
        raise typer.Exit(2)
    out.mkdir(parents=True, exist_ok=True)
    known = _siblings(context)
    configuration = method_file().read_text(encoding="utf-8")
    for bench in chosen:
        account = _one(bench, data, out, known)
        write_account(out, {bench.name: account}, configuration)


def page(results: OutFolder = OUT, docs: DocsOption = Path("docs")) -> None:
    """The page and its pictures from the results, as far as there are any."""
    with plain_errors():
        written = texts(read(results), docs)
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    people.print(say("bench.all.page", page=str(docs / "benchmarks.md")), highlight=False, soft_wrap=True)


def _one(bench: Bench, data: Path, out: Path, known: list[str]) -> Account:
    with people.status(say("bench.all.running", name=bench.name)):
        account = run(bench, data=data, out=out, known=known)
    people.print(
        say(f"bench.all.{account.status}", name=bench.name, why=account.why, took_s=account.took_s, data=str(data)),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return account


def _siblings(context: Any) -> list[str]:
    """The subcommands that `zen bench` has in this version."""
    return list(context.parent.command.commands)
