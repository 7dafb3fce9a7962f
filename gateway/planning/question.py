"""What a plan is made from: all of it, frozen, so that the same question has the same answer."""

from dataclasses import dataclass

from gateway.core.history import History
from gateway.core.levels import GridLimits, Storage
from gateway.core.method import Method
from gateway.core.model import Reason
from gateway.core.prices import Prices
from gateway.core.weather import Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the roof is (degrees) and how large (kWp, 0 where nobody said)."""

    latitude: float
    longitude: float
    kwp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One plan wanted, for the steps of `prices`, as the goals weigh them.

    `stored_wh` is above empty. `notes` tell what was not known; the plan carries them on.
    """

    now_s: float  # UTC
    time_zone: str
    history: History
    weather: Weather | None
    prices: Prices
    notes: tuple[Reason, ...]
    storage: Storage
    stored_wh: float
    limits: GridLimits
    place: Place
    method: Method
