"""The real page of the real chain in a real browser."""

import asyncio

import pytest

from gateway.rig.browser import Chromium
from gateway.rig.chain import ChainSettings
from gateway.rig.part import Part

from .conftest import OpenChain, house, state, until_controlled

VALUES = "[...document.querySelectorAll('.node-value')].map(e => e.textContent)"


@pytest.mark.timeout(180)
async def test_a_browser_sees_the_building_move_and_why(chain_of: OpenChain, chromium: Part) -> None:
    async with chain_of(ChainSettings()) as chain:
        await until_controlled(chain)
        browser = await asyncio.to_thread(Chromium, str(chromium.path))
        try:
            tab = await asyncio.to_thread(browser.open, f"{chain.page_address}/?lang=en")
            await asyncio.to_thread(tab.wait, f"{VALUES}.length === 4 && {VALUES}.every(text => !text.includes('—'))")
            await asyncio.to_thread(tab.wait, "document.body.textContent.includes('Without the battery')")
            before = await asyncio.to_thread(tab.run, f"{VALUES}.join()")
            await house(chain, do="step", w=1800, seconds=None)
            await asyncio.to_thread(tab.wait, f"{VALUES}.join() !== {before!r}")
            assert "Eastron SDM630" in await asyncio.to_thread(tab.text, "body")
            await chain.kill("gateway")
            await asyncio.to_thread(
                tab.wait, "document.body.textContent.toLowerCase().includes('connection lost')", within_s=15
            )
        finally:
            await asyncio.to_thread(browser.close)


async def test_a_page_asked_before_the_first_cycle_is_complete(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings()) as chain:
        shown = await state(chain)
        assert {"flow", "soc", "devices", "setpoint", "links", "database"} <= set(shown)
