"""Giving a board its place in a building, over its console."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters.boards import Board
from gateway.commission import secrets
from gateway.commission.backups import Backup
from gateway.commission.compose import compose
from gateway.commission.console import Console
from gateway.commission.faults import CommissionError
from gateway.mistakes import Mistake, choice
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file.site_file import SiteFile, SiteFileError
from gateway.wire import essentials

LONGEST = 8000  # bytes of a request that a node reads; a longer table comes from the gateway
RESTART_S = 40.0  # safe values, goodbye, boot


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningPlan:
    """What a node is to know. `made`: names of secrets that were made for it, now in `secrets_file`."""

    node: str
    essentials: Mapping[str, Any]
    table: str | None
    label: str | None
    made: tuple[str, ...] = ()
    secrets_file: Path | None = None
    whole: bool = True  # what it does not name is to go


def from_site(
    file: SiteFile, node: str, boards: Mapping[str, Board], environment: Mapping[str, str], *, computer: bool = False
) -> ProvisioningPlan:
    """The plan of a node of a site file. SiteFileError names all that is missing for it.

    `computer`: the node runs on a computer; its network and its lines are what they are.
    """
    if node not in file.nodes:
        raise SiteFileError(file.path, [Mistake(path="NODE", found=node, allowed=choice(node, list(file.nodes)))])
    kept = secrets.secrets_file(file.path)
    found = secrets.complete(node, kept, environment)
    flaws = secrets.flaws(node, found, wifi=file.nodes[node].wifi is not None and not computer)
    if flaws:
        raise SiteFileError(file.path, flaws)
    return ProvisioningPlan(
        node=node,
        essentials=compose(file, node, boards, found, computer=computer),
        table=poll_tables(file)[node].text,
        label=found.label,
        made=found.made,
        secrets_file=kept,
        whole=not computer,
    )


def from_backup(backup: Backup, kept: Path | None, environment: Mapping[str, str]) -> ProvisioningPlan:
    """The plan to restore a backup; secrets that are not in it come from the environment or the file `kept`."""
    node = str(backup.essentials.get("node", ""))
    known = secrets.known(node, kept, environment)
    whole = backup.with_secrets(known).essentials
    try:
        essentials.take(json.dumps(whole))
    except essentials.EssentialsError as error:
        raise CommissionError("refused", do="set", why=str(error)) from error
    return ProvisioningPlan(node=node, essentials=whole, table=backup.table, label=known.get("label"))


def give(console: Console, plan: ProvisioningPlan, done: Callable[[int], None]) -> Mapping[str, Any]:
    """Sets, commits and waits for the restarted node; gives its `info`. `done` counts to three."""
    gone = dict.fromkeys(set(console.ask("get")["node"]) - set(plan.essentials)) if plan.whole else {}
    fields: dict[str, Any] = {"node": gone | dict(plan.essentials)}
    if plan.label:
        fields["label"] = plan.label
    console.ask("set", **fields)
    done(1)
    if plan.table is not None and len(json.dumps(plan.table)) < LONGEST:
        console.ask("set", table=plan.table)
    before = console.ask("info")
    console.ask("commit", patience_s=10)
    done(2)
    info = _restarted(console, before, plan.node)
    done(3)
    return info


def _restarted(console: Console, before: Mapping[str, Any], node: str) -> Mapping[str, Any]:
    """The node's `info` once another boot answers under its name."""
    for _ in range(int(RESTART_S)):
        info = console.connect(RESTART_S, node=node)
        if info["boot"] != before["boot"]:
            return info
        console.listen(0.5)
    raise CommissionError("silent", port=console.port, wait_s=RESTART_S)
