"""`zen node`: a board becomes a node, is looked at, proven, kept up to date."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from gateway.adapters import boards
from gateway.cli.check import read
from gateway.cli.language import say
from gateway.cli.node import flash, release
from gateway.cli.node.proof import prove
from gateway.cli.node.screen import (
    bars,
    info_table,
    monitor_picture,
    not_ours,
    people,
    plain_faults,
    scan_table,
    show_label,
)
from gateway.commission import backups, provisioning, secrets
from gateway.commission.console import Console
from gateway.commission.faults import CommissionError
from gateway.commission.provisioning import Plan
from gateway.site.file.site_file import SiteFile

PortArgument = Annotated[str, typer.Argument(help="The board's serial port.", metavar="PORT")]
SiteOption = Annotated[Path | None, typer.Option(help="The site file (TOML).", metavar="SITE.toml")]
BAUDS = "9600,19200"
MONITOR_S = 2.0

app = typer.Typer(
    help="A board becomes a node: flash it, give it its place in the building, look at it, prove it, update it.",
    no_args_is_help=True,
)
app.command("flash")(flash.flash)
app.command("update")(release.update)
app.command("release-key")(release.release_key)
app.command("release-build")(release.release_build)


@app.command()
def provision(
    port: PortArgument,
    node: Annotated[str | None, typer.Argument(help="The node's name in the site file.", metavar="NODE")] = None,
    site: SiteOption = None,
    backup_file: Annotated[
        Path | None, typer.Option("--from", help="Restore a backup instead.", exists=True, metavar="FILE")
    ] = None,
) -> None:
    """Give a board its place: addresses, key, pins and devices from the site file; then prove that it works."""
    if backup_file is None and (node is None or site is None):
        raise typer.BadParameter(say("node.need_name"))
    file = read(site) if site else None
    with plain_faults():
        kept = backups.read(backup_file) if backup_file else None
        with Console(port, log=not_ours) as console:
            info = console.connect()
            plan = _plan(file, node, kept, computer=info["platform"] != "esp32")
            people.print(info_table(info))
            with bars() as progress:
                task = progress.add_task(say("node.giving", node=plan.node), total=3)
                provisioning.give(console, plan, lambda done: progress.update(task, completed=done))
            if plan.label:
                show_label(info["uid"], plan.label)
            works = prove(console)
    people.print(say("node.provisioned" if works else "node.not_proven", node=plan.node), markup=False)
    raise typer.Exit(0 if works else 1)


@app.command()
def test(port: PortArgument) -> None:
    """Prove a node: every device answers, the broker hears it, an order without signature is refused.

    Of a board without a place: its application, memory, flash and lines.
    """
    with plain_faults(), Console(port, log=not_ours) as console:
        people.print(info_table(console.connect()))
        works = prove(console)
    raise typer.Exit(0 if works else 1)


@app.command()
def scan(
    port: PortArgument,
    bus: Annotated[str, typer.Option(help="The serial line, by its name on the node.")] = "rs485",
    baud: Annotated[str, typer.Option(help="Speeds to try, with commas between.")] = BAUDS,
    parity: Annotated[str, typer.Option(help="N, E or O.")] = "N",
    first: Annotated[int, typer.Option("--from", help="First unit.", min=1, max=247)] = 1,
    last: Annotated[int, typer.Option("--to", help="Last unit.", min=1, max=247)] = 247,
    wait_ms: Annotated[int, typer.Option(help="Patience with each unit.", min=20, max=2000)] = 120,
) -> None:
    """Ask every unit of a serial line whether it is there; the node goes on with its work meanwhile."""
    speeds = [int(one) for one in baud.split(",") if one.strip().isdigit()]
    line = {"kind": "rtu", "port": bus, "parity": parity.upper(), "stop": 1}
    with plain_faults(), Console(port, log=not_ours) as console:
        info = console.connect()
        lines = console.ask("get")["node"].get("serial", {})
        if bus not in lines:
            raise CommissionError("no_line", bus=bus, lines=", ".join(lines) or "—", node=info["node"] or "—")
        with bars() as progress:
            task = progress.add_task(say("node.scanning", bus=bus), total=len(speeds) * (last - first + 1))
            found = console.ask(
                "scan",
                patience_s=10,
                now=lambda _step: progress.advance(task),
                bus=line,
                baud=speeds,
                timeout_ms=wait_ms,
                **{"from": first, "to": last},
            )
    people.print(scan_table(bus, found))
    raise typer.Exit(0 if found else 1)


@app.command()
def monitor(
    port: PortArgument,
    seconds: Annotated[float | None, typer.Option(help="End after so long; without it at Ctrl-C.", min=1)] = None,
) -> None:
    """Show a node live: its state, its devices, what it says."""
    lines: list[str] = []
    with plain_faults(), Console(port, log=lines.append) as console:
        info = console.connect()
        table = console.ask("get")["table"]
        lines[:0] = [text for _at, text in console.ask("log")]
        left_s = seconds if seconds is not None else float("inf")
        try:
            with Live(console=people, auto_refresh=False) as live:
                while left_s > 0:
                    live.update(monitor_picture(info, console.ask("health"), table, lines[-10:]), refresh=True)
                    console.listen(min(MONITOR_S, left_s))
                    left_s -= MONITOR_S
        except KeyboardInterrupt:
            return


@app.command()
def backup(
    port: PortArgument,
    file: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="With key and passwords, from the environment or the secrets file.")
    ] = False,
    site: SiteOption = None,
) -> None:
    """Keep what a node knows, to give it to another board: `zen node provision PORT --from FILE`."""
    with plain_faults(), Console(port, log=not_ours) as console:
        console.connect()
        kept = backups.take(console)
        if with_secrets:
            name = kept.essentials.get("node", "")
            found = secrets.known(name, secrets.secrets_file(site) if site else None, os.environ)
            kept = kept.with_secrets(found)
        backups.write(file, kept)
    people.print(say("node.kept_with" if with_secrets else "node.kept", file=str(file)), markup=False)


def _plan(file: SiteFile | None, node: str | None, kept: backups.Backup | None, *, computer: bool) -> Plan:
    if kept is not None:
        known = secrets.secrets_file(file.path) if file else None
        return provisioning.from_backup(kept, known, os.environ)
    assert file is not None and node is not None  # noqa: S101, PT018 - asked for before
    plan = provisioning.from_site(file, node, boards.load(), os.environ, computer=computer)
    if plan.made:
        people.print(say("node.made", names=", ".join(plan.made), file=str(plan.secrets_file)), style="yellow")
    return plan
