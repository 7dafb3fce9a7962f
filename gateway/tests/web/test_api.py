"""Every address of the page, over a real socket."""

import re
import signal
import socket

import httpx
import pytest

from gateway.tests.web.fake_view import SUNNY, FakeView
from gateway.web import AddressError, create_app, serve


async def test_the_state_is_the_view_s_own_with_its_sign_rule(site):
    client, _, _ = site
    answer = await client.get("/api/state")
    assert answer.json() == SUNNY
    assert answer.json()["flow"]["pv_w"] == -3400.0
    assert answer.headers["cache-control"] == "no-store"


async def test_the_trend_covers_the_hours_asked_for_or_a_day(site):
    client, view, _ = site
    for query in ("", "?hours=6", "?hours=0.5"):
        rows = (await client.get(f"/api/trend{query}")).json()
        assert set(rows) == {"t", "pv_w", "load_w", "battery_w", "grid_w", "soc"}
        assert {len(row) for row in rows.values()} == {len(rows["t"])}
    assert view.asked_hours == [24.0, 6.0, 0.5]


@pytest.mark.parametrize(
    ("query", "field", "found"),
    [
        ("hours=abc", "hours", "abc"),
        ("hours=", "hours", ""),
        ("hours=0", "hours", "0"),
        ("hours=-1", "hours", "-1"),
        ("hours=169", "hours", "169"),
        ("hours=nan", "hours", "nan"),
        ("hours=inf", "hours", "inf"),
        ("hours=1&hours=2", "hours", "hours=1&hours=2"),
        ("days=1", "days", "days=1"),
    ],
)
async def test_a_bad_query_gets_what_was_found_and_what_is_allowed(site, query, field, found):
    client, view, _ = site
    answer = await client.get(f"/api/trend?{query}")
    assert answer.status_code == 400
    assert answer.json() == {"error": "bad_query", "field": field, "found": found, "allowed": answer.json()["allowed"]}
    assert answer.json()["allowed"] in ("a number from 0.05 to 168.0", "hours once")
    assert view.asked_hours == []


async def test_state_and_status_take_no_query(site):
    client, _, _ = site
    for path in ("/api/state", "/api/status"):
        assert (await client.get(path)).status_code == 200
        assert (await client.get(f"{path}?x=1")).json()["allowed"] == "none"


async def test_the_page_can_only_be_read(site):
    client, _, _ = site
    for path in ("/", "/api/state", "/api/trend", "/api/status", "/api/live"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await client.request(method, path)
            assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"}), path


async def test_every_answer_carries_the_security_headers(site):
    client, _, _ = site
    for path in ("/", "/api/state", "/api/trend?hours=x", "/nothing", "/static/0/x.js"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


async def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(site):
    client, _, _ = site
    linked = re.findall(r'(?:src|href)="(/static/[^"]+)"', (await client.get("/")).text)
    assert {path.rsplit(".", 1)[-1] for path in linked} == {"js", "css", "svg"}
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    for path in linked:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].split(";")[0] == kinds[path.rsplit(".", 1)[-1]]
        assert "immutable" in answer.headers["cache-control"]
        again = await client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    digest = linked[0].split("/")[2]
    licence = await client.get(f"/static/{digest}/vendor/uplot/LICENSE")
    assert "MIT License" in licence.text


@pytest.mark.parametrize("path", ["page.py", "../page.py", "%2e%2e/page.py", "..%2fpage.html", "vendor", ""])
async def test_nothing_outside_the_static_folder_is_served(site, path):
    client, _, _ = site
    digest = re.search(r"/static/(\w+)/", (await client.get("/")).text)[1]
    answer = await client.get(f"/static/{digest}/{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("", "de;q=0.9,en;q=0.3,fr;q=0.5", "fr"),
        ("", "de-DE", "en"),
        ("", "fr;q=much", "en"),
        ("?lang=fr", "en", "fr"),
        ("?lang=xx", "fr", "fr"),
    ],
)
async def test_the_page_speaks_the_language_asked_for(site, query, accepted, language):
    client, _, _ = site
    answer = await client.get(f"/{query}", headers={"accept-language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert "{{" not in answer.text


async def test_a_chosen_language_is_remembered(site):
    client, _, _ = site
    await client.get("/?lang=fr")
    assert '<html lang="fr">' in (await client.get("/", headers={"accept-language": "en"})).text


async def test_signals_stay_with_the_gateway():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    async with (
        serve(create_app(FakeView()), host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(timeout=30) as client,
    ):
        await client.get(address.url)
        assert {number: signal.getsignal(number) for number in before} == before


async def test_an_error_of_the_caller_comes_through_as_it_is():
    with pytest.raises(KeyError, match="mine"):
        async with serve(create_app(FakeView()), host="127.0.0.1", port=0):
            raise KeyError("mine")


async def test_a_busy_port_is_reported_with_address_reason_and_remedy():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressError) as caught:
            async with serve(create_app(FakeView()), host="127.0.0.1", port=port):
                pass
    assert caught.value.address == f"127.0.0.1:{port}"
    assert caught.value.reason == "another program listens there"
    assert "choose another port" in caught.value.remedy
    assert str(port) in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("192.0.2.1", 0, "this machine has no such address"),  # TEST-NET-1, RFC 5737
        ("127.0.0.1", 65536, "there is no such port"),
        ("no such host", 0, "the host name is unknown here"),
    ],
)
async def test_an_impossible_address_is_explained(host, port, reason):
    with pytest.raises(AddressError) as caught:
        async with serve(create_app(FakeView()), host=host, port=port):
            pass
    assert caught.value.reason == reason
