"""Releases of the node's application: what a signed manifest says, and how a node fetches the files behind it.

Manifest (text of JSON lines, signed as it is, byte for byte; a board reads it line by line, it never holds it whole):
{"v": 1, "version": "0.2.0", "build": 848000000, "python": [1, 25, 0], "mpy": 6, "boards": ["esp32s3"],
 "image": [1650000, "<sha256 in hex>"]}                        all in the first line
["node/app.mpy", 2210, "<sha256 in hex>"]                      … and one line for each file

- `build` rises from release to release; a node never takes one that is not higher than its own.
- `python` is the lowest interpreter, `mpy` the version of its .mpy files. `image` is the interpreter itself, for boards
  with two application partitions; with it the node does not compare `python` and `mpy` with the interpreter it has.
- The files are all files of a slot, none outside of `node/` and `wire/`.

Signature: RSA with 3072 bits and e = 65537, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2). A board knows two keys,
in `/keys.json`: {"release": [modulus in hex, modulus in hex]}; either may sign, so that one can be lost.

Conversation:
1. gateway → node, topic `ota`, sealed: {"do": "begin", "boot": 7, "build": 848000000, "size": 3100, "sig": hex}; `size`
   is that of the manifest, `boot` that of the node's state: nothing can be replayed to a later one.
   {"do": "abort", "boot": 7} ends it.
2. node → gateway, topic `pull`, JSON: {"boot": 7, "build": 848000000, "file": 3, "at": 1024, "n": 512, "state": "pull",
   "why": ""}: send n bytes of that file from that offset. `file` is its place among the lines, MANIFEST or IMAGE.
3. gateway → node, topic `chunk`: build u32 | file u8 | offset u32 | the bytes, big endian.
The node asks again when nothing comes, so either side may go away for a while; what is in its flash it does not ask for
again, not even after a restart. When all files are there and their hashes, read back from flash, fit, `state` becomes
`wait` while an order holds an actuator, then `switch`: the node restarts into the new slot. `refused` ends it, with the
reason in `why`:
boot (not begun for this boot), seal (forged), sign (no key fits), manifest (not as above), older, board, interpreter,
mpy, slots (none on this board), trial (the running build is not confirmed itself), room (flash too small), hash (three
times not what the manifest says), image (no second partition, or not an image), lease (safe values could not be
applied), flash, memory, abort, silence.
Once the new build is confirmed, or the old one has come back, the node tests itself and publishes the result on `test`.
"""

import json

CHUNK = 512  # bytes of a file in one message
HEAD = ">IBI"
MANIFEST = 254
IMAGE = 255
# 00 01 FF … 00 and the DER of DigestInfo for SHA-256: RFC 8017, 9.2 with note 1; 352 bytes, 384 with the hash
_PADDING = b"\0\1" + b"\xff" * 330 + b"\x00010\r\x06\t`\x86H\x01e\x03\x04\x02\x01\x05\x00\x04 "


def signed(digest: bytes, signature: bytes, moduli: list) -> bool:
    """True when the owner of one of the `moduli` (in hex) has signed a SHA-256; padding is compared whole."""
    padded = _PADDING + digest
    number = int.from_bytes(signature, "big")
    for modulus in moduli:
        n = int(modulus, 16)
        if number < n and len(signature) * 2 == len(modulus) == len(padded) * 2:
            if pow(number, 65537, n).to_bytes(len(padded), "big") == padded:
                return True
    return False


def header(line: str) -> dict:
    """The first line of a manifest; ValueError when anything in it is not as described above."""
    try:
        head = json.loads(line)
        image = head.get("image", [1, ""])
        numbers = [head["build"], head["mpy"]] + head["python"] + image[:1]
        words = [head["version"]] + head["boards"] + image[1:]
        if head["v"] == 1 and "".join(words) and all(type(number) is int for number in numbers) and len(image) == 2:
            return head
    except Exception:  # noqa: BLE001, S110 - whatever was in the place of a list, a text or a number
        pass
    raise ValueError("manifest")


def row(line: str) -> tuple[str, int, str]:
    """(path, size, hash) of another line; ValueError as for the first."""
    try:
        path, size, digest = json.loads(line)
        folder, name = path.split("/")
        if folder in ("node", "wire") and name.endswith(".mpy") and type(size) is int and size > 0:
            return path, size, digest + ""
    except Exception:  # noqa: BLE001, S110
        pass
    raise ValueError("manifest")


def refusal(head: dict, build: int, board: str, python: tuple, mpy: int) -> str:
    """Why a board that runs this build does not take a release, in a word; "" when it does."""
    if head["build"] <= build:
        return "older"
    if board not in head["boards"]:
        return "board"
    if "image" not in head:
        if tuple(head["python"]) > python:
            return "interpreter"
        if head["mpy"] != mpy:
            return "mpy"
    return ""
