from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from gateway.simulator.run import Ready, open_house
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

OpenHouse = Callable[..., AbstractAsyncContextManager[tuple[Simulation, Ready]]]


@pytest.fixture
def house_on_links(tmp_path: Path) -> OpenHouse:
    """A house on free ports whose time stands still: the test moves it."""

    @asynccontextmanager
    async def opened(
        *, more_serve: Mapping[str, object] | None = None, **tables: object
    ) -> AsyncIterator[tuple[Simulation, Ready]]:
        serve = {
            "control": "127.0.0.1:0",
            "meter": {"serial": str(tmp_path / "meter.tty")},
            "pv": {"tcp": "127.0.0.1:0"},
            "battery": {"tcp": "127.0.0.1:0"},
            **(more_serve or {}),
        }
        config = HouseConfig.model_validate({"serve": serve, **tables})
        async with open_house(config) as (simulation, ready):
            yield simulation, ready

    return opened
