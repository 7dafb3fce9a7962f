"""What docs/install.md says that the tool prints, as far as it is the same each time."""

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "install.md"
INFO = ("number", "board", "node", "firmware", "interpreter")


def listing(command: str) -> str:
    """What is printed under `$ zen node <command>…`."""
    block = next(one for one in PAGE.read_text().split("```") if one.startswith(f"\n$ zen node {command}"))
    return block.split("\n", 2)[2]


def stable(printed: str) -> list[tuple[str, ...]]:
    """The rows of its tables by their first two columns, with N for numbers and addresses, and what frames there are."""
    rows = []
    for line in printed.splitlines():
        cells = [re.sub(r"[0-9][0-9.,]*", "N", " ".join(cell.split())) for cell in line.split("│")]
        if line.startswith("│") and len(cells) > 4 and cells[1]:
            rows.append((cells[1], cells[2]))
        elif line.startswith("╭"):
            rows.append((line,))
        elif line.split() and line.startswith(" ") and line.split()[0] in INFO:
            rows.append((line.split()[0],))
    return rows
