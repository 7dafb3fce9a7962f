"""The page never lets old numbers look live, in a real browser."""

import pytest

from gateway.tests.web.fake_view import FakeView
from gateway.tests.web.page_thread import PageThread

pytestmark = pytest.mark.hil


def test_a_lost_connection_is_marked_and_its_age_grows(page, open_tab):
    tab = open_tab()
    page.close()
    tab.wait("document.body.dataset.live === 'lost'")
    assert tab.text("#live") == "Connection lost"
    assert tab.text("#banner").startswith("No connection to the gateway. The values shown are ")
    assert tab.run("document.getAnimations().some(a => a.animationName === 'flow')") is False
    tab.wait("/are [2-9]\\ss old/.test(document.querySelector('#banner').innerText)")
    assert "too old" in tab.text("[data-device=grid] .badge")
    tab.wait("/measured [2-9]\\ss ago/.test(document.querySelector('[data-device=grid]').innerText)")


def test_the_page_comes_back_by_itself_when_the_gateway_does(page, open_tab):
    tab = open_tab()
    page.close()
    tab.wait("document.body.dataset.live === 'lost'")
    again = PageThread(FakeView, port=page.address.port)
    try:
        tab.wait("document.body.dataset.live === 'good'")
        assert tab.run("document.querySelector('#banner').hidden") is True
    finally:
        again.close()


def test_a_gateway_that_stands_still_is_not_shown_as_live(page, open_tab):
    tab = open_tab()
    page.is_beating = False
    tab.wait("document.body.dataset.live === 'stuck'")
    assert tab.text("#live") == "No new values"
    assert "sends no new values" in tab.text("#banner")
