"""Stores for the tests of this folder."""

import asyncio
from pathlib import Path

import pytest

from gateway.adapters.store import store
from gateway.tests.adapters.stores import begun


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "a.sqlite"
    asyncio.run(begun(path))
    return path


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is looked at in each cycle."""
    monkeypatch.setattr(store, "AGAIN_S", 0.0)
    monkeypatch.setattr(store, "LOOK_S", 0.0)
