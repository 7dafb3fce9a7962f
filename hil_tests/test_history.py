"""What was decided is there after a restart, read over the page's API."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from gateway.rig.chain import Chain, ChainSettings
from gateway.rig.exchange import exchange

from .conftest import OpenChain, until_controlled


async def history(chain: Chain, kind: str) -> Any:
    """All of the days around now."""
    begin, end = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-2, 2))
    answer = await exchange(f"{chain.page_address}/api/history/{kind}?from={begin}&to={end}")
    assert answer.status == 200, answer.body
    return answer.json()


async def test_decisions_outlive_a_gateway_that_stops_and_tell_their_reasons(chain_of: OpenChain) -> None:
    async with chain_of(ChainSettings()) as chain:
        await until_controlled(chain)
        await chain.stop("gateway")
        stopped_s = datetime.now(UTC).timestamp()
        await chain.start("gateway")
        found = (await history(chain, "decisions"))["decisions"]
        battery = [one for one in found if one["device"] == "battery" and one["since_s"] < stopped_s]
        assert "control" in {one["mode"] for one in battery}
        assert all(one["code"] for one in battery)
        for before, after in pairwise(battery):
            assert before["until_s"] == after["since_s"]
            assert (before["mode"], before["code"]) != (after["mode"], after["code"])
