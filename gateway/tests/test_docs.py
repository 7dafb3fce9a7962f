"""The documents say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


# What these name existed when they were written, or comes to be when they are followed.
DATED = ("CHANGELOG.md", "docs/adr/", "docs/recipes.md")
# A file is named by its whole path, or from below `gateway/` (`core/control/dispatch.py`).
NAMED = re.compile(r"`((?:gateway|firmware|config|hil_tests|docs|core|adapters)/[\w/.\-]+)`")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not str(page.relative_to(ROOT)).startswith(DATED)], ids=lambda page: page.name
)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not ((ROOT / name).exists() or (ROOT / "gateway" / name).exists())] == []


def test_the_architecture_names_its_files() -> None:
    assert len(NAMED.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))) > 10


CONFIG = {  # what may stand in config/, and the test that loads it
    "boards.json": "gateway/tests/adapters/test_boards.py",
    "compose.yaml": "gateway/tests/report/test_compose.py",
    "grafana/*/*.yaml": "gateway/tests/report/grafana/test_files.py",
    "grafana/*/*/*": "gateway/tests/report/grafana/test_files.py",
    "demo/site*.toml": "gateway/tests/site/test_site_file.py",
    "demo/house*.toml": "gateway/tests/simulator/test_house_file.py",
    "demo/loads.toml": "hil_tests/test_loads.py",
    "devices/*.json": "gateway/tests/adapters/test_poll_tables.py",
    "tariffs/*.toml": "gateway/tests/adapters/test_tariffs.py",
    "taxes/*.toml": "gateway/tests/core/accounts/test_bill.py",
    "mosquitto/mosquitto.conf": "gateway/tests/rig/test_site_broker.py",
    "mosquitto/access": "gateway/tests/rig/test_site_broker.py",
    "planner.toml": "gateway/tests/planning/test_method_file.py",
}


def test_every_file_in_config_is_loaded_by_a_test() -> None:
    files = {path for path in (ROOT / "config").rglob("*") if path.is_file()}
    known = {path for pattern in CONFIG for path in (ROOT / "config").glob(pattern)}
    assert files == known
    assert all((ROOT / test).exists() for test in CONFIG.values())
