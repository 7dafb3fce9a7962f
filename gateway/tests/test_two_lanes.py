"""Every test is handed out once, and never more of those with real parts at a time than the machine bears."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.tests.two_lanes import TwoLanes

KINDS = ["parts"] * 40 + ["fast"] * 300 + ["slow"] * 4 + ["parts"] * 6
TESTS = [f"test_{number}" for number in range(len(KINDS))]


class Worker:
    """What a scheduler sees of one: it runs the oldest test of its hand once it knows the next, or that it may end."""

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.shutting_down = False
        self.hand: list[int] = []

    def send_runtest_some(self, tests: Sequence[int]) -> None:
        assert not self.shutting_down
        self.hand.extend(tests)

    def shutdown(self) -> None:
        self.shutting_down = True

    @property
    def runs(self) -> int | None:
        return self.hand[0] if len(self.hand) > 1 or (self.hand and self.shutting_down) else None


def scheduler(folder: Path, workers: int, most_with_parts: int, kinds: Sequence[str]) -> tuple[TwoLanes, list[Worker]]:
    (folder / "kinds.json").write_text(json.dumps(kinds))
    config = SimpleNamespace(getvalue=lambda _: ["popen"] * workers, getoption=lambda _: None)
    made = TwoLanes(config, kinds=folder / "kinds.json", most_with_parts=most_with_parts)
    crew = [Worker(number) for number in range(workers)]
    for worker in crew:
        made.add_node(worker)
        made.add_node_collection(worker, [f"test_{number}" for number in range(len(kinds))])
    made.schedule()
    return made, crew


@pytest.mark.parametrize("workers", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("part_s", [1, 20])
@pytest.mark.parametrize("kinds", [KINDS, ["parts"], ["fast"], [], ["fast"] * 3, ["parts"] * 50])
def test_all_are_run_once_and_few_with_parts_at_a_time(
    tmp_path: Path, workers: int, part_s: int, kinds: list[str]
) -> None:
    """A test that computes takes a step, one with parts `part_s`."""
    most = 4
    made, crew = scheduler(tmp_path, workers, most, kinds)
    done: list[int] = []
    left = dict.fromkeys(crew, 0)
    for _ in range(10_000):
        running = [worker for worker in crew if worker.runs is not None]
        if not running:
            break
        assert len([worker for worker in running if kinds[worker.runs] == "parts"]) <= most
        for worker in running:
            left[worker] = left[worker] or (part_s if kinds[worker.runs] == "parts" else 1)
            left[worker] -= 1
            if left[worker] == 0:
                done.append(worker.hand.pop(0))
                made.mark_test_complete(worker, done[-1])
    assert sorted(done) == list(range(len(kinds)))
    assert made.tests_finished
    assert all(worker.shutting_down for worker in crew)


def test_both_lanes_are_busy_from_the_start_and_what_computes_for_long_goes_first(tmp_path: Path) -> None:
    _, crew = scheduler(tmp_path, 6, 4, KINDS)
    assert [KINDS[worker.runs] for worker in crew] == ["parts"] * 4 + ["slow", "fast"]
    assert [KINDS[test] for test in crew[4].hand] == ["slow"] * 4 + ["fast"] * 4


def test_what_a_crashed_worker_had_in_hand_is_run_by_the_others(tmp_path: Path) -> None:
    made, crew = scheduler(tmp_path, 6, 4, KINDS)
    running, following = crew[0].hand
    assert made.remove_node(crew[0]) == TESTS[running]
    assert following in made.pending or any(following in worker.hand for worker in crew[1:])
    replacement = Worker(6)
    made.add_node(replacement)
    made.add_node_collection(replacement, TESTS)
    made.schedule()
    assert replacement.hand
