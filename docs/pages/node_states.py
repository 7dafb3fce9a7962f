"""The page of states of the node, and of its rare code."""

import inspect
from collections.abc import Iterator

import rare
import slot

from gateway.paths import firmware_folder
from pages import node_machines as states
from pages.tables import markdown_table


def node_states_page() -> Iterator[str]:
    yield "A cell is the state after the event; `·`: it stays. Each is checked on the board's interpreter"
    yield "(firmware/tests/test_states.py).\n"
    actuator = states.machine(firmware_folder() / "node" / "orders.py")
    for one in (actuator, states.GATE, states.UNIT, states.SESSION):
        yield f"## States of {one.of}\n"
        yield from markdown_table(("state", "meaning"), one.states)
        yield from markdown_table(("event", "meaning"), one.events)
        heading = ("state", *(name for name, _ in one.events))
        rows = [(state, *(_next(one, state, event) for event, _ in one.events)) for state, _ in one.states]
        yield from markdown_table(heading, rows)
    yield from _boot()
    yield from _rare()


def _next(one: states.Machine, state: str, event: str) -> str:
    after = one.next(state, event)
    return "·" if after == state else after


def _boot() -> Iterator[str]:
    """What slot.decide makes of all that can be kept, for a node whose confirmed slot is a."""
    yield "## What runs after a boot\n"
    yield "The confirmed slot is a; for b it is the same with the letters exchanged. A slot runs only with its manifest"
    yield "in it. A trial has one boot.\n"
    rows = []
    for there in ([1, 2], [1], [2], []):
        for trial, tries in ((0, 0), (2, 1), (2, 0)):
            run, goes_on, _ = slot.decide(there, 1, trial, tries, 0, 0)
            kept = "none" if not trial else "b, its boot is still to come" if tries else "b, its boot was the last one"
            can = " and ".join(" ab"[number] for number in there) or "none"
            rows.append(
                (can, kept, " ab"[run].strip() or "the files at the root", "on trial" if goes_on else "confirmed")
            )
    yield from markdown_table(("can be run", "trial", "runs", "as"), rows)
    rows = []
    for short in (0, 3):
        for trial in (0, 2):
            for asked in (0, 1, 2):
                mode = slot.decide([1, 2], 1, trial, 1, short, asked)[2]
                name = ("run", "safe", "setup")
                boots = "at most two" if short < 3 else "three or more"
                rows.append((boots, "yes" if trial else "no", name[asked] if asked else "–", name[mode]))
    yield from markdown_table(("short boots in a row", "on trial", "asked for", "mode"), rows)


def _rare() -> Iterator[str]:
    yield "## Functions that are loaded for a call\n"
    yield inspect.cleandoc(rare.__doc__ or "").split("\n\n")[1].replace("\n", " ") + "\n"
    rows = [(f"`node.{module}.{name}`", ", ".join(callers), why) for module, name, callers, why in rare.RARE]
    yield from markdown_table(("function", "called by", "needed for"), rows)
    yield "## The hardware under the node\n"
    rows = [(f"`hal.{name}`", board, computer, ", ".join(users)) for name, board, computer, users in rare.HAL]
    yield from markdown_table(("name", "on an ESP32 in", "on a computer in", "used by"), rows)
