"""Limits that hold at certain times: by the local clock, or while a price of the tariff holds.

Both fit `core.model.limits.LimitSource`. Neither knows what its limits are for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.core.model.limits import UNLIMITED, Limits
from gateway.core.model.state import SiteState
from gateway.core.pricing.periods import MonthDay, Window, in_season


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLimits:
    """Limits by the local clock: inside the hours, on the days and in the season, as far as these are given."""

    circuit: str | None  # whose limits are narrowed; None: those of the connection
    strictest: Limits  # what holds then
    zone: tzinfo  # of the local clock
    hours: tuple[Window, ...] = ()  # none: all day
    days: frozenset[int] = frozenset()  # 0 Monday … 6 Sunday; none: all of them
    season: tuple[MonthDay, MonthDay] | None = None  # first and last day of the year, both in; None: all the year

    def limits(self, state: SiteState) -> Limits | None:
        """Never silent: the clock always says something."""
        local = datetime.fromtimestamp(state.utc_s, self.zone)
        minute = local.hour * 60 + local.minute
        holds = (
            (not self.hours or any(window.holds(minute) for window in self.hours))
            and (not self.days or local.weekday() in self.days)
            and (self.season is None or in_season(local.date(), self.season))
        )
        return self.strictest if holds else UNLIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimits:
    """Limits while one of some prices of the tariff holds."""

    circuit: str | None  # whose limits are narrowed; None: those of the connection
    strictest: Limits  # what holds then
    names: frozenset[str]  # of these prices
    possible: Callable[[SiteState], tuple[str, ...]]  # names of the prices that may hold; none where nobody knows any

    def limits(self, state: SiteState) -> Limits | None:
        """Silent where it is not known whether one of these prices holds."""
        meant = {name in self.names for name in self.possible(state)}
        if len(meant) != 1:
            return None
        return self.strictest if True in meant else UNLIMITED
