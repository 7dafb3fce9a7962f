import math
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from gateway.view.schema.encoder import json_text
from gateway.web.connections import Connections
from gateway.web.files import read_static
from gateway.web.headers import SecurityHeaders
from gateway.web.history import HistoryAnswers
from gateway.web.hosts import HostCheck, own_names
from gateway.web.live import LiveStreams
from gateway.web.page import COOKIE, TEMPLATE, choose_language, render
from gateway.web.queries import BadQuery, allow
from gateway.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

    from gateway.web.files import StaticFiles
    from gateway.web.source import HistorySource, ViewSource

HOURS = (0.05, 168.0)  # three minutes to a week
YEAR_S = 31_536_000
FRESH = {"cache-control": "no-store"}


def create_app(
    view: "ViewSource",
    *,
    history: "HistorySource | None" = None,
    live: LiveStreams | None = None,
    connections: Connections | None = None,
    names: "Collection[str]" = (),
) -> Starlette:
    """The page and its API, showing a view; it answers to this machine's names, and to these.

    `history`: what is kept for years; without it its addresses are not there.

    `app.state.live` are its open streams, `app.state.connections` all that is connected.
    """
    static = read_static()
    live = LiveStreams(view) if live is None else live
    routes = [
        Route("/", partial(_page, static=static), name="page"),
        Route("/static/{digest}/{path:path}", partial(_static, static=static), name="static"),
        Route("/api/state", partial(_state, view=view), name="state"),
        Route("/api/trend", partial(_trend, view=view), name="trend"),
        Route("/api/plan", partial(_plan, view=view), name="plan"),
        Route("/api/status", partial(_status, view=view), name="status"),
        Route("/api/live", live, methods=["GET"], name="live"),
    ]
    routes += HistoryAnswers(history).routes() if history is not None else []
    middleware = [Middleware(SecurityHeaders), Middleware(HostCheck, names=own_names(*names))]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: _failure})
    app.router.redirect_slashes = False  # one address for each thing, and 404 for all others
    app.state.live = live
    app.state.connections = Connections() if connections is None else connections
    return app


async def _page(request: "Request", *, static: "StaticFiles") -> Response:
    language = choose_language(request)
    body = render(TEMPLATE.read_text(encoding="utf-8"), language=language, digest=static.digest)
    page = HTMLResponse(body, headers={"cache-control": "no-cache", "vary": "accept-language, cookie"})
    if request.query_params.get("lang") in LANGUAGES:
        page.set_cookie(COOKIE, language, max_age=YEAR_S, samesite="strict", httponly=True)
    return page


async def _static(request: "Request", *, static: "StaticFiles") -> Response:
    file = static.by_path.get(request.path_params["path"])
    if file is None or request.path_params["digest"] != static.digest:
        raise HTTPException(404)
    headers = {"cache-control": f"public, max-age={YEAR_S}, immutable", "etag": file.etag}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


async def _state(request: "Request", *, view: "ViewSource") -> Response:
    allow(request)
    return _answer(view.state())


async def _plan(request: "Request", *, view: "ViewSource") -> Response:
    allow(request)
    return _answer(view.plan())


async def _status(request: "Request", *, view: "ViewSource") -> Response:
    allow(request)
    return _answer(view.status())


async def _trend(request: "Request", *, view: "ViewSource") -> Response:
    allow(request, "hours")
    found = request.query_params.get("hours", "24")
    try:
        hours = float(found)
    except ValueError:
        hours = math.nan
    if not HOURS[0] <= hours <= HOURS[1]:  # false for nan too
        raise BadQuery(field="hours", found=found, allowed=f"a number from {HOURS[0]} to {HOURS[1]}")
    return _answer(view.trend(hours))


def _answer(shown: object) -> Response:
    """A view of the schema as the wire has it."""
    return Response(json_text(shown), media_type="application/json", headers=FRESH)


async def _failure(_request: "Request", error: Exception) -> Response:
    """Every refusal is JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    facts = error.facts if isinstance(error, BadQuery) else {"error": error.detail}
    return JSONResponse(facts, error.status_code, headers=error.headers)
