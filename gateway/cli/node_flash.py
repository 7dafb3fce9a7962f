"""`zen node flash`: interpreter and application onto a board."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.adapters import boards
from gateway.adapters.boards import Board
from gateway.cli.language import say
from gateway.cli.node_proof import prove, wait_ready
from gateway.cli.node_screen import bars, info_table, not_ours, people, plain_faults, show_label
from gateway.commission import application, esptool, image, repl
from gateway.commission.console import Console
from gateway.commission.faults import CommissionError
from gateway.commission.secrets import new_code
from gateway.mistakes import choice
from gateway.release.build import Release

BAUD = 460800
FIRST_START_S = 60.0  # a board that formats, joins and gives up
AGAIN_S = 0.5
BY_HAND_S = 120.0  # for somebody who is to press RESET


def flash(
    port: Annotated[str, typer.Argument(help="The board's serial port.", metavar="PORT")],
    board: Annotated[str, typer.Option(help="Its row of config/boards.json.")] = "esp32s3",
    image_file: Annotated[
        Path | None, typer.Option("--image", help="The interpreter, from micropython.org/download.", dir_okay=False)
    ] = None,
    release: Annotated[
        Path | None, typer.Option(help="A signed release; without it, one is built here.", file_okay=False)
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="keys.json of `zen node release-key`: who may update it over the air.")
    ] = None,
    app_only: Annotated[
        bool, typer.Option("--app-only", help="The board has its interpreter already; its configuration stays.")
    ] = False,
    reset: Annotated[
        bool, typer.Option(help="The cable can reset the board; else hold BOOT while plugging it in.")
    ] = True,
    test: Annotated[bool, typer.Option(help="Wait until the board runs and has proven itself.")] = True,
    baud: Annotated[int, typer.Option(help="Speed of the flash loader.")] = BAUD,
) -> None:
    """Write the interpreter and the application and prove them; a new board then waits for `zen node provision`."""
    with plain_faults():
        known = boards.load()
        if board not in known:
            raise CommissionError("no_board", board=board, allowed=choice(board, list(known)))
        row = known[board]
        if image_file is None and not app_only:
            raise CommissionError("image_needed", **image.source(row))
        if keys is None:
            people.print(say("node.flash.no_keys"), style="yellow", markup=False)
        with application.release_of(release, board) as built:
            if board not in built.boards:
                raise CommissionError("wrong_release", board=board, boards=", ".join(built.boards))
            if app_only:
                _over_the_prompt(port, board, row, built, keys, reset=reset)
            else:
                assert image_file is not None  # noqa: S101 - told above
                _over_the_loader(port, board, row, built, keys, image_file, baud=baud, reset=reset)
            if not reset:
                people.print(say("node.flash.by_hand"), markup=False)
            works = not test or _greet(port, built, FIRST_START_S if reset else BY_HAND_S)
    raise typer.Exit(0 if works else 1)


def _over_the_loader(
    port: str, name: str, board: Board, release: Release, keys: Path | None, file: Path, *, baud: int, reset: bool
) -> None:
    from gateway.commission import filesystem  # noqa: PLC0415 - littlefs is only needed here

    interpreter = image.read_image(file, board)
    place = image.application_partition(interpreter, board)
    disk = filesystem.build(application.files(release, name, board, keys), place.size)
    with tempfile.TemporaryDirectory(prefix="zen-flash-") as scratch, bars() as progress:
        disk_file = Path(scratch) / "application.littlefs"
        disk_file.write_bytes(disk)
        tasks = [
            progress.add_task(say("node.flash.interpreter", size_kb=len(interpreter) // 1024), total=100),
            progress.add_task(say("node.flash.application", size_kb=len(disk) // 1024), total=100),
        ]
        esptool.write(
            port,
            board.chip,
            {board.image.offset: file, place.offset: disk_file},
            lambda part, percent: progress.update(tasks[part], completed=percent),
            baud=baud,
            reset=reset,
        )
        for task in tasks:
            progress.update(task, completed=100)
    people.print(say("node.flash.verified"), style="green")


def _over_the_prompt(port: str, name: str, board: Board, release: Release, keys: Path | None, *, reset: bool) -> None:
    files = dict(application.files(release, name, board, keys))
    own = {"node.json": files.pop("node.json")}
    with bars() as progress:
        task = progress.add_task(say("node.flash.stopping"), total=len(files))
        repl.stop(port)
        progress.update(task, description=say("node.flash.files"))
        repl.install(port, files, own, lambda done: progress.update(task, completed=done), reset=reset)
        progress.update(task, completed=len(files))


def _greet(port: str, release: Release, patience_s: float) -> bool:
    """Who the board is now, its self-test, and a label for one that has none; whether all of it is well."""
    console, info = _awaited(port, patience_s)
    with console:
        people.print(info_table(info))
        if info.get("node"):
            wait_ready(console)
        works = prove(console, _read_back(info, release))
        if not info.get("label"):  # else its setup access point would never open
            code = new_code()
            console.ask("set", label=code)
            show_label(info["uid"], code)
            if not info.get("node"):
                console.ask("setup")
    if info.get("node"):
        people.print(say("node.flash.works" if works else "node.flash.not_proven", port=port), markup=False)
    else:
        people.print(say("node.flash.next" if works else "node.flash.spoiled", port=port), markup=False)
    return works


def _awaited(port: str, patience_s: float) -> tuple[Console, Mapping[str, Any]]:
    """The console, open, and the board's `info`. A port that goes away when the board restarts may come back."""
    end = time.monotonic() + patience_s
    while True:
        console = None
        try:
            console = Console(port, log=not_ours)
            return console, console.connect(max(0.0, end - time.monotonic()))
        except CommissionError as error:
            if console is not None:
                console.close()
            if error.word != "port" or time.monotonic() > end:
                raise
            time.sleep(AGAIN_S)


def _read_back(info: Mapping[str, Any], release: Release) -> list[Mapping[str, Any]]:
    """Rows of the self-test: what runs on the board is what was written."""
    runs = f"{info['fw']}, build {info['build']}"
    return [
        {"step": "application", "n": 0, "ok": info["build"] == release.build, "text": runs},
        {"step": "interpreter", "n": 0, "ok": True, "text": info["python"]},
    ]
