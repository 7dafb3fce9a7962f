"""Which slot runs: the table of the decision, and the boots of a board with good and bad slots."""

import itertools
import subprocess
from pathlib import Path

import pytest
import slot

HERE = Path(__file__).parent
FIRMWARE = HERE.parent

A, B, BOTH = [1], [2], [1, 2]
DECISIONS = [
    # there, slot, trial, tries, short, mode: slot to run, trial, mode
    ("never had a slot: the files at the root", [], 0, 0, 0, 0, 0, (0, 0, 0)),
    ("fresh from the installer", A, 0, 0, 0, 0, 0, (1, 0, 0)),
    ("ordinary", BOTH, 2, 0, 0, 0, 0, (2, 0, 0)),
    ("first boot of a trial", BOTH, 1, 2, 1, 0, 0, (2, 2, 0)),
    ("no boots left for the trial", BOTH, 1, 2, 0, 0, 0, (1, 0, 0)),
    ("confirmed, cut before the trial was cleared", BOTH, 2, 2, 0, 0, 0, (2, 0, 0)),
    ("the trial's files are not there", A, 1, 2, 1, 0, 0, (1, 0, 0)),
    ("the confirmed one is not there", B, 1, 0, 0, 0, 0, (2, 0, 0)),
    ("two short boots", BOTH, 1, 0, 0, 2, 0, (1, 0, 0)),
    ("three short boots: safe", BOTH, 1, 0, 0, 3, 0, (1, 0, 1)),
    ("… but a trial is to show all it can do", BOTH, 1, 2, 1, 3, 0, (2, 2, 0)),
    ("safe was asked for", BOTH, 1, 0, 0, 0, 1, (1, 0, 1)),
    ("setup was asked for, even after short boots", BOTH, 1, 0, 0, 3, 2, (1, 0, 2)),
    ("a memory full of nonsense", BOTH, 77, -3, 5, 0, 0, (1, 0, 0)),
]


@pytest.mark.parametrize("row", DECISIONS, ids=lambda row: row[0])
def test_the_decision(row):
    _, there, kept, trial, tries, short, mode, decided = row
    assert slot.decide(there, kept, trial, tries, short, mode) == decided


def test_whatever_is_remembered_a_slot_that_is_there_runs():
    for there in ([], A, B, BOTH):
        for kept, trial, tries, short in itertools.product(range(-1, 4), range(-1, 4), range(-1, 3), range(5)):
            run, on_trial, _ = slot.decide(there, kept, trial, tries, short, 0)
            assert run in (there or [0])
            assert on_trial in (0, run)


class Board:
    """A directory with slots, booted again and again by the interpreter of the board."""

    def __init__(self, run, directory):
        self.run = run
        self.directory = directory

    def slot(self, name: str, app: str, complete: bool = True) -> None:
        (self.directory / name / "node").mkdir(parents=True)
        (self.directory / name / "node" / "__init__.py").write_text("")
        (self.directory / name / "node" / "start.py").write_text(app)
        if complete:
            (self.directory / name / "manifest.json").write_text("{}")

    def keep(self, **values) -> None:
        """Values of the NVS."""
        puts = "".join(f"m.put({key!r}, {value})\n" for key, value in values.items())
        self.run("import slot\nm = slot.memory()\n" + puts)

    def kept(self, key: str) -> str:
        ask = "text" if key == "why" else "get"
        return self.run(f"import slot\nprint(slot.memory().{ask}({key!r}))").strip()

    def boot(self, end: str = "") -> list[str]:
        """One boot; `end` is run in the place of a long life."""
        return self.run("import main\n" + end).splitlines()


@pytest.fixture
def slots(micropython, tmp_path):
    for name in ("boot.py", "memory.py", "slot.py", "nvs.py", "main.py"):
        (tmp_path / name).symlink_to(FIRMWARE / name)

    def run(code: str) -> str:
        environment = {"MICROPYPATH": f".frozen:{HERE / 'fast'}:.", "ZEN_SPEED": "1000"}
        command = [micropython, "-c", code]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout + done.stderr

    return Board(run, tmp_path)


