"""The archive as it is shown: what was kept, in the shape of the schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gateway.adapters.archive.reader import ArchiveReader
from gateway.adapters.archive.records import DayTotals, Decision, HistoryEvent, LoadDay
from gateway.adapters.store.files import UnusableError
from gateway.core.accounts.quarter_account import Flows, LoadEnergy, QuarterAccount
from gateway.view.schema.history import (
    DaysView,
    DecisionsView,
    DecisionView,
    DeviceDaysView,
    DeviceQuartersView,
    EventsView,
    EventView,
    FlowColumnsView,
    HistoryError,
    LoadColumnsView,
    QuartersView,
)

T = TypeVar("T")
V = TypeVar("V")
MOST = 5000  # decisions or events in one answer


class ArchiveView:
    """Fits the port HistorySource of the page. Every call reads the disk: it belongs into a thread."""

    def __init__(self, path: Path | None, *, time_zone: str) -> None:
        """`path`: of the archive; None for a gateway that keeps none."""
        self.time_zone = time_zone
        self._reader = ArchiveReader(path)

    def quarters(self, from_s: float, to_s: float) -> QuartersView:
        """Quarter hours that begin in the period."""
        with _told():
            return quarters_view(self._reader.quarters(from_s, to_s))

    def days(self, from_s: float, to_s: float) -> DaysView:
        """Local days that begin in the period."""
        with _told():
            return days_view(self._reader.days(from_s, to_s))

    def decisions(self, from_s: float, to_s: float) -> DecisionsView:
        """Decisions that held in the period."""
        with _told():
            found = self._reader.decisions(from_s, to_s, most=MOST + 1)
        return DecisionsView(decisions=tuple(map(decision_view, found[:MOST])), is_all=len(found) <= MOST)

    def events(self, from_s: float, to_s: float) -> EventsView:
        """Events that lasted in the period."""
        with _told():
            found = self._reader.events(from_s, to_s, most=MOST + 1)
        return EventsView(events=tuple(map(event_view, found[:MOST])), is_all=len(found) <= MOST)


def quarters_view(accounts: Sequence[QuarterAccount]) -> QuartersView:
    """In columns; a device that was not always there has nulls."""
    devices = _by_name([account.devices for account in accounts])
    loads = _by_name([account.loads for account in accounts])
    prices = [account.price for account in accounts]
    return QuartersView(
        t=[account.start_s for account in accounts],
        used_wh=[account.used_wh for account in accounts],
        flows=_flows([account.flows for account in accounts]),
        curtailed_wh=[account.curtailed_wh for account in accounts],
        stored_wh=[account.stored_wh for account in accounts],
        seen=[account.seen for account in accounts],
        period=_each(prices, lambda one: one.period),
        buy=_each(prices, lambda one: one.buy),
        sell=_each(prices, lambda one: one.sell),
        co2_g_per_kwh=[account.co2_g_per_kwh for account in accounts],
        devices={
            name: DeviceQuartersView(
                drawn_wh=_each(column, lambda one: one.drawn_wh),
                given_wh=_each(column, lambda one: one.given_wh),
                source=_each(column, lambda one: one.source.value),
            )
            for name, column in devices.items()
        },
        loads=_loads(loads),
    )


def days_view(days: Sequence[DayTotals]) -> DaysView:
    """In columns; a device that was not always there has nulls."""
    devices = _by_name([day.devices for day in days])
    return DaysView(
        day=[day.day for day in days],
        t=[day.start_s for day in days],
        quarters=[day.quarters for day in days],
        expected=[day.expected for day in days],
        used_wh=[day.used_wh for day in days],
        flows=_flows([day.flows for day in days]),
        curtailed_wh=[day.curtailed_wh for day in days],
        devices={
            name: DeviceDaysView(
                drawn_wh=_each(column, lambda one: one.drawn_wh),
                given_wh=_each(column, lambda one: one.given_wh),
                quarters=_each(column, lambda one: one.quarters),
            )
            for name, column in devices.items()
        },
        loads=_loads(_by_name([day.loads for day in days])),
    )


def decision_view(one: Decision) -> DecisionView:
    """A decision alone."""
    return DecisionView(
        device=one.device,
        since_s=one.since_s,
        until_s=one.until_s,
        mode=one.mode,
        code=one.code,
        power_w=one.power_w,
        numbers=one.numbers,
        more=one.more,
    )


def event_view(one: HistoryEvent) -> EventView:
    """An event alone."""
    return EventView(kind=one.kind, since_s=one.since_s, until_s=one.until_s, device=one.device, numbers=one.numbers)


def _flows(found: Sequence[Flows | None]) -> FlowColumnsView:
    names = FlowColumnsView.__dataclass_fields__
    return FlowColumnsView(**{name: [None if one is None else getattr(one, name) for one in found] for name in names})


def _loads(columns: Mapping[str, Sequence[LoadEnergy | LoadDay | None]]) -> Mapping[str, LoadColumnsView]:
    return {
        name: LoadColumnsView(
            used_wh=[None if one is None else one.used_wh for one in column],
            of_sun_wh=[None if one is None else one.of_sun_wh for one in column],
            of_battery_wh=[None if one is None else one.of_battery_wh for one in column],
        )
        for name, column in columns.items()
    }


def _each(column: Sequence[T | None], value: Callable[[T], V | None]) -> list[V | None]:
    """A value of each; None where there is none."""
    return [None if one is None else value(one) for one in column]


def _by_name(rows: Sequence[Mapping[str, T]]) -> Mapping[str, Sequence[T | None]]:
    """A column for each name that is in any row."""
    names = sorted({name for row in rows for name in row})
    return {name: [row.get(name) for row in rows] for name in names}


@contextmanager
def _told() -> Iterator[None]:
    """The reader's trouble as the page knows it."""
    try:
        yield
    except UnusableError as error:
        raise HistoryError(f"{error.cause}: {error}") from error
