"""The real parts that tests use. What this machine lacks skips its tests with a sentence, and fails them in CI."""

import os
from collections.abc import Callable

import hypothesis
import pytest

from gateway.rig.part import Machine, Missing, Part
from gateway.rig.parts import find
from gateway.tests.two_lanes import PER_CORE, Lanes, cores, workers

hypothesis.settings.register_profile("zen", deadline=None)  # a busy machine is no fault of ours; pytest has time-outs
hypothesis.settings.load_profile("zen")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of the machine the tests with real parts may have."""
    told = f"tests with real parts that run at a time; {PER_CORE} for each core unless told otherwise"
    parser.addoption("--with-parts", type=int, default=PER_CORE * cores(), metavar="N", help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Both lanes."""
    config.pluginmanager.register(Lanes(config.getoption("--with-parts")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Asked before the lanes are there."""
    return workers(config)


@pytest.fixture(scope="session")
def part() -> Callable[[str], Part]:
    """`part("mosquitto")`: the part, found but never fetched."""

    def ask(name: str) -> Part:
        found = find(name, Machine())
        if isinstance(found, Missing):
            reason = f"{name}: {found.why}. To have it: {found.remedy}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        return found

    return ask


@pytest.fixture(scope="session")
def mosquitto(part: Callable[[str], Part]) -> Part:
    """The MQTT broker."""
    return part("mosquitto")


@pytest.fixture(scope="session")
def micropython(part: Callable[[str], Part]) -> Part:
    """The interpreter of the board."""
    return part("micropython")


@pytest.fixture(scope="session")
def influxd(part: Callable[[str], Part]) -> Part:
    """The database."""
    return part("influxd")


@pytest.fixture(scope="session")
def chromium(part: Callable[[str], Part]) -> Part:
    """The browser."""
    return part("chromium")
