"""The site file: read once, checked whole, every mistake reported at once with its path."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters.products import profiles
from gateway.adapters.products.profiles import Profile, ProfileError
from gateway.core.loads.kind import LoadSettings
from gateway.mistakes import Mistake, MistakesError, choice, read_toml, shown, validated
from gateway.site.file import checks, limit_checks, load_checks, tariff_checks
from gateway.site.file.limit_sections import CircuitSection, LimitSection
from gateway.site.file.load_sections import read_loads
from gateway.site.file.price_sections import FeedsSection, GoalsSection, TariffSection
from gateway.site.file.section import Section
from gateway.site.file.sections import (
    ABSENT_IS_NONE,
    OPTIONAL_TABLES,
    SECTIONS,
    TABLES,
    BrokerSection,
    ControlSection,
    DatabaseSection,
    DeviceSection,
    NodeSection,
    PageSection,
    SiteSection,
    StoreSection,
    TimeSection,
)
from gateway.site.file.tariff_checks import Lists
from gateway.wire.topics import GATEWAY

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """A site file without mistakes."""

    path: Path
    site: SiteSection
    broker: BrokerSection
    control: ControlSection
    page: PageSection
    time: TimeSection
    store: StoreSection
    database: DatabaseSection | None
    tariff: TariffSection | None
    goals: GoalsSection
    feeds: FeedsSection | None
    nodes: Mapping[str, NodeSection]
    devices: Mapping[str, DeviceSection]
    loads: Mapping[str, LoadSettings]
    circuits: Mapping[str, CircuitSection]
    limits: Mapping[str, LimitSection]
    profiles: Mapping[str, Profile]  # by device
    lists: Lists  # of prices


class SiteFileError(MistakesError):
    """All mistakes of a site file."""


def read(path: Path, *, may_lack_prices: bool = False) -> SiteFile:
    """The site file at `path`. Raises SiteFileError with every mistake found.

    With `may_lack_prices` mistakes about the price lists it names are kept in `lists` instead: control goes on without.
    """
    raw = read_toml(path, example="config/demo/site.toml")
    if isinstance(raw, Mistake):
        raise SiteFileError(path, [raw])
    return checked(raw, path, may_lack_prices=may_lack_prices)


def checked(raw: Mapping[str, Any], path: Path, *, may_lack_prices: bool = False) -> SiteFile:
    """The same of a table that stands, or would stand, in the file at `path`."""
    mistakes: list[Mistake] = []
    known = [*SECTIONS, *TABLES, "loads", *OPTIONAL_TABLES]
    mistakes += [_unknown(key, key, known) for key in raw if key not in known]
    sections = {name: _section(name, raw, mistakes) for name in SECTIONS}
    tables = {name: _table(name, raw, mistakes) for name in TABLES}
    optional = {name: _rows(name, model, raw.get(name, {}), mistakes) for name, model in OPTIONAL_TABLES.items()}
    mistakes += [_wrong_id("loads", key) for key in _keys(raw, "loads") if not _is_id(key)]
    loads = read_loads(raw.get("loads", {}), mistakes)
    found = dict(_profiles(tables["devices"], path.parent, mistakes))
    mistakes += checks.across(sections, tables["devices"], _keys(raw, "nodes"), tables["nodes"], found)
    mistakes += load_checks.devices_of(loads, tables["devices"], found)
    mistakes += checks.roles(raw)
    mistakes += limit_checks.of_control(sections["control"], tables["devices"], found)
    mistakes += limit_checks.of_circuits(optional["circuits"], sections["control"], tables["devices"], loads, found)
    lists = tariff_checks.read_lists(sections["tariff"], path.parent)
    mistakes += () if may_lack_prices else lists.mistakes
    mistakes += tariff_checks.fits(sections["tariff"], sections["control"])
    mistakes += limit_checks.of_times(
        optional["limits"], optional["circuits"], sections["control"], sections["tariff"], lists
    )
    mistakes += checks.certificate(path, sections["broker"])
    if mistakes:
        raise SiteFileError(path, mistakes)
    return SiteFile(path=path, profiles=found, loads=loads, lists=lists, **sections, **tables, **optional)  # type: ignore[arg-type]  # checked above


def _section(name: str, raw: Mapping[str, Any], mistakes: list[Mistake]) -> Section | None:
    model, required = SECTIONS[name]
    if name not in raw and name in ABSENT_IS_NONE:
        return None
    if name not in raw and required:
        mistakes.append(Mistake(path=name, found="nothing", allowed=f"a table [{name}]"))
        return None
    return _model(name, model, raw.get(name, {}), mistakes)


def _table(name: str, raw: Mapping[str, Any], mistakes: list[Mistake]) -> dict[str, Any]:
    rows = raw.get(name, {})
    if not isinstance(rows, dict) or not rows:
        found = "nothing" if rows == {} else shown(rows)
        mistakes.append(Mistake(path=name, found=found, allowed=f"at least one table [{name}.<id>]"))
        return {}
    return _rows(name, TABLES[name], rows, mistakes)


def _rows(name: str, model: type[Section], rows: Any, mistakes: list[Mistake]) -> dict[str, Any]:
    if not isinstance(rows, dict):
        mistakes.append(Mistake(path=name, found=shown(rows), allowed=f"tables [{name}.<id>]"))
        return {}
    right = {}
    for key, row in rows.items():
        if not _is_id(key):
            mistakes.append(_wrong_id(name, key))
        section = _model(f"{name}.{key}", model, row, mistakes)
        if section is not None:
            right[key] = section
    return right


def _is_id(key: str) -> bool:
    return _ID.fullmatch(key) is not None and key != GATEWAY


def _wrong_id(name: str, key: str) -> Mistake:
    allowed = f"an id of 1 to 32 lower-case letters, digits and hyphens, other than {GATEWAY!r}"
    return Mistake(path=f"{name}.{key}", found=shown(key), allowed=allowed)


def _model(path: str, model: type[Section], value: Any, mistakes: list[Mistake]) -> Section | None:
    section, found = validated(model, value, at=path)
    mistakes += found
    return section


def _unknown(path: str, key: str, known: list[str]) -> Mistake:
    return Mistake(path=path, found="a key that nothing reads", allowed=choice(key, known))


def _keys(raw: Mapping[str, Any], name: str) -> list[str]:
    return list(raw[name]) if isinstance(raw.get(name), dict) else []


def _profiles(
    devices: Mapping[str, DeviceSection], beside: Path, mistakes: list[Mistake]
) -> Iterator[tuple[str, Profile]]:
    known = profiles.names(beside)
    for id_, device in devices.items():
        path = f"devices.{id_}.profile"
        if device.profile not in known:
            found = shown(device.profile)
            mistakes.append(Mistake(path=path, found=found, allowed=choice(device.profile, known)))
            continue
        try:
            yield id_, profiles.find(device.profile, beside)
        except ProfileError as error:
            mistakes.append(Mistake(path=path, found=str(error), allowed="a profile without mistakes"))
