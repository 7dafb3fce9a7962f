"""What loads request while there is no plan: surplus that the battery leaves, and what must be, as late as it can be.

No prices are known then, so two values stand for all: what merely takes surplus has a lower value than the battery's
energy, what must be done a higher one than the grid's (`loads.NO_PLAN`). Each kind composes its rule of the answers
below.
"""

from collections.abc import Iterable

from gateway.core.loads.kind import FlexibleLoad
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched

SURPLUS_VALUE, MUST_VALUE = 0.1, 2.0  # EUR/kWh
SPARE_S, SPARE_SHARE = 900.0, 1.1  # begun so much before it would be too late
GOES_ON_S = 1800.0  # what runs goes on with so much more to spare: each second of it brings the share above 1 of one
SMALL_WH = 10.0  # energy that is missing and not worth a start: a car draws it in ten seconds


def requests(loads: Iterable[FlexibleLoad], now_s: float) -> dict[str, LoadSlot]:
    """What each load would have now (UTC)."""
    return {load.id: load.plain_slot(now_s) for load in loads}


def due_by(missing_wh: float, most_w: float, due_s: float, now_s: float, switched: Switched | None) -> LoadSlot:
    """Energy (Wh at the terminals) that is needed by a moment, at a power of at most `most_w`."""
    if missing_wh <= SMALL_WH:
        return nothing("load_done")
    spare_s = SPARE_S + (GOES_ON_S if switched is not None and switched.runs else 0.0)
    if due_s - now_s <= SPARE_SHARE * missing_wh / most_w * 3600.0 + spare_s:
        return must_run(most_w, due_s - now_s)
    return surplus_only()


def surplus_only() -> LoadSlot:
    """Whatever surplus the battery leaves."""
    return LoadSlot(power_w=0.0, value=SURPLUS_VALUE, reason=Reason(code="load_plain"))


def must_run(power_w: float, left_s: float) -> LoadSlot:
    """That power from anywhere, for what is left until it must be done."""
    numbers = {"power_w": power_w, "left_s": max(left_s, 0.0)}
    return LoadSlot(power_w=power_w, value=MUST_VALUE, reason=Reason(code="load_must", numbers=numbers))


def nothing(code: str) -> LoadSlot:
    """Nothing, for that reason."""
    return LoadSlot(power_w=0.0, value=0.0, reason=Reason(code=code))
