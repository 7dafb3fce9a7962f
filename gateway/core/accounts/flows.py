"""Where energy went from and to, so that every sum is what the counters say.

Of the seven flows five follow from the totals. Two are free: what the batteries gave to the grid, and what the grid
gave to the batteries. These are estimated second by second, with PV serving the building first, then the batteries,
then the grid, and moved by the least way into what the totals allow.
"""

from dataclasses import dataclass, replace

from gateway.core.accounts.quarter_account import Flows

EXACT_WH = 1e-6  # what floating point leaves over


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What went through grid, PV and batteries, in Wh (or W), each 0 or above."""

    pv: float  # given by PV
    imported: float  # from the grid
    exported: float  # into the grid
    charged: float  # into batteries
    discharged: float  # out of batteries

    @property
    def used(self) -> float:
        """By the building; below 0 where the figures contradict each other."""
        return self.pv + self.imported + self.discharged - self.exported - self.charged


def by_order(totals: Totals) -> tuple[float, float]:
    """(battery to grid, grid to battery) where PV serves the building first, then the batteries, then the grid."""
    used = max(totals.used, 0.0)
    pv_to_load = min(totals.pv, used)
    pv_to_battery = min(totals.pv - pv_to_load, totals.charged)
    battery_to_load = min(totals.discharged, used - pv_to_load)
    to_grid = min(totals.discharged - battery_to_load, totals.exported)
    return to_grid, min(totals.charged - pv_to_battery, totals.imported)


def reconciled(totals: Totals) -> Totals:
    """Totals that can all be true: what they contradict each other by is taken from what left the building.

    What one battery gave to another, and what came in and went out again at the grid's meter, is on both sides: it is
    taken from both.
    """
    missing = max(-totals.used, 0.0)
    out = totals.exported + totals.charged
    if missing > 0.0 and out > 0.0:
        share = max(1.0 - missing / out, 0.0)
        totals = replace(totals, exported=totals.exported * share, charged=totals.charged * share)
    between = max(totals.charged - totals.pv - totals.imported, 0.0)
    through = max(totals.exported - totals.pv - totals.discharged, 0.0)
    return replace(
        totals,
        charged=totals.charged - between,
        discharged=max(totals.discharged - between, 0.0),
        exported=totals.exported - through,
        imported=max(totals.imported - through, 0.0),
    )


def flows(totals: Totals, battery_to_grid: float, grid_to_battery: float) -> Flows:
    """The flows of totals that can all be true, nearest to what is estimated of the two that are free."""
    most_out = min(totals.discharged, totals.exported)
    most_in = min(totals.imported, totals.charged)
    out, in_ = (min(max(battery_to_grid, 0.0), most_out), min(max(grid_to_battery, 0.0), most_in))
    # What PV does not give to batteries and grid must come from the others: both are raised alike, as far as they go.
    missing = max(totals.charged + totals.exported - totals.pv - out - in_, 0.0)
    room_out, room_in = most_out - out, most_in - in_
    if missing > 0.0 and room_out + room_in > 0.0:
        share = min(missing / (room_out + room_in), 1.0)
        out, in_ = out + share * room_out, in_ + share * room_in
    return Flows(
        pv_to_load_wh=_whole(totals.pv - totals.charged + in_ - totals.exported + out),
        pv_to_battery_wh=_whole(totals.charged - in_),
        pv_to_grid_wh=_whole(totals.exported - out),
        battery_to_load_wh=_whole(totals.discharged - out),
        battery_to_grid_wh=_whole(out),
        grid_to_load_wh=_whole(totals.imported - in_),
        grid_to_battery_wh=_whole(in_),
    )


def _whole(wh: float) -> float:
    """Without what floating point makes of 0."""
    return 0.0 if abs(wh) < EXACT_WH else wh
