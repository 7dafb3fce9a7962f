"""`zen node flash`: esptool itself against a ROM loader, and mpremote itself against a real prompt."""

import hashlib
import json
import struct
import subprocess
import sys

import pytest
from cable import Cable
from littlefs import LittleFS
from loader import Loader
from node_rig import FIRMWARE, KEY, until
from test_tool import SITE, NodeRig

from gateway.adapters import boards
from gateway.commission import filesystem, repl
from gateway.commission.console import Console
from gateway.commission.faults import CommissionError
from gateway.release.build import ROOT_FILES

pytestmark = pytest.mark.hil
VFS = (0x200000, 0x600000)  # partitions-8MiB.csv of MicroPython


def interpreter(chip: int = 9, vfs: tuple[int, int] = VFS) -> bytes:
    """An image in the shape of ESP32_GENERIC_S3: boot loader, partition table at 0x8000, application at 0x10000."""
    image = bytearray(b"\xff" * 0x180000)
    header = struct.pack("<BBBBI4sH", 0xE9, 0, 2, 0x3F, 0x403C8848, bytes(4), chip) + bytes(10)
    for at in (0, 0x10000):
        image[at : at + len(header)] = header
    rows = [(1, 2, 0x9000, 0x6000, b"nvs"), (1, 1, 0xF000, 0x1000, b"phy_init"), (0, 0, 0x10000, 0x1F0000, b"factory")]
    rows.append((1, 0x81, *vfs, b"vfs"))
    table = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, sub, at, size, label, 0) for kind, sub, at, size, label in rows
    )
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()  # noqa: S324 - esp-idf's choice
    image[0x8000 : 0x8000 + len(table)] = table
    image[0x11000:0x12000] = bytes(range(256)) * 16
    return bytes(image)


@pytest.fixture
def rig(tmp_path):
    """The tool alone."""
    rig = NodeRig.__new__(NodeRig)
    rig.folder = tmp_path
    rig.image = tmp_path / "firmware.bin"
    rig.image.write_bytes(interpreter())
    return rig


@pytest.fixture
def loader(tmp_path):
    loader = Loader(tmp_path / "usb")
    yield loader
    loader.close()


async def test_esptool_writes_interpreter_and_application_and_they_are_what_they_should_be(rig, loader, tmp_path):
    code, _ = await rig.zen("release-key", tmp_path / "keys")
    assert code == 0
    keys = tmp_path / "keys" / "keys.json"
    code, out = await rig.zen("flash", loader.link, "--image", rig.image, "--keys", keys, "--no-reset", "--no-test")
    assert code == 0, out
    assert "read back and compared" in out
    assert loader.flash[VFS[0] + (1 << 20) :].count(0xFF) == VFS[1] - (1 << 20)  # quick to write
    assert loader.flash[: len(interpreter())] == interpreter()
    disk = LittleFS(block_size=4096, block_count=VFS[1] // 4096, mount=False)
    disk.context.buffer[:] = loader.flash[VFS[0] : VFS[0] + VFS[1]]
    disk.mount()
    names = {f"{folder}/{name}".lstrip("/") for folder, _, files in disk.walk("/") for name in files}
    assert {*ROOT_FILES, "keys.json", "node.json", "a/manifest.json", "a/node/app.mpy"} <= names
    assert not any("hal_unix" in name for name in names)
    with disk.open("node.json") as file:
        assert json.load(file) == {"v": 1, "board": "esp32s3"} | boards.load()["esp32s3"].node_rows()
    with disk.open("keys.json") as file:
        assert json.load(file) == json.loads(keys.read_text())
    with disk.open("a/manifest.json") as file:
        _, *rows = [json.loads(line) for line in file]
        for name, size, digest in rows:
            with disk.open(f"a/{name}", "rb") as part:
                content = part.read()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest)


async def test_the_interpreter_of_the_board_mounts_what_was_built_without_it(board, tmp_path):
    """Independent oracle: MicroPython's own LittleFS reads the image from a block device."""
    (tmp_path / "disk").write_bytes(filesystem.build({"boot.py": b"x = 1\n", "a/node/app.mpy": bytes(9000)}, 6 << 20))
    code = """
import os, vfs
class Disk:
    def __init__(self): self.file = open("disk", "rb")
    def readblocks(self, n, buf, off=0):
        self.file.seek(n * 4096 + off)
        got = self.file.readinto(buf)
        buf[got:] = b"\\xff" * (len(buf) - got)  # erased
    def writeblocks(self, n, buf, off=None): raise OSError(30)
    def ioctl(self, op, arg): return {4: 1536, 5: 4096}.get(op, 0)
vfs.mount(vfs.VfsLfs2(Disk()), "/ram")
print(open("/ram/boot.py").read().strip(), os.stat("/ram/a/node/app.mpy")[6])
"""
    assert board(code) == "x = 1 9000\n"


async def test_flash_that_does_not_keep_what_is_written_is_reported(rig, loader):
    loader.spoil = True
    code, out = await rig.zen("flash", loader.link, "--image", rig.image, "--no-reset", "--no-test")
    assert code == 1
    assert "The flash was not written. esptool says" in out
    assert "MD5" in out


