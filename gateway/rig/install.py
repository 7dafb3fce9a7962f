"""A folder in the cache that is there whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A scratch folder that takes the place of `folder` when the block ends well, and vanishes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        yield made
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def launcher(path: Path, command: str) -> None:
    """A shell script that becomes `command`; `$here` in it is the script's folder, wherever that is moved."""
    path.write_text(f'#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\n{command}\n', encoding="utf-8")
    path.chmod(0o755)
