"""Sections of a site file about prices, goals and what is fetched from outside; all may be left out."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from gateway.core.pricing.kind import TariffKind, TariffSettings
from gateway.core.pricing.kinds import kinds, unlisted
from gateway.site.file.declared import Declared, keys, made
from gateway.site.file.section import Section

Text = Annotated[str, Field(pattern=r"^[^\x00]{1,4000}$")]
Price = Annotated[float, Field(ge=-10, le=10)]


class SurplusSection(Section):
    """A contract for surplus by its table: the quarter in which the connection was asked for, and the plant's size."""

    file: str = "s21"
    quarter: Annotated[str, Field(pattern=r"^20\d\d-Q[1-4]$")]
    kwp: Annotated[float, Field(gt=0, le=100_000)]


class TariffSection(Section):
    """What a kWh costs: `file` is a list of `config/tariffs/` or of `tariffs/` beside the site file.

    `prices` go before those of the file. What is paid for surplus: `surplus_price`, or `surplus` for a table; neither
    means nothing is paid. Where the highest quarter hour of each calendar month is paid for: `peak_eur_per_kw_month`,
    of what lies above `peak_free_kw`. `network` is the option of the network tariff (as TURPE's CU4 or MU4, on the
    bill), for `zen bill`. Besides, each kind of tariff has keys of its own.
    """

    file: str | None = None
    prices: dict[str, Price] = Field(default_factory=dict)
    surplus_price: Price | None = None
    surplus: SurplusSection | None = None
    subscribed_kva: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    network: Literal["CU4", "MU4", "CU", "MUDT", "LU"] | None = None
    peak_eur_per_kw_month: Annotated[float, Field(ge=0, le=1000)] = 0.0
    peak_free_kw: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.file is not None) + sum(key in self.of_kinds for key in unlisted()) != 1:
            raise ValueError(" or ".join(["either file", *unlisted()]))
        if self.surplus_price is not None and self.surplus is not None:
            raise ValueError("surplus_price or surplus, not both")
        for chosen_by, kind in unlisted().items():
            wrong = self.missing(kind) if chosen_by in self.of_kinds else self.own(kind)
            if wrong:
                raise ValueError(f"{wrong[0].name} with {chosen_by}, and only there")
        return self

    @property
    def of_kinds(self) -> dict[str, Any]:
        """The keys that kinds declare, as far as they are set; an empty list is as if it were not there."""
        names = [key.name for kind in kinds().values() for key in keys(kind.settings)]
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None and value != []}

    @property
    def published(self) -> str | None:
        """Where the prices of a kind that takes them from outside are published: a file or an address."""
        keys_of_points = [kind.points_key for kind in kinds().values() if kind.points_key is not None]
        return next((self.of_kinds[key] for key in keys_of_points if key in self.of_kinds), None)

    def missing(self, kind: TariffKind) -> list[Declared]:
        """Keys that the kind needs and that are not set."""
        return [key for key in keys(kind.settings) if key.is_needed and key.name not in self.of_kinds]

    def own(self, kind: TariffKind) -> list[Declared]:
        """Keys that are set and that only this kind has, but for those that do no harm beside another."""
        others = {key.name for one in kinds().values() if one is not kind for key in keys(one.settings)}
        set_keys = [key for key in keys(kind.settings) if key.name in self.of_kinds and not key.is_ignored]
        return [key for key in set_keys if key.name not in others]

    def strange(self, kind: TariffKind) -> list[str]:
        """Keys that are set and that this kind has not, but for those that do no harm."""
        known = {key.name for key in keys(kind.settings)}
        harmless = {key.name for one in kinds().values() for key in keys(one.settings) if key.is_ignored}
        return [name for name in self.of_kinds if name not in known | harmless]

    def settings(self, kind: TariffKind) -> TariffSettings:
        """What the section says for a kind. Raises ValueError for keys that contradict each other."""
        names = {key.name for key in keys(kind.settings)}
        return made(kind.settings, {name: value for name, value in self.of_kinds.items() if name in names})


def _with_keys_of_kinds() -> type[TariffSection]:
    """The section with the keys of all kinds. Raises TypeError where two kinds mean different things by one key."""
    declared: dict[str, Declared] = {}
    for kind in kinds().values():
        for key in keys(kind.settings):
            if declared.setdefault(key.name, key).hint != key.hint or key.name in TariffSection.model_fields:
                raise TypeError(f"{key.name} of kind {kind.id}: there is another key of that name")
    fields: dict[str, Any] = {name: key.optional for name, key in declared.items()}
    return create_model("TariffSection", __base__=TariffSection, __doc__=TariffSection.__doc__, **fields)


TARIFF = _with_keys_of_kinds()


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

    With `tilt_deg` and `azimuth_deg` (0 south, -90 east, 90 west) sunlight on the roof is requested, else on level
    ground. `model` asks for all members of an ensemble.
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
