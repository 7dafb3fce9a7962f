"""Our own command and files, for whoever starts and reads them from outside."""

import sys
from pathlib import Path

from gateway import paths

ZEN = (sys.executable, "-m", "gateway")
"""The command `zen`, by the Python we run on."""


def own_environment(root: Path | None = None) -> dict[str, str]:
    """What a child of ours needs to import the package that we were imported from, or the one in `root`."""
    own = {"PYTHONPATH": paths.python_path()}
    return own if root is None else {"PYTHONPATH": str(root)}


def config_folder() -> Path:
    """`config/`: device profiles, the demo, examples for a site."""
    return paths.config_folder()


def firmware_folder() -> Path:
    """`firmware/`: the sources of a node."""
    return paths.firmware_folder()
