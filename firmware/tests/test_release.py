"""Signed manifests: what the node takes and what it does not, on both interpreters."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from wire import release

VECTORS = json.loads((Path(__file__).parent / "vectors" / "nist_sigver15_3072.json").read_text())
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, 9.2, note 1
TEXT = b'{"v": 1}'


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def modulus(key) -> str:
    return f"{key.public_key().public_numbers().n:0768x}"


def raw(key, padded: bytes) -> bytes:
    """What the owner of a key makes of any padding."""
    numbers = key.private_numbers()
    return pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(384, "big")


@pytest.fixture(params=["gateway", "board"])
def signed(request):
    """`signed(message, signature, moduli)` on either interpreter."""
    if request.param == "gateway":
        return lambda message, signature, moduli: release.signed(hashlib.sha256(message).digest(), signature, moduli)
    board = request.getfixturevalue("board")

    def ask(message, signature, moduli):
        call = f"signed(hashlib.sha256({message!r}).digest(), {signature!r}, {moduli!r})"
        return board(f"import hashlib\nfrom wire.release import signed\nprint({call})") == "True\n"

    return ask


@pytest.mark.parametrize("row", VECTORS["rows"], ids=lambda row: row[0][:40])
def test_agrees_with_the_published_vectors(row, signed):
    result, message, signature = row
    took = signed(bytes.fromhex(message), bytes.fromhex(signature), [VECTORS["n"]])
    assert took == (result == "P")


def test_takes_what_either_of_two_keys_has_signed_and_nothing_else(key, signed):
    signature = key.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())
    assert signed(TEXT, signature, [modulus(key), VECTORS["n"]])
    assert signed(TEXT, signature, [VECTORS["n"], modulus(key)])
    assert not signed(TEXT, signature, [VECTORS["n"], VECTORS["n"]])
    assert not signed(TEXT, signature, [])
    assert not signed(TEXT + b" ", signature, [modulus(key)])


def test_takes_what_openssl_signs(key, signed, tmp_path):
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    command = ["openssl", "dgst", "-sha256", "-sign", str(tmp_path / "key.pem")]
    made = subprocess.run(command, input=TEXT, capture_output=True, check=True).stdout
    assert signed(TEXT, made, [modulus(key)])


def forged_paddings() -> dict[str, bytes]:
    digest = hashlib.sha256(TEXT).digest()
    info = DIGEST_INFO + digest
    whole = b"\0\1" + b"\xff" * 330 + b"\0" + info
    return {
        # Bleichenbacher 2006: short padding, the right hash, garbage behind it; a parser from the left takes it
        "garbage behind the hash": b"\0\1" + b"\xff" * 8 + b"\0" + info + bytes(322),
        "eight bytes of padding moved behind": b"\0\1" + b"\xff" * 322 + b"\0" + info + b"\xff" * 8,
        "garbage in the parameters": b"\0\1"
        + b"\xff" * 326
        + b"\0"
        + b"\x30\x35\x30\x11"
        + info[4:15]
        + b"\x05\x04abcd"
        + info[17:],
        "no parameters": b"\0\1" + b"\xff" * 332 + b"\0" + b"\x30\x2f\x30\x0b" + info[4:15] + info[17:],
        "block type 2": b"\0\2" + whole[2:],
        "block type 0": b"\0\0" + whole[2:],
        "a zero in the padding": whole[:100] + b"\0" + whole[101:],
        "another byte in the padding": whole[:100] + b"\xfe" + whole[101:],
        "no zero before the hash": whole[:332] + b"\xff" + info,
        "SHA-1 named": whole[:333] + info[:4] + bytes.fromhex("06052b0e03021a0500") + bytes(6) + digest,
        "only the hash": bytes(352) + digest,
        "nothing": bytes(384),
    }


@pytest.mark.parametrize("name", forged_paddings())
def test_a_padding_that_is_not_exactly_the_right_one_is_refused(name, key, signed):
    padded = forged_paddings()[name]
    assert len(padded) == 384
    assert not signed(TEXT, raw(key, padded), [modulus(key)])


def test_a_signature_of_another_length_or_beyond_the_modulus_is_refused(key, signed):
    signature = key.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())
    n = key.public_key().public_numbers().n
    for wrong in (b"", b"\0", signature[1:], signature[:-1], b"\0" + signature, signature + b"\0"):
        assert not signed(TEXT, wrong, [modulus(key)])
    beyond = int.from_bytes(signature, "big") + n
    if beyond < 1 << 3072:
        assert not signed(TEXT, beyond.to_bytes(384, "big"), [modulus(key)])
    small = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    short = small.sign(TEXT, padding.PKCS1v15(), hashes.SHA256())
    assert not signed(TEXT, short, [f"{small.public_key().public_numbers().n:0512x}"])
    assert not signed(TEXT, bytes(128) + short, [f"{small.public_key().public_numbers().n:0768x}"])


GOOD = {"v": 1, "version": "0.2.0", "build": 20, "python": [1, 25, 0], "mpy": 6, "boards": ["esp32s3", "unix"]}
FLAWS = {
    "not JSON": "{",
    "empty": "",
    "no object": "[]",
    "version 2 of the form": {"v": 2},
    "no build": {"build": None},
    "a build with a fraction": {"build": 20.5},
    "true for a build": {"build": True},
    "no boards": {"boards": None},
    "a number for a board": {"boards": [3]},
    "an interpreter in words": {"python": ["1", "25"]},
    "an image without a hash": {"image": [100]},
    "an image without a size": {"image": ["100", "0" * 64]},
}
ROW = ["node/app.mpy", 10, "0" * 64]
WRONG_ROWS = {
    "not JSON": "[",
    "an object": "{}",
    "a file at the root": ["slot.mpy", 10, "0" * 64],
    "a file above": ["../slot.mpy", 10, "0" * 64],
    "a file below": ["node/x/y.mpy", 10, "0" * 64],
    "a file from the root": ["/node/y.mpy", 10, "0" * 64],
    "source": ["node/app.py", 10, "0" * 64],
    "an empty file": ["node/app.mpy", 0, "0" * 64],
    "no hash": ["node/app.mpy", 10],
    "a number for a hash": ["node/app.mpy", 10, 7],
}


def line(flaw) -> str:
    if isinstance(flaw, dict):
        flaw = {key: value for key, value in (GOOD | flaw).items() if value is not None}
    return flaw if isinstance(flaw, str) else json.dumps(flaw)


def test_a_manifest_with_a_flaw_is_refused_on_both_interpreters(board):
    calls = [("header", line(flaw)) for flaw in FLAWS.values()] + [("row", line(flaw)) for flaw in WRONG_ROWS.values()]
    for name, text in calls:
        with pytest.raises(ValueError, match="manifest"):
            getattr(release, name)(text)
    assert release.header(line(GOOD)) == GOOD
    assert release.row(line(ROW)) == tuple(ROW)
    calls += [("header", line(GOOD)), ("row", line(ROW))]
    code = f"""
