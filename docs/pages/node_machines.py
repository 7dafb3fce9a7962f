"""The state machines of the node: states, events and the table of the next states.

What an actuator does is read from the source that walks its table. The others (GATE, UNIT, SESSION) are spread over
fields and modules of the node, where a table would cost a board more memory than it has; they stand here, and
firmware/tests/test_states.py checks that the node does exactly this.

A module of the node that has one writes it in one form: a comment `# States of WHAT.` followed by a line
`_NAME = const(number)  # meaning` for each, the same for `# Events of WHAT.`, and `_NEXT`, bytes with a row for each
event and a column for each state.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

_FORM = re.compile(r"_(?P<name>[A-Z_]+) = const\((?P<number>\d+)\)  # (?P<meaning>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine; `states` and `events` are (name, meaning) in the order of their numbers."""

    of: str
    states: tuple[tuple[str, str], ...]
    events: tuple[tuple[str, str], ...]
    table: bytes

    def next(self, state: str, event: str) -> str:
        """The name of the state after an event."""
        row = [name for name, _ in self.events].index(event)
        column = [name for name, _ in self.states].index(state)
        return self.states[self.table[row * len(self.states) + column]][0]


def described(of: str, states: dict[str, str], events: dict[str, str], changes: dict[str, dict[str, str]]) -> Machine:
    """A machine in which an event changes nothing but what `changes` says: {event: {state before: state after}}."""
    names = list(states)
    table = bytes(names.index(changes.get(event, {}).get(state, state)) for event in events for state in names)
    return Machine(of=of, states=tuple(states.items()), events=tuple(events.items()), table=table)


GATE = described(
    "the node that takes orders or none",
    {
        "OPEN": "orders are taken",
        "BOOTS": "none, `boots`: the last boots were short, and this one has not lasted two minutes",
        "MODE": "none, `mode`: safe mode, not even safe values are written",
        "UPDATE": "none, `update`: the devices have been given back for the restart into a new release",
        "BOOTS_UPDATE": "as UPDATE, and BOOTS before",
        "MODE_UPDATE": "as UPDATE, and MODE before",
        "STOP": "none, `stop`: the run ends",
    },
    {
        "SETTLED": "the run has lasted two minutes",
        "LET_GO": "an update needs every device at its safe values",
        "GO_ON": "the update is refused after all",
        "STOPS": "the run ends",
    },
    {
        "SETTLED": {"BOOTS": "OPEN"},
        "LET_GO": {"OPEN": "UPDATE", "BOOTS": "BOOTS_UPDATE", "MODE": "MODE_UPDATE"},
        "GO_ON": {"UPDATE": "OPEN", "BOOTS_UPDATE": "BOOTS", "MODE_UPDATE": "MODE"},
        "STOPS": {"OPEN": "STOP"},
    },
)
UNIT = described(
    "a unit on a bus",
    {
        "ANSWERING": "asked when a block is due",
        "FAILED_ONCE": "the poll is repeated at once",
        "FAILED_TWICE": "asked when a block is due; its records say what failed",
        "OFFLINE": "asked after a pause of 1 s, doubled with each failure up to 8 s or 20 time-outs",
    },
    {
        "ANSWER": "it answers, or refuses with an exception of its own",
        "NO_ANSWER": "none in time, a wrong one, or no connection",
        "NOBODY": "a Modbus gateway says that no device is there (exceptions 10 and 11)",
    },
    {
        "ANSWER": dict.fromkeys(("FAILED_ONCE", "FAILED_TWICE", "OFFLINE"), "ANSWERING"),
        "NO_ANSWER": {"ANSWERING": "FAILED_ONCE", "FAILED_ONCE": "FAILED_TWICE", "FAILED_TWICE": "OFFLINE"},
        "NOBODY": {"ANSWERING": "FAILED_ONCE", "FAILED_ONCE": "FAILED_TWICE", "FAILED_TWICE": "OFFLINE"},
    },
)
SESSION = described(
    "a session with the broker",
    {
        "CLOSED": "no connection; the next try follows a pause",
        "ENTERING": "logged in and subscribing, the broker has not granted it yet",
        "UP": "records, acks and health go out, orders come in",
        "BROKEN": "it has ended, and the sender has not learned of it yet",
    },
    {
        "BEGIN": "a connection is there",
        "GRANTED": "the broker answers the subscription",
        "ENDS": "the connection ends, the broker falls silent, or a packet is wrong",
        "CLOSE": "the sender lets go",
    },
    {
        "BEGIN": {"CLOSED": "ENTERING"},
        "GRANTED": {"ENTERING": "UP"},
        "ENDS": {"ENTERING": "BROKEN", "UP": "BROKEN"},
        "CLOSE": dict.fromkeys(("CLOSED", "ENTERING", "UP", "BROKEN"), "CLOSED"),
    },
)


def machine(path: Path) -> Machine:
    """The machine of a module of the node; ValueError when its source does not have the form described above."""
    source = path.read_text(encoding="utf-8")
    of, states = _names(source, "States")
    _, events = _names(source, "Events")
    table = _bytes(source)
    if len(table) != len(states) * len(events) or max(table) >= len(states):
        raise ValueError(f"{path.name}: _NEXT has {len(table)} cells for {len(states)} states and {len(events)} events")
    return Machine(of=of, states=states, events=events, table=table)


def _names(source: str, kind: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    heading = re.search(rf"^# {kind} of ([^.]+)\.", source, re.MULTILINE)
    if heading is None:
        raise ValueError(f"no comment `# {kind} of …`")
    lines = source[heading.start() :].split("\n\n", maxsplit=1)[0].splitlines()
    rows = [found for line in lines if (found := _FORM.fullmatch(line))]
    if [int(row["number"]) for row in rows] != list(range(len(rows))):
        raise ValueError(f"{kind}: the numbers do not count from 0")
    return heading[1], tuple((row["name"], row["meaning"]) for row in rows)


def _bytes(source: str) -> bytes:
    for part in ast.parse(source).body:
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and part.targets[0].id == "_NEXT":
            value = part.value.args[0] if isinstance(part.value, ast.Call) else part.value
            found = ast.literal_eval(value)
            if isinstance(found, bytes):
                return found
    raise ValueError("no table _NEXT")
