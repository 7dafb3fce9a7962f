"""One price at all hours."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from gateway.core.pricing.kind import PriceSources, TariffKind
from gateway.core.pricing.tariff import ListTariff, PriceList

PLACEHOLDER_BUY, PLACEHOLDER_SELL = 0.25, 0.04  # EUR/kWh, about those of a French home in 2025


@dataclass(frozen=True, slots=True)
class Base:
    """The scheme of one price: all moments have the same name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Only one."""
        return KIND.names

    def candidates(self, local: datetime) -> tuple[str, ...]:  # noqa: ARG002 - all hours are the same
        """The only name."""
        return KIND.names

    def turns_min(self) -> tuple[int, ...]:
        """Never."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSettings:
    """One price at all hours."""

    def tariff(self, sources: PriceSources) -> ListTariff:
        """The list's price."""
        return sources.listed(Base())


KIND = TariffKind(id="base", names=("BASE",), settings=BaseSettings, example='[tariff]\nfile = "edf_base"')


def placeholder(zone: tzinfo) -> ListTariff:
    """Where no tariff is set: one price for import, a lower one for export. A plan on it is the plain rule."""
    lists = (PriceList(first=date.min, prices={"BASE": PLACEHOLDER_BUY}),)
    return ListTariff(zone=zone, scheme=Base(), lists=lists, sell=PLACEHOLDER_SELL, is_assumed=True)
