"""The kinds of tariffs. Each module of this package is one kind and says all about it as `KIND`; that registers it.

They are found rather than listed, so that a new kind is a new file and nothing else here can be forgotten.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from gateway.core.pricing.kind import TariffKind


@cache
def kinds() -> Mapping[str, TariffKind]:
    """All kinds by their ids. Raises TypeError for a module of this package that is not a kind of its own."""
    found: dict[str, TariffKind] = {}
    for module in iter_modules(__path__):
        kind = getattr(import_module(f"{__name__}.{module.name}"), "KIND", None)
        if not isinstance(kind, TariffKind) or kind.id in found:
            raise TypeError(f"{__name__}.{module.name}: KIND is missing, or has the id of another kind")
        found[kind.id] = kind
    return MappingProxyType(found)


def listed() -> Mapping[str, TariffKind]:
    """The kinds whose prices stand in lists (`config/tariffs`)."""
    return {id_: kind for id_, kind in kinds().items() if kind.chosen_by is None}


def unlisted() -> Mapping[str, TariffKind]:
    """The kinds that a key of the site file chooses, by that key."""
    return {kind.chosen_by: kind for kind in kinds().values() if kind.chosen_by is not None}
