"""What the archive keeps beside quarter accounts: decisions, events, and the days that follow from quarters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.accounts.quarter_account import Flows

Numbers = Mapping[str, float | str]
LONGEST_S = 30 * 86400.0  # of a decision: one that goes on for longer is several, one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a device was told to do, and why, for as long as neither mode nor reason changed."""

    device: str  # its id in the site file
    since_s: float  # UTC
    until_s: float | None  # UTC; None while it holds
    mode: str  # what the loop did with the device: a value of `Mode`
    code: str  # of its reason
    power_w: float | None  # set-point at its begin, drawn positive; None where the device ran itself
    numbers: Numbers = field(default_factory=dict)  # of the reason, at its begin
    more: int = 0  # changes in between that were too many to be kept one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """Something that happened to a device or to the gateway, once or for a while."""

    kind: str  # a code of `event.*` in the words
    since_s: float  # UTC
    until_s: float | None  # UTC, `since_s` of what has no length; None while it lasts
    device: str = ""  # empty for the gateway itself
    numbers: Numbers = field(default_factory=dict)  # what belongs into the sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDay:
    """What went through a device in a day: the sums of its known quarter hours."""

    drawn_wh: float | None  # None where no quarter hour is known
    given_wh: float | None  # the same
    quarters: int  # in which both are known


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDay:
    """What a load used in a day: the sums of its known quarter hours."""

    used_wh: float | None
    of_sun_wh: float | None
    of_battery_wh: float | None
    quarters: int  # in which `used_wh` is known


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """A local day, from midnight to midnight: 23, 24 or 25 hours. Sums of what is known of its quarter hours (Wh)."""

    day: str  # ISO 8601, as 2026-10-25
    start_s: int  # UTC
    end_s: int  # UTC, of the next day's begin
    quarters: int  # that are kept; `expected` of them where nothing is missing
    used_wh: float | None  # None where it is known of no quarter hour
    flows: Flows | None  # the same
    curtailed_wh: float | None  # the same
    devices: Mapping[str, DeviceDay]  # by device id
    loads: Mapping[str, LoadDay]  # by load id

    @property
    def expected(self) -> int:
        """Quarter hours that the day has: 92, 96 or 100."""
        return (self.end_s - self.start_s) // 900
