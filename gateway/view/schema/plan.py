"""The plan in columns: one entry for each of its steps, from the present one on."""

from dataclasses import dataclass
from typing import Annotated

from gateway.view.schema.cycle import ReasonView
from gateway.view.schema.keys import DRAWN, About


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlanView:
    """What the plan lets one load do."""

    name: Annotated[str, About("its name in the site file")]
    kind: Annotated[str, About("kind of the load; `inverter` for one that may be curtailed")]
    power_w: Annotated[tuple[float, ...], About("mean power of each step", unit="W", sign=DRAWN)]
    reasons: Annotated[tuple[ReasonView, ...], About("why it does so in each step")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The plan that is followed; without one the columns are empty and `why` says why.

    Levels are fractions of all batteries together: between them the battery follows the plain rule.
    """

    made_s: Annotated[float | None, About("when it was made", unit="s since 1970", null="there is no plan")]
    step_s: Annotated[float | None, About("length of a step", unit="s", null="there is no plan")]
    why: Annotated[ReasonView | None, About("why there is no plan, or no newer one", null="all is well")]
    notes: Annotated[tuple[ReasonView, ...], About("what was not known and had to be assumed")]
    t: Annotated[tuple[float, ...], About("start of each step, rising", unit="s since 1970")]
    charge: Annotated[tuple[float, ...], About("filled from the grid up to here; 0: not at all", unit="fraction")]
    reserve: Annotated[tuple[float, ...], About("kept for later below this", unit="fraction")]
    fill: Annotated[tuple[float, ...], About("surplus is taken up to here", unit="fraction")]
    export: Annotated[tuple[float, ...], About("sold above this", unit="fraction")]
    expected: Annotated[
        tuple[float | None, ...],
        About("charge expected at the end of the step", unit="fraction", null="nothing is expected"),
    ]
    buy: Annotated[tuple[float, ...], About("price of import", unit="EUR/kWh")]
    sell: Annotated[tuple[float, ...], About("price of export", unit="EUR/kWh")]
    names: Annotated[tuple[str, ...], About("the tariff's name of the price; may be empty")]
    reasons: Annotated[tuple[ReasonView, ...], About("why the levels are where they are")]
    loads: Annotated[tuple[LoadPlanView, ...], About("loads that are planned, on the same steps")]
