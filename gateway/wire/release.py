"""Releases of the node's application: what a signed manifest says, and how a node fetches the files behind it.

Manifest (JSON text, signed as it is, byte for byte):
{"v": 1, "version": "0.2.0", "build": 848000000, "python": [1, 25, 0], "mpy": 6, "boards": ["esp32s3"],
 "files": [["node/app.mpy", 2210, "<sha256 in hex>"]], "image": [1650000, "<sha256 in hex>"]}

- `build` rises from release to release; a node never takes one that is not higher than its own.
- `python` is the lowest interpreter, `mpy` the version of its .mpy files. `image` is the interpreter itself, for boards
  with two application partitions; with it the node does not compare `python` and `mpy` with the interpreter it has.
- `files` are all files of a slot, none outside of `node/` and `wire/`.

Signature: RSA with 3072 bits and e = 65537, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2). A board knows two keys,
in `/keys.json`: {"release": [modulus in hex, modulus in hex]}; either may sign, so that one can be lost.

Conversation:
1. gateway → node, topic `ota`, sealed: {"do": "begin", "boot": 7, "manifest": text, "sig": hex}. `boot` is that of the
   node's state: nothing can be replayed to a later one. {"do": "abort", "boot": 7} ends it.
2. node → gateway, topic `pull`, JSON: {"boot": 7, "build": 848000000, "file": 3, "at": 1024, "n": 512, "state": "pull",
   "why": ""}: send n bytes of that file (its place in `files`; IMAGE is the interpreter) from that offset.
3. gateway → node, topic `chunk`: build u32 | file u8 | offset u32 | the bytes, big endian.
The node asks again when nothing comes, so either side may go away for a while; what is in its flash it does not ask for
again, not even after a restart. When all files are there and their hashes, read back from flash, fit, `state` becomes
`wait` while an order holds an actuator, then `switch`: the node restarts into the new slot. `refused` ends it, with the
reason in `why`:
boot (not begun for this boot), seal (forged), manifest (not as above), sign (no key fits), older, board, interpreter,
mpy, slots (none on this board), trial (the running build is not confirmed itself), room (flash too small), hash (three
times not what the manifest says), image (no second partition, or not an image), lease (safe values could not be
applied), flash, memory, abort, silence.
"""

import hashlib
import json

CHUNK = 512  # bytes of a file in one message
HEAD = ">IBI"
IMAGE = 255
# 00 01 FF … 00 and the DER of DigestInfo for SHA-256: RFC 8017, 9.2 with note 1; 352 bytes, 384 with the hash
_PADDING = b"\0\1" + b"\xff" * 330 + b"\x00010\r\x06\t`\x86H\x01e\x03\x04\x02\x01\x05\x00\x04 "


def signed(message: bytes, signature: bytes, moduli: list) -> bool:
    """True when the owner of one of the `moduli` (in hex) has signed the message; padding is compared whole."""
    padded = _PADDING + hashlib.sha256(message).digest()
    number = int.from_bytes(signature, "big")
    for modulus in moduli:
        n = int(modulus, 16)
        if number < n and len(signature) * 2 == len(modulus) == len(padded) * 2:
            if pow(number, 65537, n).to_bytes(len(padded), "big") == padded:
                return True
    return False


def parse(text) -> dict:
    """The manifest of a text or its bytes; ValueError when anything in it is not as described above."""
    try:
        manifest = json.loads(text)
        rows = list(manifest["files"])
        good = 0 < len(rows) < IMAGE and "".join([manifest["version"]] + manifest["boards"])
        for path, _, _ in rows:
            folder, name = path.split("/")
            good = good and folder in ("node", "wire") and name.endswith(".mpy")
        if "image" in manifest:
            rows.append(["image"] + manifest["image"])
        sizes = [manifest["build"], manifest["mpy"]] + manifest["python"]
        for _, size, digest in rows:
            sizes.append(size)
            good = good and len(digest) == 64 and size > 0
        if good and manifest["v"] == 1 and len({row[0] for row in rows}) == len(rows):
            if all(type(size) is int and size >= 0 for size in sizes):
                return manifest
    except Exception:  # noqa: BLE001, S110 - whatever was in the place of a list, a text or a number
        pass
    raise ValueError("manifest")


def refusal(manifest: dict, build: int, board: str, python: tuple, mpy: int) -> str:
    """Why a board that runs this build does not take a release, in a word; "" when it does."""
    if manifest["build"] <= build:
        return "older"
    if board not in manifest["boards"]:
        return "board"
    if "image" not in manifest:
        if tuple(manifest["python"]) > python:
            return "interpreter"
        if manifest["mpy"] != mpy:
            return "mpy"
    return ""
