"""The section of `config/planner.toml` that the studies here plan with."""

import tomllib
from pathlib import Path

from gateway.core.grid_goal import GridMethod


def grid_method(path: Path) -> GridMethod:
    """The section `[grid_goal]`. Raises OSError, and ValueError for anything that is wrong in it."""
    try:
        section = tomllib.loads(path.read_text(encoding="utf-8"))["grid_goal"]
        return GridMethod(**section)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: [grid_goal]: {error}") from error
