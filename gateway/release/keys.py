"""The keys that sign releases: RSA with 3072 bits, two of them from the first release on. Private ones stay here."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateway.release import ReleaseError

KEY_SIZE = 384  # bytes; gateway.wire.release, "Signature"

PRIVATE = ("release-1.pem", "release-2.pem")
PUBLIC = "keys.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPair:
    """Two private keys, one for every day and one to be kept elsewhere, and the file of both public ones for nodes."""

    private: tuple[Path, Path]
    public: Path


def new_pair(folder: Path) -> NewPair:
    """Make both keys in a folder. Raises ReleaseError where there are some: nodes would not follow new ones."""
    private = (folder / PRIVATE[0], folder / PRIVATE[1])
    public = folder / PUBLIC
    for path in (*private, public):
        if path.exists():
            raise ReleaseError("exists", f"{path} exists; a node only follows the keys it was flashed with")
    folder.mkdir(parents=True, exist_ok=True)
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=8 * KEY_SIZE) for _ in private]
    for path, key in zip(private, keys, strict=True):
        _write_secret(path, key)
    public.write_text(json.dumps({"release": [modulus(key) for key in keys]}) + "\n")
    return NewPair(private=private, public=public)


def read_key(path: Path) -> rsa.RSAPrivateKey:
    """A private key of ours. Raises ReleaseError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ReleaseError("no_key", f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ReleaseError("no_key", f"{path} is not a private key without a password") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != 8 * KEY_SIZE:
        raise ReleaseError("no_key", f"{path} is not an RSA key of {8 * KEY_SIZE} bits")
    return key


def sign(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def modulus(key: rsa.RSAPrivateKey) -> str:
    """The public half as a node keeps it: hexadecimal digits."""
    return f"{key.public_key().public_numbers().n:0{2 * KEY_SIZE}x}"


def _write_secret(path: Path, key: rsa.RSAPrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
