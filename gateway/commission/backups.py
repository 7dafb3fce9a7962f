"""What a node knows, in a file: to give it to the board that takes its place."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.commission.console import Console
from gateway.commission.faults import CommissionError

SCHEMA = "zev-node-backup/1"
HIDDEN = "***"  # what a node shows in the place of a secret
_PLACES = {"key": ("key",), "broker_password": ("broker", "password"), "wifi_password": ("wifi", "password")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """`essentials` is node.json, `table` the text of table.json."""

    essentials: Mapping[str, Any]
    table: str | None
    info: Mapping[str, Any]

    def hidden(self) -> list[str]:
        """The fields whose secret is not in it."""
        return [field for field, place in _PLACES.items() if _at(self.essentials, place) == HIDDEN]

    def with_secrets(self, secrets: Mapping[str, str]) -> "Backup":
        """The same with its secrets filled in; CommissionError names those that nobody knows."""
        missing = [field for field in self.hidden() if field not in secrets]
        if missing:
            raise CommissionError("secrets", names=", ".join(missing), node=str(self.essentials.get("node")))
        whole = json.loads(json.dumps(self.essentials))
        for field in self.hidden():
            *way, last = _PLACES[field]
            inner = whole
            for name in way:
                inner = inner[name]
            inner[last] = secrets[field]
        return replace(self, essentials=whole)


def take(console: Console) -> Backup:
    """The backup of the node at a console, without secrets: it does not reveal them."""
    info = console.ask("info")
    kept = console.ask("get")
    versions = {name: info.get(name) for name in ("fw", "build", "python", "board", "uid", "slot")}
    return Backup(essentials=kept["node"], table=kept["table"], info=versions)


def write(file: Path, backup: Backup) -> None:
    """Closed to others from its first byte."""
    body = {"schema": SCHEMA, "info": backup.info, "node": backup.essentials, "table": backup.table}
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        os.fchmod(handle, 0o600)
        json.dump(body, out, indent=2)
        out.write("\n")


def read(file: Path) -> Backup:
    """The backup in a file; CommissionError when it is none."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["schema"] != SCHEMA or not isinstance(body["node"], dict):
            raise CommissionError("no_backup", file=str(file))
        return Backup(essentials=body["node"], table=body["table"], info=body["info"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommissionError("no_backup", file=str(file)) from error


def _at(value: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
