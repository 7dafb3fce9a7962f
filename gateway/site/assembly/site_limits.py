"""What connection and circuits bear, and what narrows that, from the sections `control`, `circuits` and `limits`."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import get_args
from zoneinfo import ZoneInfo

from gateway.core.model.limits import Circuit, Limits, LimitSource
from gateway.core.model.state import SiteState
from gateway.core.pricing.called_days import Days
from gateway.core.pricing.limit_times import ClockLimits, PriceLimits
from gateway.core.pricing.periods import Window, season_of
from gateway.core.pricing.tariff import ListTariff, Tariff
from gateway.site.assembly import prices
from gateway.site.file.limit_checks import parents
from gateway.site.file.limit_sections import LimitKeys, LimitSection, Weekday
from gateway.site.file.site_file import SiteFile


def limits_of(section: LimitKeys, phases: Sequence[int]) -> Limits:
    """The limits of a section; `phases`: those of the place that it is about."""
    return Limits(**{f"{kind.replace('_limit', '')}_w": watts for kind, watts in section.watts(len(phases)).items()})


def circuits(file: SiteFile) -> Iterator[Circuit]:
    """The circuits, each after the one that feeds it."""
    for id_ in sorted(file.circuits, key=lambda each: len(parents(each, file.circuits))):
        section = file.circuits[id_]
        below = [other for other in file.circuits if id_ in parents(other, file.circuits)]
        behind = {device for each in (id_, *below) for device in file.circuits[each].devices}
        yield Circuit(
            id=id_,
            parent=section.parent,
            limits=limits_of(section, section.phases),
            devices=frozenset(behind),
            meter=section.meter,
        )


def phase_meters(file: SiteFile) -> frozenset[str]:
    """The meters by which single phases are controlled: of what has limits there, and the grid meter beside them."""
    grid = next(id_ for id_, device in file.devices.items() if device.role == "grid")
    control = limits_of(file.control, file.control.phases)
    found = {grid} if _limits_phases(control) or file.control.imbalance_limit_w is not None else set()
    for circuit in circuits(file):
        if _limits_phases(circuit.limits):
            found |= {grid} if circuit.meter is None else {grid, circuit.meter}
    return frozenset(found)


def _limits_phases(limits: Limits) -> bool:
    return min(limits.phase_import_w, limits.phase_export_w) < math.inf


def sources(file: SiteFile) -> Iterator[LimitSource]:
    """What narrows limits at certain times."""
    zone = ZoneInfo(file.site.time_zone)
    for section in file.limits.values():
        place = file.control if section.circuit is None else file.circuits[section.circuit]
        strictest = limits_of(section, place.phases)
        if section.tariff:
            yield PriceLimits(
                circuit=section.circuit, strictest=strictest, names=frozenset(section.tariff), possible=_possible(file)
            )
        else:
            yield _by_clock(section, strictest, zone)


def _by_clock(section: LimitSection, strictest: Limits, zone: ZoneInfo) -> ClockLimits:
    return ClockLimits(
        circuit=section.circuit,
        strictest=strictest,
        zone=zone,
        hours=tuple(Window.read(hours) for hours in section.hours),
        days=frozenset(get_args(Weekday).index(day) for day in section.days),
        season=None if section.season is None else season_of(*section.season),
    )


def _possible(file: SiteFile) -> Callable[[SiteState], tuple[str, ...]]:
    """The prices that may hold at a moment, by the day's type as the meter shows it; none where the list is broken."""
    kind, zone = prices.kind(file), ZoneInfo(file.site.time_zone)
    meter = next(id_ for id_, device in file.devices.items() if device.role == "grid")

    @lru_cache(maxsize=4)
    def tariff(days: frozenset[tuple[object, int]]) -> Tariff:
        known: Days = dict(days)  # type: ignore[arg-type]  # pairs of the same mapping
        return prices.tariff(file, days=known)

    def possible(state: SiteState) -> tuple[str, ...]:
        local = datetime.fromtimestamp(state.utc_s, zone)
        if kind is None:
            return ()
        days = {} if kind.called is None else kind.called.meter(state, meter, local)
        found = tariff(frozenset(days.items()))
        if isinstance(found, ListTariff):
            return found.scheme.candidates(local)
        return (found.rate(state.utc_s).name,)

    return possible