async def test_another_chip_than_the_board_has_is_not_written(rig, tmp_path):
    loader = Loader(tmp_path / "other", chip_id=5)
    try:
        code, out = await rig.zen("flash", loader.link, "--image", rig.image, "--no-reset", "--no-test")
        assert (code, loader.flash.count(0xFF)) == (1, len(loader.flash)), out
        assert "This chip is" in out
    finally:
        loader.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + bytes(2 << 20), "is no image of an ESP32"),
        (interpreter(chip=0), "is for esp32; this board has an esp32s3"),
        (interpreter()[:500000], "no complete interpreter"),
        (interpreter() + bytes(8 << 20), "too long for the 8 MB"),
        (interpreter(vfs=(0x200000, 0xE00000)), "no partition vfs"),
    ],
    ids=["zip", "chip", "cut", "long", "partition"],
)
async def test_an_image_that_does_not_fit_is_reported_before_anything_is_written(rig, loader, content, message):
    rig.image.write_bytes(content)
    code, out = await rig.zen("flash", loader.link, "--image", rig.image, "--no-reset", "--no-test")
    assert (code, loader.commands) == (1, [])
    assert message in " ".join(out.split())


async def test_without_an_image_it_says_where_to_get_it(rig, loader):
    code, out = await rig.zen("flash", loader.link, LC_ALL="fr_FR.UTF-8")
    assert (code, loader.commands) == (1, [])
    assert "ESP32_GENERIC_S3-SPIRAM_OCT" in out
    assert "https://micropython.org/download/ESP32_GENERIC_S3/" in out
    code, out = await rig.zen("flash", loader.link, "--board", "esp32s4")
    assert (code, "did you mean esp32s3" in out) == (1, True)


def test_esptool_is_never_imported():
    """Its licence is not ours: it runs as a program of its own."""
    code = "import gateway.cli, gateway.commission.esptool, sys; sys.exit('esptool' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_mpremote_copies_the_application_over_a_prompt(rig, prompt):
    for file in ("a/manifest.json", "keys.json"):
        path = prompt.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text("old")
    (prompt.folder / "nvs.json").write_text('{"slot": 2, "trial": 2, "short": 3}')
    (prompt.folder / "nvs.py").symlink_to(FIRMWARE / "nvs.py")  # a board has esp32.NVS
    code, out = await rig.zen("flash", prompt.link, "--app-only", "--no-reset", "--no-test")
    assert code == 0, out + prompt.cable.heard.decode(errors="replace")
    head, *rows = [json.loads(line) for line in (prompt.folder / "a/manifest.json").read_text().splitlines()]
    assert "esp32s3" in head["boards"]
    for name, size, digest in rows:
        content = (prompt.folder / "a" / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest)
    for name in ROOT_FILES:
        assert (prompt.folder / name).read_bytes() == (FIRMWARE / name).read_bytes()
    kept = json.loads((prompt.folder / "nvs.json").read_text())
    assert (kept["slot"], kept["trial"], kept["short"]) == (1, 0, 0)
    assert json.loads((prompt.folder / "node.json").read_text())["board"] == "esp32s3"
    assert (prompt.folder / "keys.json").read_text() == "old"  # nobody named others


async def test_a_program_that_runs_is_stopped_first_and_its_configuration_stays(rig, prompt):
    (prompt.folder / "node.json").write_text('{"site": "lens"}')
    (prompt.folder / "nvs.py").symlink_to(FIRMWARE / "nvs.py")
    with Console(str(prompt.link)) as console:
        console._write(b"\x02import time\r\n")
        text = "\rdef go():\r try:\r  while True: print('busy'); time.sleep(0.05)\r\x7f"
        console._write((text + " finally: open('safe', 'w').close()\r\r\rgo()\r").encode())
        await until(lambda: prompt.cable.heard.count(b"busy") > 5, "the program")
    code, out = await rig.zen("flash", prompt.link, "--app-only", "--no-reset", "--no-test")
    assert code == 0, out
    assert (prompt.folder / "safe").exists()
    assert (prompt.folder / "node.json").read_text() == '{"site": "lens"}'


def test_a_board_without_a_prompt_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(repl, "GOODBYE_S", 0.3)
    cable = Cable(tmp_path / "usb")
    try:
        with pytest.raises(CommissionError) as message:
            repl.stop(str(cable.link))
    finally:
        cable.close()
    assert (message.value.word, message.value.numbers["wait_s"]) == ("no_prompt", 0.6)


async def test_keys_are_never_overwritten_and_a_folder_that_is_no_release_is_reported(rig, tmp_path):
    assert (await rig.zen("release-key", tmp_path / "keys"))[0] == 0
    before = (tmp_path / "keys" / "release-1.pem").read_bytes()
    code, out = await rig.zen("release-key", tmp_path / "keys")
    assert (code, "only follows the keys it was flashed with" in " ".join(out.split())) == (1, True), out
    assert (tmp_path / "keys" / "release-1.pem").read_bytes() == before
    site = tmp_path / "site.toml"
    site.write_text(SITE.format(broker=1, inverter=2))
    code, out = await rig.zen(
        "update", "cellar", "--site", site, "--release", tmp_path / "keys", ZEN_KEY_CELLAR=KEY.hex()
    )
    assert (code, "No usable release" in out) == (1, True), out
    code, out = await rig.zen(
        "update", "attic", "--site", site, "--release", tmp_path / "keys", ZEN_KEY_CELLAR=KEY.hex()
    )
    assert (code, "No node attic" in out) == (1, True), out
