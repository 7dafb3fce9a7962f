"""Where the files are that are not Python modules: configuration, firmware, the wire package, the user's cache.

An installed package carries them in `gateway/_files`; a checkout has them at its root, beside `gateway/`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = PACKAGE / "_files"


class InstallationError(FileNotFoundError):
    """The installation is incomplete: a folder that belongs to it is not there."""


def config_folder() -> Path:
    """`config/`: device profiles, the demo, examples for a site."""
    return _folder("config")


def firmware_folder() -> Path:
    """`firmware/`: what is installed on a node."""
    return _folder("firmware")


def wire_folder() -> Path:
    """The package that a node carries as `wire`."""
    return PACKAGE / "wire"


def python_path(environment: Mapping[str, str] = os.environ) -> str:
    """PYTHONPATH for a child Python, so that it imports this very package from wherever it is started."""
    return os.pathsep.join(filter(None, (str(PACKAGE.parent), environment.get("PYTHONPATH"))))


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where fetched and compiled programs are kept: `$XDG_CACHE_HOME/zen-e-ville`. It need not exist yet."""
    root = environment.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "zen-e-ville"


def _folder(name: str) -> Path:
    # The installed place first: beside an installed package stand the folders of strangers.
    for parent in (INSTALLED, PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise InstallationError(f"no folder {name}/ in {INSTALLED} nor in {PACKAGE.parent}: install zen-e-ville again")
