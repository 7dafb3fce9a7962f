"""Writes docs/faults.md, and the picture of docs/trial.md: `make fault-matrix`."""

from pathlib import Path

from gateway.trial import virtual_run
from gateway.trial.matrix import SCENARIOS, page
from gateway.trial.outcome import judged
from gateway.trial.picture import svg
from gateway.trial.scenario import scenario_file

ROOT = Path(__file__).parents[1]
DRAWN = ROOT / SCENARIOS / "battery_tapers.toml"

if __name__ == "__main__":
    (ROOT / "docs" / "faults.md").write_text("\n".join(page(ROOT)) + "\n", encoding="utf-8")
    scenario = scenario_file.read(DRAWN, runner="virtual")
    drawn = judged(scenario, virtual_run.run(scenario), runner="virtual")
    (ROOT / "docs" / "trial.svg").write_text(svg(drawn, title=scenario.title["en"]), encoding="utf-8")
