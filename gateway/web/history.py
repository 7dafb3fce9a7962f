"""What is kept for years, by period: `/api/history/quarters?from=2026-10-25&to=2026-10-26`, as JSON or CSV.

Answers are made in a thread, one at a time, so that the cycle is not held up by whoever asks for much.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from gateway.view.schema.encoder import json_text
from gateway.view.schema.history import HistoryError
from gateway.view.schema.table import csv_text
from gateway.web.queries import BadQuery, allow

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.web.source import HistorySource

DAY_S = 86_400
MOST_DAYS = {"quarters": 35, "days": 3700, "decisions": 370, "events": 3700}  # in one answer
MOMENT = "a date (2026-10-25) or a moment (2026-10-25T14:00Z)"
FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


class HistoryAnswers:
    """The addresses below `/api/history`."""

    def __init__(self, source: "HistorySource") -> None:
        self._source = source
        self._one = asyncio.Lock()

    def routes(self) -> list[Route]:
        """One for each kind, and one that ends with `.csv`."""
        return [
            Route(f"/api/history/{kind}{ending}", self._endpoint(kind, ending), name=f"history-{kind}{ending}")
            for kind in MOST_DAYS
            for ending in ("", ".csv")
        ]

    def _endpoint(self, kind: str, ending: str) -> Callable[["Request"], object]:
        async def answer(request: "Request") -> Response:
            allow(request, "from", "to")
            from_s, to_s = self._period(request, MOST_DAYS[kind])
            form = "csv" if ending or _wants_csv(request) else "json"
            read: Callable[[float, float], object] = getattr(self._source, kind)
            async with self._one:
                try:
                    body = await asyncio.to_thread(_made, read, from_s, to_s, form)
                except HistoryError as error:
                    raise HTTPException(503, f"history_unusable: {error}") from error
            return _answer(request, body, form)

        return answer

    def _period(self, request: "Request", most_days: int) -> tuple[float, float]:
        """From the one moment up to the other. Raises BadQuery."""
        from_s, to_s = (self._moment(request, name) for name in ("from", "to"))
        if not 0 < to_s - from_s <= most_days * DAY_S:
            found = request.query_params["to"]
            raise BadQuery(field="to", found=found, allowed=f"later than `from`, by at most {most_days} days")
        return from_s, to_s

    def _moment(self, request: "Request", name: str) -> float:
        """Dates, and moments without an offset, are local ones."""
        found = request.query_params.get(name, "")
        try:
            moment = datetime.fromisoformat(found.replace(" ", "+"))  # a plus of an address is read as a space
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=ZoneInfo(self._source.time_zone))
            return max(0.0, moment.timestamp())
        except (ValueError, OverflowError):
            raise BadQuery(field=name, found=found, allowed=MOMENT) from None


def _made(read: Callable[[float, float], object], from_s: float, to_s: float, form: str) -> bytes:
    shown = read(from_s, to_s)
    return (csv_text(shown) if form == "csv" else json_text(shown)).encode()


def _wants_csv(request: "Request") -> bool:
    accepted = request.headers.get("accept", "")
    return "text/csv" in accepted and "application/json" not in accepted


def _answer(request: "Request", body: bytes, form: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"cache-control": "no-cache", "etag": etag, "vary": "accept"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": FORMATS[form]})
