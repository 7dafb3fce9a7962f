import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
# Not asked of the machine: some have .js down as text/plain, and browsers refuse such modules.
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", "": "text/plain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file as it is sent; `etag` is the quoted hash of its content."""

    content: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFiles:
    """All files of the page, read once; `digest` names their content, so browsers may keep them for ever."""

    digest: str
    by_path: dict[str, StaticFile]


def read_static(folder: Path = FOLDER) -> StaticFiles:
    """The static files by their path below the folder (`vendor/uplot/LICENSE`)."""
    by_path = {path.relative_to(folder).as_posix(): _read(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    whole = hashlib.sha256("".join(f"{name} {file.etag}\n" for name, file in by_path.items()).encode())
    return StaticFiles(digest=whole.hexdigest()[:12], by_path=by_path)


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    kind = KINDS[path.suffix]
    return StaticFile(content=content, media_type=kind, etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"')
