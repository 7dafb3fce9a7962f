"""What a kind of tariff says about itself, once, in its module of `core.pricing.kinds`.

Nothing else in the gateway asks which kind a tariff is of: the site file, the lists of prices, planning, `zen study`
and the reference pages read what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol

from gateway.core.pricing.called_days import CalledDays, Days
from gateway.core.pricing.periods import Scheme
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import ListTariff, PriceList, Tariff

NO_POINTS = PointSeries(times_s=(), values=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSources:
    """What a tariff is built from beside its own settings."""

    zone: tzinfo  # whose clock the contract goes by
    sell: float  # EUR/kWh paid for what is exported
    lists: tuple[PriceList, ...] = ()  # of a kind with lists; rising by their first day
    days: Days = field(default_factory=dict)  # called days that are known
    points: PointSeries = NO_POINTS  # prices published so far, in EUR/kWh

    def listed(self, scheme: Scheme) -> ListTariff:
        """The tariff of these lists with the names of a scheme."""
        return ListTariff(zone=self.zone, scheme=scheme, lists=self.lists, sell=self.sell)


class TariffSettings(Protocol):
    """What a building's contract says beside its prices: a frozen dataclass whose fields are keys of `[tariff]`.

    Its docstring is the text of the reference page. Raises ValueError on construction for keys that contradict
    each other.
    """

    def tariff(self, sources: PriceSources) -> Tariff:
        """The tariff with what is known now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffKind:
    """One kind of tariff: its settings, names of prices and hours."""

    id: str  # `kind` of its lists; the last part of its key in gateway.words
    names: tuple[str, ...]  # of its prices: in lists, in plans and in the database
    settings: type[TariffSettings]  # the class of its keys of [tariff]
    example: str  # a [tariff] section as a person writes it; the reference page prints it, a test reads it
    chosen_by: str | None = None  # the key of [tariff] that chooses a kind without lists; None: its list does
    points_key: str | None = None  # the key that says where its prices are published: a file or an address
    called: CalledDays | None = None  # where days are called shortly before


def by_words(*names: tuple[int, str]) -> Mapping[str, int]:
    """For `CalledDays.words`: (type, "blue bleu") rows; the number of a type is a word as well."""
    return {word: type_ for type_, words in names for word in (*words.split(), str(int(type_)))}
