"""What a plan is made from: all of it, frozen, so that the same inputs give the same plan."""

from dataclasses import dataclass, field

from gateway.core.forecast.outdoor import OutdoorTemperatures
from gateway.core.forecast.pv_feed import PvForecast
from gateway.core.model.history import History
from gateway.core.model.levels import GridLimits, Storage
from gateway.core.model.state import Reason
from gateway.core.planning.method import Method
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.core.pricing.goals import Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the roof is, and how large."""

    # Degrees, north positive.
    latitude: float
    # Degrees, east positive.
    longitude: float
    # Peak power of the PV (kWp); 0 where it is not given.
    kwp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """What one plan is made from; `prices` give its steps."""

    # When the plan is asked for (UTC).
    now_s: float
    # IANA name of the local clock.
    time_zone: str
    # Load and PV of the quarter hours gone by.
    history: History
    # The weather feed as power of this roof; None without a feed.
    pv_forecast: PvForecast | None
    # Prices of the steps, as goals weigh them and as people pay them.
    prices: Weighed
    # All batteries as one storage.
    storage: Storage
    # What it holds now (Wh above empty).
    stored_wh: float
    # What the grid connection bears.
    limits: GridLimits
    # Where the roof is.
    place: Place
    # Parameters of forecast and planning.
    method: Method
    # Loads that are planned beside the storage, and inverters that may be curtailed.
    flexible: Flexible = field(default_factory=Flexible)
    # What was not known and had to be assumed; the plan carries it on.
    notes: tuple[Reason, ...] = ()
    # Outdoor temperatures; None without a feed.
    outdoor: OutdoorTemperatures | None = None