from wire import release
for name, text in {calls!r}:
    try:
        print(len(getattr(release, name)(text)))
    except ValueError:
        pass
"""
    assert board(code).split() == ["6", "3"]


IMAGE = {"image": [100, "0" * 64]}
REFUSALS = [
    # build, board, interpreter, mpy, of the manifest: why not
    (19, "unix", (1, 25, 0), 6, {}, ""),
    (20, "unix", (1, 25, 0), 6, {}, "older"),
    (21, "unix", (1, 25, 0), 6, {}, "older"),
    (19, "esp32", (1, 25, 0), 6, {}, "board"),
    (19, "", (1, 25, 0), 6, {}, "board"),
    (19, "unix", (1, 24, 1), 6, {}, "interpreter"),
    (19, "unix", (1, 26, 0), 6, {}, ""),
    (19, "unix", (1, 25, 0), 7, {}, "mpy"),
    (19, "unix", (1, 24, 1), 7, IMAGE, ""),  # it brings its own interpreter
    (20, "unix", (1, 24, 1), 7, IMAGE, "older"),
]


@pytest.mark.parametrize("row", REFUSALS)
def test_a_release_that_does_not_fit_is_refused_with_a_reason(row):
    build, board, python, mpy, more, why = row
    assert release.refusal(GOOD | more, build, board, python, mpy) == why
