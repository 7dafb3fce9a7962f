"""Making releases: keys that are never overwritten, files that are what was signed, mistakes told in words."""

import hashlib
import json
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway import paths
from gateway.release import ReleaseError
from gateway.release.build import Release, build, read
from gateway.release.keys import NewPair, new_pair
from gateway.wire import release as form


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> NewPair:
    return new_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def release(keys, tmp_path_factory) -> Release:
    return build(tmp_path_factory.mktemp("release") / "out", ["esp32s3", "esp32"], keys.private[0], number=7)


def test_a_new_pair_is_secret_and_never_made_twice(keys):
    for path in keys.private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    moduli = json.loads(keys.public.read_text())["release"]
    assert [len(modulus) for modulus in moduli] == [768, 768]
    assert moduli[0] != moduli[1]
    before = keys.private[0].read_bytes()
    with pytest.raises(ReleaseError, match="exists") as fault:
        new_pair(keys.public.parent)
    assert fault.value.word == "exists"
    assert keys.private[0].read_bytes() == before


def test_openssl_finds_the_signature_right(keys, release, tmp_path):
    public = tmp_path / "public.pem"
    command = ["openssl", "rsa", "-in", str(keys.private[0]), "-pubout", "-out", str(public)]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "sig").write_bytes(release.signature)
    command = ["openssl", "dgst", "-sha256", "-verify", str(public), "-signature", str(tmp_path / "sig")]
    done = subprocess.run(
        [*command, str(release.folder / "manifest.json")], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "Verified OK"


def test_a_release_holds_every_module_of_the_board_compiled_listed_and_signed(release, keys):
    node = {path.stem for path in (paths.firmware_folder() / "node").glob("*.py")} - {"hal_unix", "hal_unix_setup"}
    wire = {path.stem for path in paths.wire_folder().glob("*.py")}
    wanted = {f"node/{name}.mpy" for name in node} | {f"wire/{name}.mpy" for name in wire}
    assert {file.path for file in release.files} == wanted
    for file in release.files:
        raw = (release.folder / file.path).read_bytes()
        assert (file.size, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
        assert raw[:2] == b"M\x06"
    assert (release.build, release.boards, release.image) == (7, ("esp32s3", "esp32"), None)
    moduli = json.loads(keys.public.read_text())["release"]
    assert form.signed(hashlib.sha256(release.manifest.encode()).digest(), release.signature, moduli)


def test_build_numbers_rise_by_themselves(keys, tmp_path):
    first = build(tmp_path / "out", "esp32s3", keys.private[1])
    assert first.build > 800_000_000  # seconds since 2000, in 2025 and later
    assert build(tmp_path / "out", "esp32s3", keys.private[1]).build >= first.build


def test_pieces_are_those_of_the_files_and_nothing_outside(release):
    path = release.folder / release.files[2].path
    assert release.piece(2, 10, 20) == path.read_bytes()[10:30]
    assert release.piece(form.MANIFEST, 0, 512) == release.manifest.encode()[:512]
    for number, at, size in ((len(release.files), 0, 10), (-1, 0, 10), (form.IMAGE, 0, 10), (0, -5, 10), (0, 0, 513)):
        assert release.piece(number, at, size) == b""


def test_an_image_is_part_of_it(keys, tmp_path):
    (tmp_path / "micropython.bin").write_bytes(b"\xe9" + bytes(9999))
    made = build(tmp_path / "out", "esp32s3", keys.private[0], image=tmp_path / "micropython.bin")
    assert made.image is not None
    assert made.image.size == 10000
    assert made.size == 10000 + sum(file.size for file in made.files)
    assert made.piece(form.IMAGE, 0, 2) == b"\xe9\0"
    (tmp_path / "firmware.bin").write_bytes(b"\xff" * 4096 + b"\xe9")  # a whole flash, with the bootloader in it
    with pytest.raises(ReleaseError) as fault:
        build(tmp_path / "out", "esp32s3", keys.private[0], image=tmp_path / "firmware.bin")
    assert fault.value.word == "no_image"


def test_what_was_changed_after_signing_is_not_sent(keys, tmp_path):
    made = build(tmp_path / "out", "esp32s3", keys.private[0], number=8)
    assert read(made.folder) == made
    path = made.folder / made.files[0].path
    path.write_bytes(path.read_bytes() + b"?")
    with pytest.raises(ReleaseError, match=r"app\.mpy is not the file that was signed"):
        read(made.folder)
    path.unlink()
    with pytest.raises(ReleaseError):
        read(made.folder)
    with pytest.raises(ReleaseError, match="is no release"):
        read(tmp_path)


def test_keys_that_are_none_and_folders_of_others_are_distinguished(keys, tmp_path):
    short = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    no_encryption = serialization.NoEncryption()
    pem = short.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_encryption)
    for name, content in (("short", pem), ("text", b"hello"), ("public", keys.public.read_bytes())):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReleaseError) as fault:
            build(tmp_path / "out", "esp32s3", tmp_path / name)
        assert fault.value.word == "no_key"
    with pytest.raises(ReleaseError) as fault:
        build(tmp_path / "out", "esp32s3", tmp_path / "missing")
    assert fault.value.word == "no_key"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ReleaseError) as fault:
        build(tmp_path / "mine", "esp32s3", keys.private[0])
    assert fault.value.word == "not_empty"
    assert (tmp_path / "mine" / "thesis.txt").exists()
