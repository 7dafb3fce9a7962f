"""What a plan is made from: all of it, frozen, so that the same question has the same answer."""

from dataclasses import dataclass, field

from gateway.core.forecast.outdoor import Outdoor
from gateway.core.forecast.weather import Weather as Suns
from gateway.core.model.history import History
from gateway.core.model.levels import GridLimits, Storage
from gateway.core.model.state import Reason
from gateway.core.planning.method import Method
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.core.pricing.goals import Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the roof is (degrees) and how large (kWp, 0 where nobody said)."""

    latitude: float
    longitude: float
    kwp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """One plan wanted, for the steps of `prices`.

    `stored_wh` is above empty; `suns`: the weather feed as power, `outdoor`: its temperatures; `flexible`: loads that
    are planned beside the storage; `notes`: what was not known, to be told with the plan.
    """

    now_s: float  # UTC
    time_zone: str
    history: History
    suns: Suns | None
    prices: Weighed
    storage: Storage
    stored_wh: float
    limits: GridLimits
    place: Place
    method: Method
    flexible: Flexible = field(default_factory=Flexible)
    notes: tuple[Reason, ...] = ()
    outdoor: Outdoor | None = None
