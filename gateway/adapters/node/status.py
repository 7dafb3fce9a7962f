"""What a node says of itself, so that a person sees why it does not do what it should."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_OLD = re.compile(r"\bold: (\d{1,10}), newer is (\d{1,10})\b")  # of firmware/node/poll_table.py
MOST_LETTERS = 200  # of one text: a node's state may hold anything


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """From a node's state and health. `mode`: run, trial (of a new release) or safe (no bus, no write).

    `why`: of the last restart, in the node's words; `refused`: why it did not take our poll table; `heard`: whether it
    sees its records stored; `update`: how far a new release has come, in the words of `gateway.wire.release`; `test`:
    "good", or what the self-test of this boot found ("unit 0, broker"), "" before there was one. `twin`: another board
    has its identity.
    """

    up: bool = False
    boot: int = 0
    fw: str = ""
    build: int = 0
    mode: str = ""
    why: str = ""
    refused: str = ""
    heard: bool = True
    update: str = ""
    test: str = ""
    twin: bool = False

    def after_state(self, state: Mapping[str, Any]) -> "NodeStatus":
        """The node's presence, or its will: what it said before stays true of the same boot only."""
        if state.get("up") is not True:
            return replace(self, up=False)
        boot = _number(state.get("boot"))
        before = self if boot == self.boot else NodeStatus(twin=self.twin)
        return replace(
            before,
            up=True,
            boot=boot,
            fw=_text(state.get("fw")),
            build=_number(state.get("build")),
            mode=_text(state.get("mode")),
            why=_text(state.get("why")),
        )

    def after_health(self, health: Mapping[str, Any]) -> "NodeStatus":
        """The node's own figures."""
        update = health.get("update")
        steps = [_text(update.get(name)) for name in ("state", "why")] if isinstance(update, dict) else []
        return replace(
            self,
            refused=_text(health.get("cfg")),
            heard=health.get("heard") is not False,
            update=": ".join(step for step in steps if step),
        )

    @property
    def outnumbered(self) -> tuple[int, int] | None:
        """(number of the poll table that was refused as old, number of the newer one); None when that is not why."""
        found = _OLD.search(self.refused)
        return (int(found[1]), int(found[2])) if found else None

    def after_test(self, result: Mapping[str, Any]) -> "NodeStatus":
        """The node's self-test; one of another boot, or without rows, is ignored."""
        rows = result.get("rows")
        if result.get("boot") != self.boot or not isinstance(rows, list) or not rows:
            return self
        bad = [_step(row) for row in rows if not (isinstance(row, dict) and row.get("ok") is True)]
        return replace(self, test=_text(", ".join(bad)) or "good")


def _step(row: object) -> str:
    """`unit 2`, or the step alone where there is one of its kind only."""
    if not isinstance(row, dict):
        return "?"
    return f"{_text(row.get('step')) or '?'} {_number(row.get('n')) or ''}".strip()


def _text(value: object) -> str:
    return value[:MOST_LETTERS] if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32 else 0
