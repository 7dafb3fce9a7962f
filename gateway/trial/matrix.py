"""The list of faults: each is a scenario that is run, or has a test elsewhere and says why."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.trial import virtual_run
from gateway.trial.outcome import Trial, judged
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.expectation import Row
from gateway.trial.scenario.happenings import for_real_parts_only

USUAL_S = 12.0  # by then all is read and decided
LIST = Path("hil_tests") / "faults.toml"
SCENARIOS = Path("hil_tests") / "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFault:
    """One of the list; `test` and `why` only where no scenario shows it."""

    number: int
    name: str
    scenarios: Sequence[Path]
    test: str | None = None
    why: str | None = None


def listed(root: Path) -> list[ListedFault]:
    """The list of faults, with the scenarios that name their numbers; `root` is that of the checkout."""
    shown: dict[int, list[Path]] = {}
    for path in sorted((root / SCENARIOS).glob("*.toml")):
        for number in _table(path).get("faults", []):
            shown.setdefault(number, []).append(path)
    return [
        ListedFault(
            number=row["number"],
            name=row["name"],
            scenarios=shown.get(row["number"], []),
            test=row.get("test"),
            why=row.get("why"),
        )
        for row in _table(root / LIST)["fault"]
    ]


def page(root: Path) -> Iterator[str]:
    """The lines of `docs/faults.md`; every scenario that virtual time can show is run for it."""
    yield from HEAD.splitlines()
    for fault in listed(root):
        if not fault.scenarios:
            yield f"| {fault.number} | {fault.name} | `{fault.test}`: {fault.why} | | | | |"
        for path in fault.scenarios:
            yield f"| {fault.number} | {fault.name} | {_link(path)} | {' | '.join(_cells(path))} |"


HEAD = """<!-- Written by `make fault-matrix` from hil_tests/faults.toml and hil_tests/scenarios: change those. -->

# What may go wrong, and what then happens

Each line is a scenario, run in virtual time ([how](trial.md)), or a test elsewhere and why. *Safe after*: seconds from
the fault until all that was expected held. *Back after*: the same from its end. *Said*: the first sentence of the page
on a device that was not there before the fault.

| | fault | shown by | safe after | back after | said | held |
|---|---|---|---|---|---|---|"""


def _cells(path: Path) -> Sequence[str]:
    if for_real_parts_only(_table(path).get("fault", [])):
        return "", "", "", "on real parts: `hil_tests/test_scenarios.py`"
    scenario = scenario_file.read(path, runner="virtual")
    trial = judged(scenario, virtual_run.run(scenario), runner="virtual")
    safe_s, back_s = _settled(trial)
    return safe_s, back_s, _said(trial), "yes" if trial.held else "**not yet**"


def _settled(trial: Trial) -> tuple[str, str]:
    """The longest time of what was expected after a fault, and of what was after the end of one."""
    ends = {one.until_s for one in trial.scenario.happenings}
    safe = [verdict for verdict in trial.verdicts if verdict.expectation.after is not None]
    back = [one for one in trial.verdicts if one.expectation.after is None and one.expectation.from_s in ends]
    throughout = "throughout" if trial.held and not safe else ""
    return _longest(safe) or throughout, _longest(back)


def _longest(verdicts: Sequence[Any]) -> str:
    if not verdicts or not all(verdict.held for verdict in verdicts):
        return ""
    times = [verdict.settled_s for verdict in verdicts]
    return "" if None in times else f"{max(times):.0f} s"


def _said(trial: Trial) -> str:
    """The first new sentence after the first fault, of a device that is given back rather than of one that is not."""
    at_s = min((one.at_s for one in trial.scenario.happenings), default=0.0)
    at_s = max(at_s, USUAL_S)  # a fault of the first moment: what is said from then on is the usual
    before = {_shape(text) for row in trial.rows if _t(row) <= at_s for _, text in _sentences(row)}
    after = (one for row in trial.rows if _t(row) > at_s for one in _sentences(row))
    new = [(mode, text) for mode, text in after if _shape(text) not in before]
    for wanted in ("release", "hold", "watch"):
        for mode, text in new:
            if mode == wanted:
                return text
    return new[0][1] if new else ""


def _sentences(row: Row) -> Iterator[tuple[str, str]]:
    """(mode, sentence) of each device."""
    for name, value in row.items():
        if name.startswith("said.") and isinstance(value, str):
            yield str(row.get(f"mode.{name.removeprefix('said.')}")), value


def _shape(text: str) -> str:
    """A sentence without its numbers."""
    return re.sub(r"[\d.,]+", "#", text)


def _t(row: Row) -> float:
    t = row["t"]
    assert isinstance(t, int | float)  # noqa: S101 - every row has its moment
    return float(t)


def _link(path: Path) -> str:
    return f"[{path.stem}](../{SCENARIOS}/{path.name})"


def _table(path: Path) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
