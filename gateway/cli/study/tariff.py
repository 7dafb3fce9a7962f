"""The prices of a study: a list by its name, or those of a site file."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.adapters import tariffs
from gateway.adapters.feeds.feed import ContentError
from gateway.adapters.feeds.points import parse_co2, parse_prices
from gateway.core.pricing.called_days import CalledDays, Days
from gateway.core.pricing.goals import Goals
from gateway.core.pricing.kind import NO_POINTS, PriceSources, TariffKind, TariffSettings
from gateway.core.pricing.kinds import listed
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import ListTariff, PriceList, Tariff
from gateway.mistakes import validated
from gateway.site.assembly import prices as site_prices
from gateway.site.file import site_file
from gateway.site.file.declared import keys, made, section_of
from gateway.study.record.called_days import read_days
from gateway.study.record.errors import InputError
from gateway.study.whatif.study_inputs import BILL

OFF_PEAK = "off_peak"  # the key that `--off-peak` stands for, of all kinds that have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What was called of the days of a tariff."""

    rules: CalledDays
    days: Days  # as in the file
    unknown: Tariff  # what is assumed until the type of a day is announced
    zone: tzinfo  # whose clock the days go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A tariff, what to call it, and the clock that it goes by; goals and file of CO2 of a site file."""

    tariff: Tariff
    title: str
    zone: tzinfo
    called: Called | None = None  # where its days are called
    goals: Goals = BILL
    co2: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTariff:
    """What the command line says of prices."""

    name: str  # of a list, or a site file
    zone: tzinfo | None
    off_peak: list[str]  # hours such as 22:00-06:00
    sell: float  # EUR/kWh
    days: Path | None  # a file with the types of called days
    keys: Mapping[str, str]  # further keys of [tariff], as text of a site file


def read_tariff(asked: AskedTariff) -> Priced:
    """The tariff of a name or of a site file. InputError in plain words; mistakes of a site file as they are."""
    path = Path(asked.name)
    if path.suffix == ".toml":
        return _of_site(path, asked)
    if asked.name not in tariffs.names(Path.cwd()):
        raise InputError(path, "tariff", found=asked.name, known=", ".join(_usable()))
    try:
        found = tariffs.find(asked.name, Path.cwd())
    except tariffs.TariffError as error:
        raise InputError(path, "tariff_file", found=str(error)) from error
    if found.kind not in listed():
        raise InputError(path, "tariff_kind", found=asked.name, known=", ".join(_usable()))
    kind = listed()[found.kind]
    given = _given(kind, asked)
    settings = _settings(path, kind, given)
    days = _days(path, kind, asked.days)
    if found.missing({}):
        raise InputError(path, "tariff_prices", found=", ".join(found.missing({})))
    clock = asked.zone or ZoneInfo("Europe/Paris")
    latest = PriceList(first=date.min, prices=found.lists({})[-1].prices)
    sources = PriceSources(zone=clock, sell=asked.sell, lists=(latest,))
    tariff, called = _tariffs(kind, clock, days, lambda days: settings.tariff(replace(sources, days=days)))
    choices = [
        *(asked.off_peak if OFF_PEAK in given else []),
        *(f"{key} = {value}" for key, value in asked.keys.items()),
    ]
    title = found.title + (f" ({', '.join(choices)})" if choices else "")
    return Priced(tariff=tariff, title=title, zone=clock, called=called)


def read_co2(given: str | None) -> PointSeries | float | None:
    """g/kWh: a number, or a file of points as `[feeds]` takes it."""
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return _points(Path(given), parse_co2)


def _usable() -> list[str]:
    beside = Path.cwd()
    return [name for name in tariffs.names(beside) if tariffs.find(name, beside).kind in listed()]


def _given(kind: TariffKind, asked: AskedTariff) -> dict[str, Any]:
    """The keys of the kind as the command line gives them, not checked yet."""
    given: dict[str, Any] = {key: _value(text) for key, text in asked.keys.items()}
    if asked.off_peak and OFF_PEAK in [key.name for key in keys(kind.settings)]:
        given.setdefault(OFF_PEAK, [{"hours": asked.off_peak}])
    return given


def _value(text: str) -> Any:
    """A value as a site file has it; a word need not stand in quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _settings(path: Path, kind: TariffKind, given: Mapping[str, Any]) -> TariffSettings:
    section, mistakes = validated(section_of(kind.settings), dict(given))
    if section is None:
        first = mistakes[0]
        if first.path.startswith(OFF_PEAK):
            hours = ", ".join(given[OFF_PEAK][0]["hours"]) if OFF_PEAK in given else ""
            raise InputError(path, "off_peak", found=hours)
        raise InputError(path, "tariff_key", place=first.path, found=first.found, allowed=first.allowed)
    return made(kind.settings, {name: getattr(section, name) for name in type(section).model_fields})


def _days(path: Path, kind: TariffKind | None, file: Path | None) -> Days:
    """The called days of a file; a kind that calls its days needs one."""
    called = None if kind is None else kind.called
    days = {} if file is None else read_days(file, called)
    if called is not None and not days:
        raise InputError(path, "colours_needed", found=str(path), known=", ".join(called.words))
    return days


def _tariffs(
    kind: TariffKind | None, zone: tzinfo, days: Days, tariff: Callable[[Days], Tariff]
) -> tuple[Tariff, Called | None]:
    """The tariff with its days, and what is needed where they are called."""
    if kind is None or kind.called is None:
        return tariff(days), None
    return tariff(days), Called(rules=kind.called, days=days, unknown=tariff({}), zone=zone)


def _of_site(path: Path, asked: AskedTariff) -> Priced:
    file = site_file.read(path)
    points = NO_POINTS
    if file.tariff is not None and file.tariff.published is not None:
        points = _points(path.parent / file.tariff.published, parse_prices)
    kind = site_prices.kind(file)
    days = _days(path, kind, asked.days)
    clock = ZoneInfo(file.site.time_zone)
    tariff, called = _tariffs(
        kind, clock, days, lambda days: _at_latest(site_prices.tariff(file, days=days, points=points))
    )
    title = file.tariff.file or file.tariff.published or "" if file.tariff else "—"
    co2 = file.feeds.co2 if file.feeds else None
    return Priced(
        tariff=tariff,
        title=f"{title} ({path.name})",
        zone=asked.zone or clock,
        called=called,
        goals=site_prices.goals(file),
        co2=None if co2 is None or "://" in co2 else str(path.parent / co2),
    )


def _at_latest(tariff: Tariff) -> Tariff:
    """The same with the latest prices at all times."""
    if isinstance(tariff, ListTariff) and tariff.lists:
        return replace(tariff, lists=(replace(tariff.lists[-1], first=date.min),))
    return tariff


def _points(path: Path, parse: Callable[[bytes], PointSeries]) -> PointSeries:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise InputError(path, "unreadable", found=error.strerror or "") from error
    except ContentError as error:
        raise InputError(path, "points", found=str(error)) from error
