"""Taxes and network tariffs as data: `config/taxes/*.toml`, each checked whole before use."""

import tomllib
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.core.accounts.charges import Excise, Levies, Levy, NetworkPrices, Vat
from gateway.core.accounts.contract import exact
from gateway.paths import config_folder

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=100_000)]
PER_KVA = "per_kva"
ALL = "ALL"  # the one class of an option that has no others
CENTS = Decimal(100)


class TaxesError(ValueError):
    """A file of taxes that cannot be used: says the file, the place in it and what is wrong there."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    first: date


class ExciseRow(_Row):
    """The excise from a day on (EUR/MWh without VAT)."""

    eur_per_mwh: Amount


class LevyRow(_Row):
    """The levy on the fixed part of the network tariff from a day on."""

    rate: Share


class VatRow(_Row):
    """Value added tax from a day on."""

    subscription: Share
    energy: Share


class NetworkRow(_Row):
    """The network tariff from a day on: EUR/year, and options with EUR/kVA a year and cents/kWh by class."""

    management: Amount
    metering: Amount
    options: dict[str, dict[str, Amount]]

    @model_validator(mode="before")
    @classmethod
    def _options_beside_the_rest(cls, row: Any) -> Any:
        if not isinstance(row, dict) or "options" in row:
            return row
        own = {key: row[key] for key in ("first", "management", "metering") if key in row}
        return {**own, "options": {key: each for key, each in row.items() if key not in own}}


class TaxesFile(BaseModel):
    """What of a price is tax and network."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    known_until: date
    sources: Annotated[list[str], Field(min_length=1)]
    excise: Annotated[list[ExciseRow], Field(min_length=1)]
    levy: Annotated[list[LevyRow], Field(min_length=1)]
    vat: Annotated[list[VatRow], Field(min_length=1)]
    network: list[NetworkRow] = []

    @model_validator(mode="after")
    def _rows_rise(self) -> Self:
        for rows in (self.excise, self.levy, self.vat, self.network):
            if any(later.first <= row.first for row, later in pairwise(rows)):
                raise ValueError("rows rise by their first day")
        return self

    @property
    def options(self) -> tuple[str, ...]:
        """Options of the network tariff that some row has."""
        return tuple(sorted({option for row in self.network for option in row.options}))

    def levies(self, option: str | None, kva: float | None) -> Levies:
        """For a building with this option of the network tariff and this subscribed power, where they are known."""
        return Levies(
            known_until=self.known_until,
            excise=tuple(Excise(first=row.first, eur_per_mwh=exact(row.eur_per_mwh)) for row in self.excise),
            levy=tuple(Levy(first=row.first, rate=exact(row.rate)) for row in self.levy),
            vat=tuple(
                Vat(first=row.first, subscription=exact(row.subscription), energy=exact(row.energy)) for row in self.vat
            ),
            network=() if option is None or kva is None else tuple(self._network(option, kva)),
        )

    def _network(self, option: str, kva: float) -> list[NetworkPrices]:
        rows = [(row, row.options[option]) for row in self.network if option in row.options]
        return [
            NetworkPrices(
                first=row.first,
                eur_per_year=exact(row.management) + exact(row.metering) + exact(prices[PER_KVA]) * exact(kva),
                eur_per_kwh={
                    "" if name == ALL else name: exact(cents) / CENTS
                    for name, cents in prices.items()
                    if name != PER_KVA
                },
            )
            for row, prices in rows
        ]


def load(name: str) -> TaxesFile:
    """The file of that name. Raises TaxesError."""
    path = config_folder() / "taxes" / f"{name}.toml"
    try:
        return TaxesFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise TaxesError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TaxesError(f"{path}: {place}: {first['msg']}, found {str(first['input'])[:80]!r}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError among them
        raise TaxesError(f"{path}: not TOML: {error}") from error
