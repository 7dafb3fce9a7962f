"""The page of the HTTP API."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from gateway.view.schema.cycle import CycleView, ReasonView
from gateway.view.schema.history import DaysView, DecisionsView, EventsView, QuartersView
from gateway.view.schema.keys import LeftOut
from gateway.view.schema.plan import PlanView
from gateway.view.schema.status import StatusView
from gateway.view.schema.trend import TrendView
from pages.tables import markdown_table

ENDPOINTS = {
    "/api/state": CycleView,
    "/api/plan": PlanView,
    "/api/trend?hours=24": TrendView,
    "/api/status": StatusView,
    "/api/history/quarters?from=2026-10-25&to=2026-10-26": QuartersView,
    "/api/history/days?from=2026-10-01&to=2026-11-01": DaysView,
    "/api/history/decisions?from=2026-10-25&to=2026-10-26": DecisionsView,
    "/api/history/events?from=2026-10-25&to=2026-10-26": EventsView,
}


def api_page() -> Iterator[str]:
    yield "All addresses are read with GET and answer in JSON; nothing can be changed over them. `/api/live` sends what"
    yield "`/api/state` answers as an event `state` for each cycle (server-sent events; the id of the event is that of"
    yield "the cycle). `hours` of the trend is a number from 0.05 to 168.\n"
    yield "What is kept for years is asked by period: `from` and `to` (excluded) are dates, or moments as"
    yield "`2026-10-25T14:00Z`; without an offset they are local. At most 35 days of quarter hours, a year of"
    yield "decisions, ten years of days and events. With `.csv` at the end of the path, or `Accept: text/csv`, the"
    yield "answer is a table. Each has an `ETag`; [history](../history.md) says more.\n"
    yield "`[]` stands for each entry of a list, `NAME` for a name of this building. **Drawn positive**: power that the"
    yield "thing named draws from the building is positive, what it gives is negative. **Import positive**: power is"
    yield "positive when the building imports. The last column says when a value (in a list: an entry) is null, or its"
    yield "key is left out; where it is empty, the value is always there.\n"
    for address, view in ENDPOINTS.items():
        yield f"## {address}\n"
        yield inspect.cleandoc(view.__doc__ or "") + "\n"
        yield from markdown_table(API_HEADING, _keys(view, ""))
    yield "## A reason\n"
    yield inspect.cleandoc(ReasonView.__doc__ or "") + "\n"
    yield from markdown_table(API_HEADING, _keys(ReasonView, ""))


def _keys(view: type, before: str) -> Iterator[tuple[str, ...]]:
    """A row for each key of a view, those of what it holds below it; reasons have their own table."""
    for name, hint in get_type_hints(view, include_extras=True).items():
        kind, about = get_args(hint)
        absent = [f"null: {about.null}"] * bool(about.null) + [f"left out: {about.left_out}"] * bool(about.left_out)
        inner, place = _inner(kind)
        is_view = is_dataclass(inner) and inner is not ReasonView
        one = "[reason](#a-reason)" if inner is ReasonView else "object" if is_view else JSON_TYPES[inner]
        many = {"": one, "[]": f"list: {one}", ".NAME": f"by name: {one}"}[place]
        yield f"`{before}{name}`", about.text, many, about.unit, about.sign, "; ".join(absent)
        if is_view:
            yield from _keys(inner, f"{before}{name}{place}.")


API_HEADING = ("key", "what", "type", "unit", "sign", "absent")


JSON_TYPES: Mapping[object, str] = {float: "number", int: "whole number", str: "text", bool: "boolean", object: "any"}


def _inner(kind: Any) -> tuple[Any, str]:
    """(type of what a key holds in the end, how a path goes on to it): `tuple[PointView, ...]` is PointView in `[]`."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [part for part in get_args(kind) if part not in (type(None), LeftOut)]
        return _inner(kinds[0]) if len(kinds) == 1 else (object, "")
    if get_origin(kind) in (tuple, Sequence):
        return _inner(get_args(kind)[0])[0], "[]"
    if get_origin(kind) is Mapping:
        inner = get_args(kind)[1]
        return inner if is_dataclass(inner) else object, ".NAME"
    return kind, ""
