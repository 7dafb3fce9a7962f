"""A new kind of tariff is one module, texts and a list of prices: docs/tariffs.md, done in a copy of the tree."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")

MODULE = '''
"""Dear at lunch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gateway.core.pricing.keys import Between
from gateway.core.pricing.kind import TariffKind, PriceSources
from gateway.core.pricing.tariff import ListTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Lunch:
    """Noon until `until_h`."""

    until_h: int

    @property
    def names(self) -> tuple[str, ...]:
        """Lunch and not."""
        return ("LUNCH", "OTHER")

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """One of both."""
        return ("LUNCH",) if 12 <= local.hour < self.until_h else ("OTHER",)

    def turns_min(self) -> tuple[int, ...]:
        """Noon and the end."""
        return (12 * 60, self.until_h * 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LunchSettings:
    """Lunch is dear, from noon until `until_h`."""

    until_h: Annotated[int, Between(least=13, most=15)] = 14

    def tariff(self, sources: PriceSources) -> ListTariff:
        """By the clock."""
        return sources.listed(Lunch(until_h=self.until_h))


KIND = TariffKind(
    id="lunch", names=("LUNCH", "OTHER"), settings=LunchSettings, example='[tariff]\\nfile = "my_lunch"\\nuntil_h = 13'
)
'''
LIST = """id = "my_lunch"
title = "Lunch"
kind = "lunch"
check = "My bill."
sources = ["my contract"]

[[prices]]
first = 2025-01-01
LUNCH = 0.5
OTHER = 0.2
"""
WORDS = {"tariff.lunch": "Dear lunch", "price.LUNCH": "lunch", "price.OTHER": "other hours"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree with the module, the texts and the list of the new kind."""
    for name in ("gateway", "config", "docs", "firmware"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "gateway" / "core" / "pricing" / "kinds" / "lunch.py").write_text(MODULE)
    (tmp_path / "config" / "tariffs" / "my_lunch.toml").write_text(LIST)
    for language in ("en", "fr"):
        change(tmp_path, language, WORDS)
    return tmp_path


def change(copy: Path, language: str, rows: dict[str, str]) -> None:
    path = copy / "gateway" / "words" / f"{language}.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | rows, ensure_ascii=False))


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    ours = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=ours, capture_output=True, text=True, timeout=120, check=False)


def registry_tests(copy: Path) -> subprocess.CompletedProcess[str]:
    """Those of the new kind."""
    only = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "lunch", "gateway/tests/site/test_tariff_kinds.py")
    return run(copy, *only)


def test_a_module_its_texts_and_its_list_are_all_that_a_new_kind_needs(copy: Path) -> None:
    made = run(copy, "docs/generate.py")
    assert made.returncode == 0, made.stderr
    assert "| `until_h` | `int ≥ 13 ≤ 15` | `14` |" in (copy / "docs" / "reference" / "site-file.md").read_text()
    done = registry_tests(copy)
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout


def test_a_text_that_was_forgotten_is_reported(copy: Path) -> None:
    path = copy / "gateway" / "words" / "fr.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    del rows["price.LUNCH"]
    path.write_text(json.dumps(rows))
    done = registry_tests(copy)
    assert done.returncode == 1, done.stdout
    assert "price.LUNCH" in done.stdout
