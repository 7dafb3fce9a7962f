import httpx
import pytest

from gateway.rig.browser import Chromium
from gateway.tests.web.fake_view import FakeView
from gateway.tests.web.page_thread import PageThread
from gateway.web import create_app, serve


@pytest.fixture(scope="session")
def browser(chromium):
    browser = Chromium(str(chromium.path))
    yield browser
    browser.close()


@pytest.fixture
def page():
    page = PageThread(FakeView)
    yield page
    page.close()


@pytest.fixture
def open_tab(browser, page):
    """Opens the page in a tab of its own and waits for its first numbers."""
    tabs = []

    def open_tab(query="?lang=en", **look):
        tabs.append(browser.open(page.address.url + query, **look))
        tabs[-1].wait("document.body.dataset.live === 'good'")
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.close()


@pytest.fixture
async def site():
    """(client, view, app) of a running page."""
    view = FakeView()
    app = create_app(view)
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
    ):
        yield client, view, app
