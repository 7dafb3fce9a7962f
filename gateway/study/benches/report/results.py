"""What the benches wrote, found again: a figure, or nothing where a bench did not run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.study.benches.report.run import ACCOUNT


class ResultsError(Exception):
    """No account of a run, or a file that is none of ours: which, and why in the words of its reader."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """`found`: bench name -> what it wrote. `account`: the run as it was recorded, with a status for every bench."""

    found: dict[str, dict[str, Any]]
    account: dict[str, Any]

    def at(self, name: str, *keys: str) -> Any:
        """What stands below the keys in a bench's result; None where anything is missing on the way."""
        here: Any = self.found.get(name)
        for key in keys:
            if not isinstance(here, dict):
                return None
            here = here.get(key)
        return here

    def number(self, name: str, *keys: str) -> float | None:
        """A figure, or None."""
        value = self.at(name, *keys)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def status(self, name: str) -> tuple[str, str]:
        """Code and reason; a bench that was never asked for is `not_run`."""
        entry = self.account["benches"].get(name)
        return (entry["status"], entry["why"]) if entry else ("not_run", "")


def read(folder: Path) -> Results:
    """All results of a folder. ResultsError says which file is none."""
    account = _table(folder / ACCOUNT)
    names = [name for name, entry in account["benches"].items() if entry["status"] == "done"]
    return Results(found={name: _table(folder / f"{name}.json") for name in names}, account=account)


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(path, str(error)) from error
    if not isinstance(table, dict):
        raise ResultsError(path, f"{type(table).__name__}, no object")
    return table
