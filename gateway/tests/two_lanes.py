"""How tests share the cores: those that wait for real parts in one lane, those that only compute in the other.

A test with real parts runs on the clock and sleeps most of the time: several of them share a core, and more than
`PER_CORE` of them make each other late. A test that computes takes a whole core: one for each is right, and in the
lane of its own it is niced, so that it takes only what the real parts leave. Both lanes belong to one run of pytest.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

PARTS = {"part", "micropython_64", "prompt"}
"""Fixtures that start a part; whatever asks for one of them, itself or through another, has the mark `parts`."""
PER_CORE = 2
COMPUTE_NICE = 5
IN_HAND = {"parts": 2, "compute": 8}
"""A worker needs the next test to begin the present one; a short test is over before another could be sent."""


def cores() -> int:
    """Those that this run may use."""
    return len(os.sched_getaffinity(0))


def workers(config: pytest.Config) -> int:
    """`-n auto`: both lanes full. `-n logical`: a worker for each core."""
    return cores() + (config.getoption("--with-parts") if config.option.numprocesses == "auto" else 0)


class Lanes:
    """The plugin that builds on pytest-xdist, and does nothing in a run without workers."""

    def __init__(self, most_with_parts: int) -> None:
        self.most_with_parts = most_with_parts
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if PARTS & set(getattr(item, "fixturenames", ())):
                item.add_marker("parts")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Before a worker starts: where it tells what each test is, and in which lane it works."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="zen-lanes-")
        number = int(node.gateway.id.removeprefix("gw"))
        computes = number >= self.most_with_parts
        kinds = str(Path(self._folder.name) / "kinds.json")
        node.workerinput["lanes"] = {"kinds": kinds, "nice": COMPUTE_NICE if computes else 0}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config) -> "TwoLanes | None":
        """Unless the caller wants another distribution."""
        if config.option.dist != "load" or self._folder is None:
            return None
        return TwoLanes(config, kinds=Path(self._folder.name) / "kinds.json", most_with_parts=self.most_with_parts)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if nice := _lanes_given(session.config).get("nice"):
            os.nice(nice)

    @pytest.hookimpl(tryfirst=True)  # before the worker sends its collection
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        given = _lanes_given(session.config)
        if given:
            kinds = [_kind(item) for item in session.items]
            part = Path(f"{given['kinds']}.{os.getpid()}")
            part.write_text(json.dumps(kinds), encoding="ascii")
            part.replace(given["kinds"])

    def pytest_unconfigure(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


class TwoLanes(LoadScheduling):
    """Hands out tests one by one, so that a lane never waits while the other has all the work."""

    def __init__(self, config: pytest.Config, *, kinds: Path, most_with_parts: int) -> None:
        super().__init__(config)
        self._kinds_file = kinds
        self._kinds: list[str] = []
        self._most_with_parts = most_with_parts

    def schedule(self) -> None:
        """When all workers have collected, and again for one that replaces a crashed one."""
        if self.collection is None and self._check_nodes_have_same_collection():
            self.collection = next(iter(self.node2collection.values()))
            self._kinds = json.loads(self._kinds_file.read_text(encoding="ascii"))
            self.pending[:] = sorted(range(len(self.collection)), key=lambda test: self._kinds[test] != "slow")
        for node in self.nodes:
            self.check_schedule(node)

    def check_schedule(self, node: WorkerController, duration: float = 0) -> None:  # noqa: ARG002 - the base class's
        """Fill a worker's hand; with nothing left that it may take, it ends when its hand is empty."""
        if node.shutting_down:
            return
        for lane in self._lanes(node):
            tests = self._of(lane)[: max(IN_HAND[lane] - len(self.node2pending[node]), 0)]
            if tests:
                for test in tests:
                    self.pending.remove(test)
                self.node2pending[node].extend(tests)
                node.send_runtest_some(tests)
            if self._of(lane):
                return
        node.shutdown()

    def _lanes(self, node: WorkerController) -> Sequence[str]:
        """In which order a worker looks for work. With few workers each of them does everything."""
        if self.nodes.index(node) < min(self._most_with_parts, max(self.numnodes - 1, 1)):
            return ("parts", "compute")
        return ("compute", "parts") if self.numnodes <= self._most_with_parts else ("compute",)

    def _of(self, lane: str) -> list[int]:
        return [test for test in self.pending if (self._kinds[test] == "parts") == (lane == "parts")]


def _kind(item: pytest.Item) -> str:
    return next((name for name in ("parts", "slow") if item.get_closest_marker(name)), "fast")


def _lanes_given(config: pytest.Config) -> dict:
    return getattr(config, "workerinput", {}).get("lanes", {})
