"""Sections of a site file about prices, goals and what is fetched from outside; all may be left out."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.core.pricing.periods import DAY_MIN, Window
from gateway.site.file.section import Section

Text = Annotated[str, Field(pattern=r"^[^\x00]{1,4000}$")]
Price = Annotated[float, Field(ge=-10, le=10)]
Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Day = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class OffPeakSection(Section):
    """Off-peak hours as the bill gives them, by the local clock: `hours = ["22:38-06:38"]`.

    They hold from the day `first` to before the day `end`; with `season = ["04-01", "10-31"]` only from the first of
    these days to the last, both in, of each year. The first row that holds on a day decides it.
    """

    hours: Annotated[list[Hours], Field(min_length=1, max_length=12)]
    first: date | None = None
    end: date | None = None
    season: Annotated[list[Day], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        windows = self.windows()
        if sum(window.length_min for window in windows) > DAY_MIN or any(
            one.holds(other.begin_min) for one in windows for other in windows if one is not other
        ):
            raise ValueError("hours that do not overlap")
        if self.first is not None and self.end is not None and self.first >= self.end:
            raise ValueError("first before end")
        return self

    def windows(self) -> tuple[Window, ...]:
        """The hours as minutes of the day."""
        return tuple(_window(each) for each in self.hours)

    def season_days(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """First and last day of the season as (month, day)."""
        if self.season is None:
            return None
        first, last = ((int(day[:2]), int(day[3:])) for day in self.season)
        return first, last


class SurplusSection(Section):
    """A contract for surplus by its table: the quarter in which the connection was asked for, and the plant's size."""

    file: str = "s21"
    quarter: Annotated[str, Field(pattern=r"^20\d\d-Q[1-4]$")]
    kwp: Annotated[float, Field(gt=0, le=100_000)]


class TariffSection(Section):
    """What a kWh costs: `file` is a list of `config/tariffs/` or of `tariffs/` beside the site file.

    `prices` go before those of the file. For prices that change every hour, `points` is a file or an address with them
    (docs/tariffs.md), price = `factor` * point + `add`, and `fallback_price` stands in where none is known. What is
    paid for surplus: `surplus_price`, or `surplus` for a table; neither means nothing is paid. Where the highest
    quarter hour of each calendar month is paid for: `peak_eur_per_kw_month`, of what lies above `peak_free_kw`.
    """

    file: str | None = None
    prices: dict[str, Price] = Field(default_factory=dict)
    off_peak: list[OffPeakSection] = Field(default_factory=list)
    points: Text | None = None
    factor: Annotated[float, Field(gt=0, le=100)] = 1.0
    add: Price = 0.0
    fallback_price: Price | None = None
    surplus_price: Price | None = None
    surplus: SurplusSection | None = None
    subscribed_kva: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    peak_eur_per_kw_month: Annotated[float, Field(ge=0, le=1000)] = 0.0
    peak_free_kw: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.file is None) == (self.points is None):
            raise ValueError("either file or points")
        if self.surplus_price is not None and self.surplus is not None:
            raise ValueError("surplus_price or surplus, not both")
        if (self.points is None) != (self.fallback_price is None):
            raise ValueError("fallback_price with points, and only there")
        return self


class GoalsSection(Section):
    """What the plan is for, as prices: `cost` is the share of the bill that counts; 0 means no goal."""

    cost: Annotated[float, Field(ge=0, le=100)] = 1.0
    self_consumption_eur_per_kwh: Annotated[float, Field(ge=0, le=10)] = 0.0
    co2_eur_per_t: Annotated[float, Field(ge=0, le=100_000)] = 0.0

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.cost or self.self_consumption_eur_per_kwh or self.co2_eur_per_t):
            raise ValueError("at least one goal above 0")
        return self


class WeatherSection(Section):
    """Where the roof is, for a forecast in the format of Open-Meteo.

    With `tilt_deg` and `azimuth_deg` (0 south, -90 east, 90 west) the sun on the roof is asked for, else on the ground.
    `model` asks for all members of an ensemble.
    """

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    tilt_deg: Annotated[float, Field(ge=0, le=90)] | None = None
    azimuth_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.open-meteo.com/v1/forecast"
    model: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None

    @model_validator(mode="after")
    def _both_angles(self) -> Self:
        if (self.tilt_deg is None) != (self.azimuth_deg is None):
            raise ValueError("tilt_deg and azimuth_deg, or neither")
        return self


class FeedsSection(Section):
    """What is fetched from outside; without any of it, or without internet, control works on.

    `co2`: a file or an address with g/kWh (docs/tariffs.md).
    """

    weather: WeatherSection | None = None
    co2: Text | None = None


def _window(hours: str) -> Window:
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
    return Window(begin_min=begin, end_min=end)
