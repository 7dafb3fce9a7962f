"""The prices of a study: a list by its name, or those of a site file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from gateway.adapters import tariffs
from gateway.adapters.feeds.feed import ContentError
from gateway.adapters.feeds.points import parse_co2, parse_prices
from gateway.core.pricing.goals import Goals
from gateway.core.pricing.periods import Base, Colour, OffPeak, PeakOffPeak, Scheme, Tempo
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import ListTariff, PriceList, Tariff
from gateway.site.build import prices as site_prices
from gateway.site.file import site_file
from gateway.site.file.price_sections import OffPeakSection
from gateway.study.record.errors import InputError
from gateway.study.whatif.question import BILL

KINDS = ("base", "hphc", "tempo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A tariff, what to call it, and the clock that it goes by; goals and file of CO2 of a site file."""

    tariff: Tariff
    title: str
    zone: tzinfo
    goals: Goals = BILL
    co2: str | None = None


def read_tariff(
    name: str, *, zone: tzinfo | None, off_peak: list[str], sell: float, colours: Mapping[date, Colour]
) -> Priced:
    """The tariff of a name or of a site file. InputError in plain words; mistakes of a site file as they are."""
    path = Path(name)
    if path.suffix == ".toml":
        return _of_site(path, zone, colours)
    if name not in tariffs.names(Path.cwd()):
        raise InputError(path, "tariff", found=name, known=", ".join(_usable()))
    try:
        found = tariffs.find(name, Path.cwd())
    except tariffs.TariffError as error:
        raise InputError(path, "tariff_file", found=str(error)) from error
    if found.kind not in KINDS:
        raise InputError(path, "tariff_kind", found=name, known=", ".join(_usable()))
    clock = zone or ZoneInfo("Europe/Paris")
    scheme = _scheme(path, found.kind, off_peak, colours)
    if found.missing({}):
        raise InputError(path, "tariff_prices", found=", ".join(found.missing({})))
    latest = PriceList(first=date.min, prices=found.lists({})[-1].prices)
    title = found.title + (f" ({', '.join(off_peak)})" if found.kind == "hphc" else "")
    tariff = ListTariff(zone=clock, scheme=scheme, lists=(latest,), sell=sell)
    return Priced(tariff=tariff, title=title, zone=clock)


def read_co2(given: str | None) -> PointSeries | float | None:
    """g/kWh: a number, or a file of points as `[feeds]` takes it."""
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return _points(Path(given), "co2")


def _usable() -> list[str]:
    beside = Path.cwd()
    return [name for name in tariffs.names(beside) if tariffs.find(name, beside).kind in KINDS]


def _scheme(path: Path, kind: str, off_peak: list[str], colours: Mapping[date, Colour]) -> Scheme:
    if kind == "tempo":
        _check_colours(path, colours)
        return Tempo(colours=colours)
    return Base() if kind == "base" else PeakOffPeak(rows=(_off_peak(path, off_peak),))


def _check_colours(path: Path, colours: Mapping[date, Colour]) -> None:
    if not colours:
        raise InputError(path, "colours_needed", found=str(path))


def _off_peak(path: Path, hours: list[str]) -> OffPeak:
    try:
        return OffPeak(windows=OffPeakSection(hours=hours).windows())
    except ValidationError as error:
        raise InputError(path, "off_peak", found=", ".join(hours)) from error


def _of_site(path: Path, zone: tzinfo | None, colours: Mapping[date, Colour]) -> Priced:
    file = site_file.read(path)
    points = PointSeries(times_s=(), values=())
    if file.tariff is not None and file.tariff.points is not None:
        points = _points(path.parent / file.tariff.points, "price")
    tariff = site_prices.tariff(file, colours=colours, points=points)
    if isinstance(tariff, ListTariff) and isinstance(tariff.scheme, Tempo):
        _check_colours(path, colours)
    if isinstance(tariff, ListTariff) and tariff.lists:
        tariff = replace(tariff, lists=(replace(tariff.lists[-1], first=date.min),))
    title = file.tariff.file or file.tariff.points or "" if file.tariff else "—"
    co2 = file.feeds.co2 if file.feeds else None
    return Priced(
        tariff=tariff,
        title=f"{title} ({path.name})",
        zone=zone or ZoneInfo(file.site.time_zone),
        goals=site_prices.goals(file),
        co2=None if co2 is None or "://" in co2 else str(path.parent / co2),
    )


def _points(path: Path, kind: str) -> PointSeries:
    try:
        body = path.read_bytes()
        return parse_co2(body) if kind == "co2" else parse_prices(body)
    except OSError as error:
        raise InputError(path, "unreadable", found=error.strerror or "") from error
    except ContentError as error:
        raise InputError(path, "points", found=str(error)) from error
