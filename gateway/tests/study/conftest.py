import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[4] / "shared" / "data"


def recorded(name: str) -> Path:
    """A file of recorded series, kept beside the repository; without it the test cannot say anything."""
    path = SHARED / name
    if not path.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{path} is not there: recorded series are kept apart")
    return path


@pytest.fixture
def solarhome_file() -> Path:
    """Ausgrid customer 12."""
    return recorded("solarhome_bench/load_pv_2011-10-29_2011-12-31.csv")


@pytest.fixture
def home_file() -> Path:
    """A French home."""
    return recorded("fr_home_30min/home_2024-03_2024-09.csv")
