"""The files that the section of the tariff names, and mistakes between them, it and the limits of the building."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters import tariffs
from gateway.adapters.tariffs import SURPLUS, TariffError, TariffFile
from gateway.core.pricing.kind import TariffKind
from gateway.core.pricing.kinds import listed, unlisted
from gateway.mistakes import Mistake, choice, shown
from gateway.site.file.price_sections import SurplusSection, TariffSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The files that the tariff of a building names, read once. With `mistakes` none of them is to be used."""

    bought: TariffFile | None = None
    surplus: TariffFile | None = None
    mistakes: tuple[Mistake, ...] = ()


def kind_of(tariff: TariffSection, bought: TariffFile | None) -> TariffKind | None:
    """The kind of a building's tariff: that of its list, or that which a key chooses; None while neither is known."""
    chosen = (kind for key, kind in unlisted().items() if key in tariff.of_kinds)
    return next(chosen, None) if bought is None else listed().get(bought.kind)


def read_lists(tariff: Any, beside: Path) -> Lists:
    """The files named, with what is wrong in them or with them; `beside` is the folder of the site file."""
    if not isinstance(tariff, TariffSection):
        return Lists()
    bought = None if tariff.file is None else _find("tariff.file", tariff.file, beside)
    surplus = None if tariff.surplus is None else _find("tariff.surplus.file", tariff.surplus.file, beside)
    mistakes: list[Mistake] = []
    if bought is not None:
        mistakes += [bought] if isinstance(bought, Mistake) else _list(tariff, bought)
    if surplus is not None and tariff.surplus is not None:
        mistakes += [surplus] if isinstance(surplus, Mistake) else _surplus(tariff.surplus, surplus)
    return Lists(
        bought=bought if isinstance(bought, TariffFile) else None,
        surplus=surplus if isinstance(surplus, TariffFile) else None,
        mistakes=tuple(mistakes),
    )


def fits(tariff: Any, control: Any) -> Iterator[Mistake]:
    """Mistakes of the section itself. Only what is right in itself is compared."""
    if not isinstance(tariff, TariffSection):
        return
    kind = kind_of(tariff, None)
    if kind is not None:
        beside = f"beside {kind.chosen_by}"
        yield from (
            Mistake(path=f"tariff.{name}", found=f"a key {beside}", allowed="nothing") for name in tariff.strange(kind)
        )
        if tariff.prices:
            yield Mistake(path="tariff.prices", found=f"prices {beside}", allowed="nothing")
        yield from _contradictions(tariff, kind)
    if control is not None and tariff.subscribed_kva is not None:
        most_w = 1000 * tariff.subscribed_kva
        import_w = control.watts(len(control.phases)).get("import_limit", 0.0)
        if import_w > most_w:
            key = "import_limit_w" if control.import_limit_a is None else "import_limit_a"
            allowed = f"at most {most_w:g} W: tariff.subscribed_kva is {tariff.subscribed_kva:g}"
            yield Mistake(path=f"control.{key}", found=f"{import_w:g} W", allowed=allowed)


def _find(path: str, name: str, beside: Path) -> TariffFile | Mistake:
    known = tariffs.names(beside)
    if name not in known:
        return Mistake(path=path, found=shown(name), allowed=choice(name, known))
    try:
        return tariffs.find(name, beside)
    except TariffError as error:
        return Mistake(path=path, found=str(error), allowed="a tariff without mistakes")


def _list(tariff: TariffSection, found: TariffFile) -> Iterator[Mistake]:
    if found.kind == SURPLUS:
        allowed = "a tariff for what is bought; this one is for [tariff.surplus]"
        yield Mistake(path="tariff.file", found=shown(found.id), allowed=allowed)
        return
    kind = listed()[found.kind]
    known = list(kind.names)
    for name in tariff.prices:
        if name not in known:
            found_text = f"a price that {found.id} has not"
            yield Mistake(path=f"tariff.prices.{name}", found=found_text, allowed=choice(name, known))
    for name in found.missing(tariff.prices):
        allowed = f"EUR/kWh from your bill: {found.id} does not know it"
        yield Mistake(path=f"tariff.prices.{name}", found="nothing", allowed=allowed)
    for key in tariff.missing(kind):
        yield Mistake(path=f"tariff.{key.name}", found="nothing", allowed=key.such)
    for name in tariff.strange(kind):
        found_text = f"a key that tariffs of kind {kind.id} have not ({found.id})"
        yield Mistake(path=f"tariff.{name}", found=found_text, allowed="nothing")
    if not tariff.missing(kind):
        yield from _contradictions(tariff, kind)


def _contradictions(tariff: TariffSection, kind: TariffKind) -> Iterator[Mistake]:
    try:
        tariff.settings(kind)
    except ValueError as error:
        yield Mistake(path="tariff", found=f"keys of kind {kind.id} that do not go together", allowed=str(error))


def _surplus(surplus: SurplusSection, found: TariffFile) -> Iterator[Mistake]:
    if found.kind != SURPLUS:
        yield Mistake(path="tariff.surplus.file", found=shown(found.id), allowed="a table of kind surplus")
        return
    quarters = sorted({row.quarter for row in found.surplus})
    if surplus.quarter not in quarters:
        allowed = f"{', '.join(quarters)}; otherwise surplus_price = the price of your contract"
        yield Mistake(path="tariff.surplus.quarter", found=shown(surplus.quarter), allowed=allowed)
    elif found.surplus_price(surplus.quarter, surplus.kwp) is None:
        most = max(row.up_to_kwp for row in found.surplus)
        allowed = f"at most {most:g}; otherwise surplus_price = the price of your contract"
        yield Mistake(path="tariff.surplus.kwp", found=f"{surplus.kwp:g}", allowed=allowed)