GOOD = """
class App:
    def live(self): self.say('%s', self.mode)
def start(say, memory, mode):
    app = App()
    app.say, app.mode = say, mode
    return app
"""
STEADY = "import slot\nslot.memory().put('short', 0)"


def test_three_short_boots_lead_to_safe_mode_and_a_steady_one_out_of_it(slots):
    slots.slot("a", GOOD % "a")
    assert [slots.boot() for _ in range(4)] == [["a run"]] * 3 + [["a safe"]]
    assert slots.boot(STEADY) == ["a safe"]
    assert slots.boot() == ["a run"]


def test_a_trial_has_one_boot_to_be_confirmed_in(slots):
    slots.slot("a", GOOD % "a")
    slots.slot("b", GOOD % "b")
    slots.keep(slot=1, tries=1, trial=2)
    assert slots.boot(STEADY) == ["b run"]
    assert slots.boot(STEADY) == ["a run"]
    assert slots.kept("why") == "trial: restart"
    assert slots.kept("trial") == "0"


def test_a_trial_that_was_not_confirmed_is_not_found_again_when_the_old_one_fails_one_day(slots):
    for name in "ab":
        slots.slot(name, GOOD % name)
    slots.keep(slot=1, tries=1, trial=2)
    assert [slots.boot(STEADY) for _ in range(2)] == [["b run"], ["a run"]]
    assert sorted(path.name for path in (slots.directory / "b").glob("manifest*")) == ["manifest.bad"]
    (slots.directory / "a" / "node" / "start.py").write_text("1 // 0")
    assert [slots.boot()[0][:2] for _ in range(3)] == ["a:", "a:", "a:"]


def test_a_confirmed_slot_keeps_its_manifest_though_its_trial_was_not_cleared(slots):
    for name in "ab":
        slots.slot(name, GOOD % name)
    slots.keep(slot=2, tries=0, trial=2)
    assert slots.boot(STEADY) == ["b run"]
    assert (slots.directory / "b" / "manifest.json").exists()


BAD = {
    "raises": "1 // 0",
    "is no Python": "def start(:",
    "lacks a part": "from node import missing",
    "has no start": "",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("trial", [0, 2], ids=["confirmed", "on trial"])
def test_a_slot_that_cannot_be_loaded_gives_way_to_the_other(name, trial, slots):
    slots.slot("a", GOOD % "a")
    slots.slot("b", BAD[name])
    slots.keep(slot=1 if trial else 2, tries=1, trial=trial)
    (said,) = slots.boot()
    assert said.startswith("b: ")
    assert slots.boot() == ["a run"]
    assert slots.kept("why") == said
    assert slots.boot() == ["a run"]


def test_a_compiled_file_of_another_interpreter_gives_way_too(slots):
    slots.slot("a", GOOD % "a")
    slots.slot("b", "")
    (slots.directory / "b" / "node" / "start.py").unlink()
    (slots.directory / "b" / "node" / "start.mpy").write_bytes(b"M\x05\x00\x1f")
    slots.keep(slot=1, tries=1, trial=2)
    assert "incompatible" in slots.boot()[0]
    assert slots.boot() == ["a run"]


def test_a_slot_without_its_manifest_is_not_there(slots):
    slots.slot("a", GOOD % "a")
    slots.slot("b", GOOD % "b", complete=False)
    slots.keep(slot=2)
    assert slots.boot() == ["a run"]


def test_two_bad_slots_are_tried_in_turn_for_ever(slots):
    for name in "ab":
        slots.slot(name, "1 // 0")
    assert [slots.boot()[0][:2] for _ in range(4)] == ["a:", "b:", "a:", "b:"]


def test_without_slots_the_files_beside_it_run(slots):
    (slots.directory / "node").mkdir()
    (slots.directory / "node" / "start.py").write_text(GOOD % "root")
    assert slots.boot() == ["root run"]
