"""The self-test over the console, with its printed result."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.language import say
from gateway.cli.node.screen import bars, people, test_table
from gateway.commission.console import Console

PATIENCE_S = 40.0  # between two results: a broker that is not there takes longest
READY_S = 60  # for network, broker and table of a board that has just started
_ENDS = ("unit", "broker", "order")  # steps that count in the bar


def prove(console: Console, before: Sequence[Mapping[str, Any]] = ()) -> bool:
    """The self-test with its table; whether all of it is well. Rows `before` were found by the tool itself."""
    table = json.loads(console.ask("get")["table"] or "{}")
    with bars() as progress:
        task = progress.add_task(say("node.testing"), total=len(table.get("units", ())) + 2)

        def step(row: dict[str, Any]) -> None:
            progress.update(task, advance=row["step"] in _ENDS)

        rows = [*before, *console.ask("test", patience_s=PATIENCE_S, now=step)]
        progress.update(task, total=1, completed=1)
    people.print(test_table(rows, table))
    return all(row["ok"] for row in rows)


def wait_ready(console: Console) -> None:
    """Until a node with a place has its broker and its table, which the gateway keeps there; or for a minute."""
    for _ in range(READY_S):
        if console.ask("info")["link"] == "link: up" and console.ask("get")["table"]:
            return
        console.listen(1)
