"""`zen node release-key`, `release-build` and `update`: from this installation to nodes that run it."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters import boards
from gateway.adapters.broker import BrokerAddress
from gateway.adapters.node.poll_tables import NodeTable
from gateway.cli.check import read, read_credentials
from gateway.cli.language import say
from gateway.cli.node.screen import bars, people, plain_faults, test_table
from gateway.commission.faults import CommissionError
from gateway.mistakes import choice
from gateway.release import build, signing
from gateway.release.send import Outcome, send
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file.site_file import SiteFile
from gateway.words import WordError


def release_key(
    folder: Annotated[Path, typer.Argument(help="Where the keys are to lie.", metavar="FOLDER")],
) -> None:
    """Make the two key pairs that sign releases: one for every day, a spare one to be kept elsewhere."""
    with plain_faults():
        made = signing().new_pair(folder)
    numbers = {"daily": str(made.private[0]), "spare": str(made.private[1]), "public": str(made.public)}
    people.print(say("node.keys", **numbers), markup=False)


def release_build(
    folder: Annotated[Path, typer.Argument(help="Where the release is to lie; an older one is replaced.")],
    key: Annotated[Path, typer.Option(help="A private key of `zen node release-key`.", dir_okay=False)],
    board: Annotated[
        list[str] | None, typer.Option(help="A row of config/boards.json; may be given again. Without it: all.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="A new interpreter for boards with two partitions (.app-bin).", dir_okay=False)
    ] = None,
) -> None:
    """Compile and sign the firmware of this installation, for `zen node update` and `zen node flash --release`."""
    with plain_faults():
        known = [*boards.load(), build.COMPUTER]
        wanted = board or [name for name in known if name != build.COMPUTER]
        for name in wanted:
            if name not in known:
                raise CommissionError("no_board", board=name, allowed=choice(name, known))
        if image is not None and len(wanted) != 1:
            raise CommissionError("image_boards", boards=", ".join(wanted))
        made = build.build(folder, wanted, key, image=image)
    numbers = {"version": made.version, "build": str(made.build), "boards": ", ".join(made.boards)}
    people.print(say("node.built", size_kb=made.size // 1024, folder=str(folder), **numbers), markup=False)


def update(
    node: Annotated[str, typer.Argument(help="The node's name in the site file.", metavar="NODE")],
    site: Annotated[Path, typer.Option(help="The site file (TOML).", metavar="SITE.toml")],
    release: Annotated[Path, typer.Option(help="The folder of a signed release.", exists=True, file_okay=False)],
    confirm: Annotated[bool, typer.Option(help="Wait until the node has proven the new release (5 minutes).")] = True,
) -> None:
    """Give a running node a new release, over the broker; it goes back by itself when the new one does not work."""
    file = read(site)
    if node not in file.nodes:
        with plain_faults():
            raise CommissionError("no_node", node=node, nodes=", ".join(file.nodes))
    credentials = read_credentials(file)
    with plain_faults():
        found = build.read(release)
    with bars() as progress:
        task = progress.add_task(say("node.update.asked"), total=None)
        outcome = asyncio.run(
            send(
                found,
                broker=_address(file, node, credentials.broker_password),
                site=file.site.id,
                node=node,
                key=credentials.node_keys[node],
                progress=lambda done, total: progress.update(task, completed=done, total=total),
                say=lambda state, _why: progress.update(task, description=say(f"node.update.{state}")),
                confirm=confirm,
            )
        )
    runs = outcome.state in ("confirmed", "switched")
    text = f"{say(f'node.update.{outcome.state}')} {_why(outcome.why)}"
    people.print(text.strip(), style="green" if runs else "red", markup=False)
    is_well = _show_test(outcome, poll_tables(file)[node])
    raise typer.Exit(0 if runs and is_well else 1)


def _show_test(outcome: Outcome, table: NodeTable) -> bool:
    """The node's own proof, and whether it is good; in words where there is none."""
    if outcome.test:
        people.print(test_table(outcome.test, json.loads(table.text) if outcome.table == table.identity else {}))
        return all(row.get("ok") is True for row in outcome.test)
    people.print(say("node.update.untested" if outcome.test is None else "node.update.prove"), markup=False)
    return outcome.test is not None


def _address(file: SiteFile, node: str, password: str | None) -> BrokerAddress:
    """The broker, as the gateway's own account reaches it."""
    section = file.broker
    return BrokerAddress(
        host=section.host,
        port=section.port,
        identity=f"zev-{file.site.id}-update-{node}",
        keeps_session=False,
        user=section.user,
        password=password,
        ca=str(file.path.parent / section.ca) if section.ca else None,
    )


def _why(reported: str) -> str:
    """A refusal in words; the reason of a node's restart as the node says it."""
    try:
        return say(f"node.why.{reported}") if reported else ""
    except WordError:
        return f"({reported})"
