"""What lies on a board besides the interpreter: the boot chain at the root, the application in slot a."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway import paths
from gateway.adapters.boards import Board
from gateway.release import build, signing
from gateway.release.build import IMAGE, Release

SLOT = "a"


@contextmanager
def release_of(folder: Path | None, board: str) -> Iterator[Release]:
    """The release in a folder, or one built now: nobody keeps its key, so only a cable brings it."""
    if folder is not None:
        yield build.read(folder)
        return
    with tempfile.TemporaryDirectory(prefix="zen-release-") as scratch:
        pair = signing().new_pair(Path(scratch) / "keys")
        yield build.build(Path(scratch) / "release", board, pair.private[0])


def files(release: Release, name: str, board: Board, public_keys: Path | None) -> Mapping[str, bytes]:
    """Path -> content, in the order of writing: the manifest makes a slot bootable and comes last in it."""
    rows = {file: (paths.firmware_folder() / file).read_bytes() for file in build.ROOT_FILES}
    if public_keys is not None:
        rows["keys.json"] = public_keys.read_bytes()
    for path in sorted(release.folder.rglob("*"), key=lambda path: (path.name.startswith("manifest"), path)):
        if path.is_file() and path.name != IMAGE:
            rows[f"{SLOT}/{path.relative_to(release.folder).as_posix()}"] = path.read_bytes()
    rows["node.json"] = json.dumps({"v": 1, "board": name} | board.node_rows()).encode()
    return rows
