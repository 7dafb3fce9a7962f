"""Tariffs as data: `config/tariffs/*.toml`, or `tariffs/` beside the site file; each is checked whole before use."""

import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gateway.core.accounts.charges import Subscription
from gateway.core.accounts.contract import exact
from gateway.core.pricing.kinds import listed
from gateway.core.pricing.tariff import PriceList
from gateway.paths import config_folder

Price = Annotated[float, Field(ge=-10, le=10)]  # EUR/kWh; cents by mistake are found
SURPLUS = "surplus"  # what is paid for surplus is a table as well; all other kinds are those of core.pricing.kinds


class TariffError(ValueError):
    """A tariff file that cannot be used: says the file, the place in it and what is wrong there."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PriceRow(_Strict):
    """Prices by name from a local day on; a name that is not there has no known price."""

    first: date
    prices: dict[str, Price]

    @model_validator(mode="before")
    @classmethod
    def _names_beside_the_day(cls, row: Any) -> Any:
        if not isinstance(row, dict) or "prices" in row:
            return row
        return {"first": row.get("first"), "prices": {name: each for name, each in row.items() if name != "first"}}


class SubscriptionRow(_Strict):
    """EUR/month with taxes, by kVA, from a local day on; a size that is not there has no known price."""

    first: date
    by_kva: dict[str, Annotated[float, Field(ge=0, le=100_000)]]

    @model_validator(mode="before")
    @classmethod
    def _sizes_beside_the_day(cls, row: Any) -> Any:
        if not isinstance(row, dict) or "by_kva" in row:
            return row
        return {"first": row.get("first"), "by_kva": {kva: each for kva, each in row.items() if kva != "first"}}


class SurplusRow(_Strict):
    """What a plant of this size gets for its surplus when its connection was asked for in this quarter."""

    quarter: Annotated[str, Field(pattern=r"^20\d\d-Q[1-4]$")]
    above_kwp: Annotated[float, Field(ge=0)]
    up_to_kwp: Annotated[float, Field(gt=0)]
    price: Price


class TariffFile(_Strict):
    """One tariff. `check` says what a person should compare before relying on it.

    `known_until`: the last local day for which its prices were read. `taxes`: the file of `config/taxes/` that says
    what of its prices is tax and network.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    kind: str
    check: str
    sources: Annotated[list[str], Field(min_length=1)]
    known_until: date | None = None
    taxes: str | None = None
    prices: list[PriceRow] = []
    subscription: list[SubscriptionRow] = []
    surplus: list[SurplusRow] = []

    @field_validator("kind")
    @classmethod
    def _a_kind(cls, kind: str) -> str:
        if kind not in (*listed(), SURPLUS):
            raise ValueError(f"one of {', '.join((*listed(), SURPLUS))}")
        return kind

    @model_validator(mode="after")
    def _rows_fit_the_kind(self) -> Self:
        if (self.kind == SURPLUS) != bool(self.surplus) or (self.kind == SURPLUS) == bool(self.prices):
            raise ValueError("[[surplus]] rows for kind surplus, [[prices]] rows for the others")
        if any(later.first <= row.first for row, later in pairwise(self.prices)):
            raise ValueError("[[prices]] rows rise by their first day")
        if any(later.first <= row.first for row, later in pairwise(self.subscription)):
            raise ValueError("[[subscription]] rows rise by their first day")
        strange = sorted({name for row in self.prices for name in row.prices} - set(self.names))
        if strange:
            raise ValueError(f"{', '.join(strange)}: a tariff of kind {self.kind} has {', '.join(self.names)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of the prices that such a list holds; none for a table of surplus."""
        return () if self.kind == SURPLUS else listed()[self.kind].names

    def missing(self, own: dict[str, float]) -> list[str]:
        """Names without a price in some row, where the building's own prices do not give it."""
        return [name for name in self.names if name not in own and any(name not in row.prices for row in self.prices)]

    def lists(self, own: dict[str, float]) -> tuple[PriceList, ...]:
        """The price lists, with the building's own prices before those of the file; if it has all, they always hold."""
        if set(self.names) <= set(own):
            return (PriceList(first=date.min, prices=own),)
        return tuple(PriceList(first=row.first, prices={**row.prices, **own}) for row in self.prices)

    def subscriptions(self, kva: float) -> tuple[Subscription, ...]:
        """What a month costs for a subscribed power; nothing where no row says it."""
        rows = [(row.first, row.by_kva.get(f"{kva:g}")) for row in self.subscription]
        return tuple(Subscription(first=first, eur_per_month=exact(eur)) for first, eur in rows if eur is not None)

    def surplus_price(self, quarter: str, kwp: float) -> float | None:
        """EUR/kWh for a quarter and a size; None where no row says it."""
        rows = [row for row in self.surplus if row.quarter == quarter and row.above_kwp < kwp <= row.up_to_kwp]
        return rows[0].price if rows else None


def load(path: Path) -> TariffFile:
    """The tariff in a file. Raises TariffError."""
    try:
        tariff = TariffFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise TariffError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TariffError(f"{path}: {place}: {first['msg']}, found {str(first['input'])[:80]!r}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError among them
        raise TariffError(f"{path}: not TOML: {error}") from error
    if tariff.id != path.stem:
        raise TariffError(f"{path}: id is {tariff.id!r}, but the file is called {path.stem!r}")
    return tariff


def find(name: str, beside: Path) -> TariffFile:
    """The tariff called `name`: beside the site file (`tariffs/NAME.toml`) first, then the shipped ones."""
    own = beside / "tariffs" / f"{name}.toml"
    return load(own if own.exists() else config_folder() / "tariffs" / f"{name}.toml")


def names(beside: Path) -> list[str]:
    """All tariffs that a site file in that folder can name."""
    folders = (config_folder() / "tariffs", beside / "tariffs")
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
