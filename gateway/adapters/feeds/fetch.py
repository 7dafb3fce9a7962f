"""One GET over HTTP within bounds of time and size; the only place that imports urllib."""

import asyncio
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime

MOST_BYTES = 2_000_000  # a week of forty members by the hour is a fifth of it
PIECE = 65536  # bytes; the time is looked at after each
LONGEST_WAIT_S = 86400.0  # a server that asks for more is asked again tomorrow
HEADERS = {"User-Agent": "zen-e-ville", "Accept": "*/*"}


class FetchError(Exception):
    """No answer: `why` is a reason of an absence (`why.*` of the words); `wait_s` when the server asks for a pause."""

    def __init__(self, why: str, text: str, *, wait_s: float | None = None) -> None:
        super().__init__(f"{why}: {text}")
        self.why = why
        self.wait_s = wait_s


async def fetch(url: str, *, limit_s: float = 20.0, most_bytes: int = MOST_BYTES) -> bytes:
    """The body at an address. Raises FetchError: offline, timeout, refused, busy, too_large, garbled.

    Runs in a thread, for urllib waits; a server that sends drop by drop is left when the time is over.
    """
    try:
        async with asyncio.timeout(limit_s + 1.0):
            return await _in_thread(lambda: _get(url, limit_s, most_bytes))
    except TimeoutError:
        raise FetchError("timeout", f"{without_query(url)}: no answer within {limit_s:g} s") from None


def without_query(url: str) -> str:
    """An address for logs: what stands behind "?" may be a key or where somebody lives, and before "@" a password."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _in_thread(work: Callable[[], bytes]) -> asyncio.Future[bytes]:
    """The result of work in a daemon: a name server that never answers must not hold up the end of the gateway."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(body: bytes | None, error: Exception | None) -> None:
        if done.done():  # nobody waits any more
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(body or b"")

    def run() -> None:
        body, error = None, None
        try:
            body = work()
        except Exception as caught:  # noqa: BLE001 - handed to the caller that waits, bugs too
            error = caught
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, body, error)

    threading.Thread(target=run, name="fetch", daemon=True).start()
    return done


def _get(url: str, limit_s: float, most_bytes: int) -> bytes:
    until_s = time.monotonic() + limit_s
    place = without_query(url)
    try:
        request = urllib.request.Request(url, headers=HEADERS)  # noqa: S310 - see _opener
        with _opener().open(request, timeout=limit_s) as answer:
            return _body(answer, place, until_s, most_bytes)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(place, error) from error
    except TimeoutError as error:
        raise FetchError("timeout", f"{place}: {error}") from error
    except urllib.error.URLError as error:
        why = "timeout" if isinstance(error.reason, TimeoutError) else "offline"
        raise FetchError(why, f"{place}: {error.reason}") from error
    except (http.client.HTTPException, ValueError) as error:
        raise FetchError("garbled", f"{place}: {error!r}") from error
    except OSError as error:
        raise FetchError("offline", f"{place}: {error}") from error


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS only: an answer cannot send us to a file or to FTP, and no variable to a proxy."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _body(answer: http.client.HTTPResponse, place: str, until_s: float, most_bytes: int) -> bytes:
    body = bytearray()
    while piece := answer.read1(PIECE):
        body += piece
        if len(body) > most_bytes:
            raise FetchError("too_large", f"{place}: more than {most_bytes} bytes")
        if time.monotonic() > until_s:
            raise FetchError("timeout", f"{place}: {len(body)} bytes when the time was over")
    length = answer.headers.get("Content-Length")
    if length is not None and length.isdecimal() and len(body) < int(length):
        raise FetchError("garbled", f"{place}: {len(body)} of {length} bytes")
    return bytes(body)


def _refused(place: str, error: urllib.error.HTTPError) -> FetchError:
    busy = error.code in (429, 503)
    wait_s = _wait_s(error.headers.get("Retry-After")) if busy else None
    return FetchError("busy" if busy else "refused", f"{place}: {error.code} {error.reason}", wait_s=wait_s)


def _wait_s(retry_after: str | None) -> float | None:
    """Retry-After as seconds or as a date (RFC 9110, 10.2.3); at most a day, None when it says nothing."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return min(float(retry_after), LONGEST_WAIT_S)
    try:
        until_s = parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(until_s - time.time(), 0.0), LONGEST_WAIT_S)
