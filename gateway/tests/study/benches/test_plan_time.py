"""`zen bench plan` as a user starts it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.solver import solve
from gateway.cli import app
from gateway.study.benches.plan_time import CASES, beyond_bound_eur


def test_plan_writes_times_and_what_is_left_to_the_bound(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    result = CliRunner().invoke(app, ["bench", "plan", "--runs", "2", "--json", str(out)])
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert {way: list(rows) for way, rows in found["plans"].items()} == {
        way: list(CASES) for way in ("solver", "rules")
    }
    for rows in found["plans"].values():
        assert all(0.0 < row["median_ms"] <= row["worst_ms"] for row in rows.values())
        assert rows["battery"]["beyond_bound_eur"] is None


@pytest.mark.parametrize(("with_solver", "most_eur"), [(True, 0.06), (False, 0.12)], ids=["solver", "rules"])
def test_a_car_does_not_empty_the_storage_for_the_price_of_a_night(with_solver, most_eur) -> None:
    """Stored energy is worth a night's price at the margin, but there is only so much (a third above the measured)."""
    assert beyond_bound_eur(("car",), runs=8, with_solver=with_solver, solver=solve) <= most_eur


def test_no_schedule_is_cheaper_than_its_bound() -> None:
    for names in (("car",), ("car", "tank")):
        for with_solver in (True, False):
            beyond = beyond_bound_eur(names, runs=3, with_solver=with_solver, solver=solve)
            assert -1e-6 <= beyond <= 0.3
