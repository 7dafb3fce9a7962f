"""The page of what node and gateway say to each other, and that of boards."""

import ast
import inspect
from collections.abc import Iterator

from gateway.adapters import boards
from gateway.adapters.node import batches
from gateway.paths import firmware_folder
from gateway.wire import essentials, orders, records, seal, table, topics
from pages.tables import markdown_table


def wire_page() -> Iterator[str]:
    for heading, module in (
        ("Topics", topics),
        ("Records", records),
        ("Seal", seal),
        ("Poll table", table),
        ("node.json", essentials),
    ):
        yield f"## {heading}\n"
        yield f"```\n{inspect.cleandoc(module.__doc__ or '')}\n```\n"
    yield "### What became of a read\n"
    yield from markdown_table(("flag", "name"), enumerate(batches.FLAG_NAMES))
    yield "## Orders\n"
    yield f"```\n{inspect.cleandoc(orders.__doc__ or '')}\n```\n"
    yield "## Console on USB\n"
    console = ast.parse((firmware_folder() / "node" / "console.py").read_text(encoding="utf-8"))
    yield f"```\n{ast.get_docstring(console)}\n```\n"


def boards_page() -> Iterator[str]:
    yield "One table, [config/boards.json](../../config/boards.json); numbers are GPIO. `–`: not there.\n"
    known = boards.load()
    places = list(dict.fromkeys(place for board in known.values() for place, _ in board.pins()))
    rows = [[place, *(dict(board.pins()).get(place, "–") for board in known.values())] for place in places]
    yield from markdown_table(("pin", *(f"`{name}`" for name in known)), rows)
    for name, board in known.items():
        yield f"## {board.title}\n"
        image = board.image
        updated = "updated over the air" if image.ota else "updated by cable"
        yield f"`{name}`: {board.chip}, {board.flash_mb} MB of flash, PSRAM {board.psram}."
        yield f"Interpreter {image.name}, {image.version} or later, at {image.offset:#x}, {updated}."
        yield f"Records: {board.ring_bytes} bytes in memory, {board.spill_kb} kB in flash.\n"
        yield from (f"- {note}" for note in board.notes)
        yield f"\nSources: {'; '.join(board.sources)}.\n"
