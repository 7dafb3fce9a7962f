"""Small texts that survive power cuts: always the old one or the new, and the one before beside it as `name.old`.

Writing goes to `name.new`, which becomes `name` in one step when it is complete. A copy that is cut, empty, no text or
not as it should be is passed over; `name.new` comes last, for a cut just before it takes the place of a spoiled one.
"""

import os

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable
    from typing import Any

    from kinds import Memory

_ESSENTIALS = const("node.json")


def save(name: str, text: str) -> None:
    with open(name + ".new", "w") as file:
        file.write(text)
    try:
        os.rename(name, name + ".old")
    except OSError:
        pass  # there was none
    os.rename(name + ".new", name)


def load(name: str, check: "Callable[[str], Any]") -> "Any":
    """`check(text)` of the newest copy that passes it; None when there is none. `check` raises what it likes.

    It must ask for every key it needs: this interpreter's json takes an object without its last brace.
    """
    for end in ("", ".old", ".new"):
        try:
            with open(name + end) as file:
                return check(file.read())
        except Exception:  # no such file, or nothing that can be used
            pass
    return None


def essentials(memory: "Memory", check: "Callable[[str], Any]") -> "Any":
    """What a node needs to be reachable, from its file or from NVS, each repaired from the other; None without both."""

    def both(text: str) -> tuple:
        return text, check(text)

    kept = memory.text("node")
    found = load(_ESSENTIALS, both)
    if found:
        try:
            memory.write("node", found[0])
        except OSError:
            pass  # the file is good
        return found[1]
    try:
        value = check(kept)
    except Exception:
        return None
    try:
        save(_ESSENTIALS, kept)
    except OSError:
        pass
    return value
