"""What came of a run: its seconds and verdicts, for people, programs and tables."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gateway.trial.scenario.events import Runner
from gateway.trial.scenario.expectation import Row, Value, Verdict, judge
from gateway.trial.scenario.happenings import Happening
from gateway.trial.scenario.scenario_file import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A run that is over."""

    scenario: Scenario
    runner: Runner
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]

    @property
    def held(self) -> bool:
        """Whether all that is expected holds."""
        return all(verdict.held for verdict in self.verdicts)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        scenario = self.scenario
        return {
            "scenario": scenario.path.stem,
            "title": dict(scenario.title),
            "faults": list(scenario.faults),
            "runner": self.runner,
            "held": self.held,
            "happened": [_plain(one) for one in scenario.happenings],
            "verdicts": [verdict.plain() for verdict in self.verdicts],
            "rows": list(self.rows),
        }


def judged(scenario: Scenario, rows: Sequence[Row], *, runner: Runner) -> Trial:
    """The rows of a run, judged."""
    begun = [one.at_s for one in scenario.happenings]
    verdicts = [judge(one, rows, faults_at_s=begun) for one in scenario.expectations]
    return Trial(scenario=scenario, runner=runner, rows=rows, verdicts=verdicts)


def write_json(result: Trial, path: Path) -> None:
    """All of it in one object."""
    path.write_text(json.dumps(result.plain(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_csv(result: Trial, path: Path) -> None:
    """A line for each second, a column for each quantity; what was not known is empty."""
    names = list(dict.fromkeys(name for row in result.rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([[_cell(row.get(name)) for name in names] for row in result.rows])


def _cell(value: Value) -> str | float:
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, tuple) else value


def _plain(one: Happening) -> Mapping[str, Any]:
    values = {field.name: getattr(one.what, field.name) for field in fields(one.what)}
    named = {name: value for name, value in values.items() if value is not None}
    return {"kind": type(one.what).__name__, "at_s": one.at_s, **named}
