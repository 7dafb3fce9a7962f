"""What goes first when there is no more room: a class of importance for each line, by its measurement.

Fine readings come again each second, and their quarter hours tell what they said; what is written once a quarter hour,
or once only, is the last to go.
"""

from enum import IntEnum

from gateway.adapters.store.line_protocol import measurement


class Importance(IntEnum):
    """Kept in the store beside each line: a lower one is dropped before a higher one."""

    FINE = 0  # each second or so: readings, state, set-points
    QUARTER = 1  # each quarter hour: accounts, costs, prices, plans
    EVENT = 2  # once: what happened, alarms, commands, and what was dropped


IMPORTANCE = {  # of each measurement that is not FINE
    "quarter": Importance.QUARTER,
    "quarter_device": Importance.QUARTER,
    "quarter_load": Importance.QUARTER,
    "cost": Importance.QUARTER,
    "price": Importance.QUARTER,
    "plan": Importance.QUARTER,
    "co2": Importance.QUARTER,
    "event": Importance.EVENT,
    "alarm": Importance.EVENT,
    "command": Importance.EVENT,
    "gap": Importance.EVENT,
}


def importance(text: str) -> Importance:
    """The class of a line."""
    return IMPORTANCE.get(measurement(text), Importance.FINE)
