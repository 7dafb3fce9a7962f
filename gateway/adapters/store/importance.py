"""What goes first when there is no more room: a class of importance for each line, by its measurement.

Fine readings come again each second, and their quarter hours tell what they said; what is written once a quarter hour,
or once only, is the last to go.
"""

from enum import IntEnum

from gateway.adapters.store.line_protocol import measurement


class Importance(IntEnum):
    """Kept in the store beside each line: a lower one is dropped before a higher one."""

    FINE = 0  # each second or so: readings, state, set-points
    QUARTER = 1  # each quarter hour, or at a change: accounts, prices, plans, decisions
    EVENT = 2  # once: what happened, alarms, and what was dropped


IMPORTANCE = {  # of each measurement that is not FINE
    "account": Importance.QUARTER,
    "account_device": Importance.QUARTER,
    "account_load": Importance.QUARTER,
    "price": Importance.QUARTER,
    "plan": Importance.QUARTER,
    "load_plan": Importance.QUARTER,
    "decision": Importance.QUARTER,
    "event": Importance.EVENT,
    "alarm": Importance.EVENT,
    "gap": Importance.EVENT,
}


def importance(text: str) -> Importance:
    """The class of a line."""
    return IMPORTANCE.get(measurement(text), Importance.FINE)
