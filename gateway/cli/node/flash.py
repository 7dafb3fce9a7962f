"""`zen node flash`: interpreter and application onto a board."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters import boards
from gateway.adapters.boards import Board
from gateway.cli.language import say
from gateway.cli.node.greeting import greet
from gateway.cli.node.screen import bars, people, plain_faults
from gateway.commission import application, esptool, image, repl
from gateway.commission.faults import CommissionError
from gateway.mistakes import choice
from gateway.release.build import Release

BAUD = 460800


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
                assert image_file is not None  # noqa: S101 - reported above
                _over_the_loader(port, board, row, built, keys, image_file, baud=baud, reset=reset)
            if not reset:
                people.print(say("node.flash.by_hand"), markup=False)
            works = not test or greet(port, built, by_hand=not reset)
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
