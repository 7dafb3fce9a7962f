"""The page of tariffs: kinds, and lists of prices."""

import inspect
from collections.abc import Iterator

from gateway.adapters import tariffs
from gateway.core.pricing.kinds import kinds
from gateway.paths import config_folder
from gateway.words import words
from pages.tables import markdown_table


def tariffs_page() -> Iterator[str]:
    yield "Prices in EUR/kWh with taxes, without the subscription. `–`: not known here, to be given in the site file."
    yield "Where each figure comes from stands below its table; [how to use them](../tariffs.md).\n"
    yield from _kinds()
    beside = config_folder() / "tariffs"
    for path in sorted(beside.glob("*.toml")):
        tariff = tariffs.load(path)
        yield f"## {tariff.title}\n"
        yield f"`{tariff.id}`. **To check:** {tariff.check}\n"
        names = tariff.names
        if tariff.kind == tariffs.SURPLUS:
            rows = [(row.quarter, f"{row.above_kwp:g} … {row.up_to_kwp:g}", f"{row.price:g}") for row in tariff.surplus]
            yield from markdown_table(("asked for in", "kWp", "price"), rows)
        else:
            prices = [
                (row.first, *(f"{row.prices[n]:g}" if n in row.prices else "–" for n in names)) for row in tariff.prices
            ]
            yield from markdown_table(("from", *(f"`{name}`" for name in names)), prices)
        yield f"Sources: {'; '.join(tariff.sources)}.\n"


def _kinds() -> Iterator[str]:
    """Each kind with its prices in both languages and an example."""
    english, french = words("en"), words("fr")
    yield "# Kinds of tariffs\n"
    for kind in kinds().values():
        yield f"## {english[f'tariff.{kind.id}']} · {french[f'tariff.{kind.id}']}\n"
        yield f"Kind `{kind.id}`. " + inspect.cleandoc(kind.settings.__doc__ or "") + "\n"
        yield f"```toml\n{kind.example}\n```\n"
        yield from markdown_table(
            ("price", "English", "français"),
            ((f"`{name}`", english[f"price.{name}"], french[f"price.{name}"]) for name in kind.names),
        )
        if kind.called is not None:
            yield f"Called days, for `zen study --colours`: {', '.join(kind.called.words)}.\n"
    yield "# Lists of prices\n"
