"""The last hours in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from gateway.view.schema.keys import DRAWN, IMPORT, About

Column = Sequence[float | None]
NONE_KNOWN = "nothing was known in that step"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """Means of steps of ten seconds; of several steps each where there would be more than 1500 entries."""

    t: Annotated[Sequence[float], About("start of each step, rising", unit="s since 1970")]
    pv_w: Annotated[Column, About("all PV inverters: production is negative", unit="W", sign=DRAWN, null=NONE_KNOWN)]
    load_w: Annotated[Column, About("base load", unit="W", sign=DRAWN, null=NONE_KNOWN)]
    battery_w: Annotated[Column, About("all batteries: charging is positive", unit="W", sign=DRAWN, null=NONE_KNOWN)]
    grid_w: Annotated[Column, About("at the grid meter", unit="W", sign=IMPORT, null=NONE_KNOWN)]
    soc: Annotated[Column, About("charge of all batteries together", unit="fraction", null=NONE_KNOWN)]
