"""The secrets of one node: from the environment, else from the file beside the site file, else (its key) made now.

The file is called as the site file with `.secrets` for `.toml`: lines NAME=value that a shell can read, mode 0600. It
never belongs into a repository.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.mistakes import Mistake
from gateway.site.file.keys import key_mistake

LABEL_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is mistaken for another


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSecrets:
    """`made`: names that were not known before and are now in the file."""

    key: str
    label: str
    broker_password: str | None
    wifi_password: str | None
    made: tuple[str, ...] = ()


def variables(node: str) -> Mapping[str, str]:
    """Field -> name of its variable."""
    end = node.upper().replace("-", "_")
    return {
        "key": f"ZEN_KEY_{end}",
        "label": f"ZEN_LABEL_{end}",
        "broker_password": f"ZEN_NODE_PASSWORD_{end}",
        "wifi_password": "ZEN_WIFI_PASSWORD",
    }


def new_code() -> str:
    """The code of a label: of letters that nobody takes for another."""
    return "".join(secrets.choice(LABEL_LETTERS) for _ in range(10))


def secrets_file(site_file: Path) -> Path:
    """Where the secrets of a site are kept."""
    return site_file.with_suffix(".secrets")


def known(node: str, file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Field -> secret, of those that are known."""
    kept = _read(file) if file else {}
    found = {field: environment.get(name) or kept.get(name) for field, name in variables(node).items()}
    return {field: value for field, value in found.items() if value}


def complete(node: str, file: Path, environment: Mapping[str, str]) -> NodeSecrets:
    """All secrets of a node; a key and a label's code that are missing are made and appended to the file."""
    values: dict[str, str] = known(node, file, environment)
    fresh = {"key": secrets.token_hex(32), "label": new_code()}
    made = {variables(node)[field]: value for field, value in fresh.items() if field not in values}
    if made:
        _append(file, made)
    both = fresh | values
    return NodeSecrets(
        key=both["key"],
        label=both["label"],
        broker_password=values.get("broker_password"),
        wifi_password=values.get("wifi_password"),
        made=tuple(made),
    )


def flaws(node: str, found: NodeSecrets, *, wifi: bool) -> list[Mistake]:
    """What is missing or malformed; none of it is shown."""
    names = variables(node)
    mistakes = []
    wrong_key = key_mistake(names["key"], found.key)
    if wrong_key is not None:
        mistakes.append(wrong_key)
    if not 8 <= len(found.label) <= 63:
        allowed = "8 to 63 characters"
        mistakes.append(Mistake(path=names["label"], found=f"{len(found.label)} characters", allowed=allowed))
    if wifi and not 8 <= len(found.wifi_password or "") <= 63:
        length = f"{len(found.wifi_password)} characters" if found.wifi_password else "nothing"
        allowed = "the Wi-Fi's password, 8 to 63 characters, in the environment"
        mistakes.append(Mistake(path=names["wifi_password"], found=length, allowed=allowed))
    return mistakes


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _append(file: Path, rows: Mapping[str, str]) -> None:
    """The file is closed to others before the first secret is in it."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as out:
        os.fchmod(handle, 0o600)
        out.writelines(f"{name}={value}\n" for name, value in rows.items())
