"""The interpreter's own image, by the same manifest: two partitions in files and a bootloader between them."""

import hashlib

import pytest
from test_update_cuts import MODULUS, NEW, OLD, OLD_TEXT, SPEED, content, manifest, signature

pytestmark = pytest.mark.hil
IMAGE = b"\xe9" + content(6, 3 * 4096 + 1000)
HASH = hashlib.sha256(IMAGE).hexdigest()
TEXT = manifest(20, NEW, python=[9, 9, 0], mpy=77, image=[len(IMAGE), HASH])  # only its own interpreter can run it


def start(folder, text: bytes = TEXT, image: bytes = IMAGE) -> str:
    (folder / "image").write_bytes(image)
    return f"""
import os
from flash import *
from partitions import Chip
flash = Flash(64)
nvs = Nvs(flash)
chip = Chip({str(folder)!r}, flash)
nvs.Partition = chip.Partition
flash.mount()
from updating import *
install("a", {OLD_TEXT!r}, {OLD!r}, {[MODULUS, MODULUS]!r})
slot.memory().put("slot", 1)
NEW = {NEW!r}
with open({str(folder / "image")!r}, "rb") as file:
    NEW["image"] = file.read()
def gateway():
    return Gateway({text!r}, {signature(text)!r}, NEW)
class Quick:
    async def sleep_ms(ms):
        pass
import node.trial
node.trial.asyncio = Quick  # five minutes in no time
def restart():
    return chip.start(), boot()[0]
"""


def test_image_and_slot_change_together_and_are_confirmed_together(board, tmp_path):
    code = """
restart()
print(gateway().run(), chip.written)
print(restart(), whole("b"), prove(), chip.state)
slot.memory().put("short", 0)
print(restart())
"""
    assert board(start(tmp_path) + code, "4m", SPEED).splitlines() == [
        "True [0, 1, 2, 3]",
        "(1, 'b') 20  ['valid', 'valid']",
        "(1, 'b')",
    ]
    assert (tmp_path / "ota_1").read_bytes()[: len(IMAGE)] == IMAGE


def test_without_a_confirmation_both_go_back(board, tmp_path):
    code = """
restart()
gateway().run()
print(restart(), prove(lambda: "broker"))
print(restart(), whole("a"), chip.state)
gateway().run()
print(restart())
print(restart(), slot.memory().text("why"))  # it crashed at once
"""
    assert board(start(tmp_path) + code, "4m", SPEED).splitlines() == [
        "(1, 'b') trial: broker",
        "(0, 'a') 10 ['valid', 'aborted']",
        "(1, 'b')",
        "(0, 'a') trial: restart",
    ]


def test_an_image_goes_on_where_it_was(board, tmp_path):
    big = b"\xe9" + content(8, 20 * 4096)
    text = manifest(20, NEW, image=[len(big), hashlib.sha256(big).hexdigest()])
    code = """
chip = Chip(FOLDER, flash, 40)
nvs.Partition = chip.Partition
restart()
one = gateway()
one.spoil = lambda number, at, piece: None if number == 255 and at >= 70000 else piece
one.begin()
async def part():
    try:
        await asyncio.wait_for_ms(one.update.run(lambda: None), 200000)
    except asyncio.TimeoutError:
        print("cut")
asyncio.run(part())
flash.mount()
restart()
two = gateway()
print(two.run(), [at for number, at, _ in two.asked][0], restart())
"""
    done = board(f"FOLDER = {str(tmp_path)!r}\n" + start(tmp_path, text, big) + code, "4m", SPEED)
    assert done.splitlines() == ["cut", "True 65536 (1, 'b')"]


WRONG = {
    "not an image": (manifest(20, NEW, image=[5000, hashlib.sha256(bytes(5000)).hexdigest()]), bytes(5000), "image"),
    "larger than the partition": (manifest(20, NEW, image=[9 * 4096, HASH]), IMAGE, "image"),
    "spoiled": (TEXT, IMAGE[:-1] + b"?", "hash"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_image_that_cannot_be_is_refused_and_both_old_ones_stay(name, board, tmp_path):
    text, image, why = WRONG[name]
    code = """
restart()
one = gateway()
print(one.run(), one.said[-1], restart(), whole("a"))
"""
    done = board(start(tmp_path, text, image) + code, "4m", SPEED).splitlines()
    assert done[-1] == f"False ('refused', '{why}') (0, 'a') 10"


EVERY_CUT = """
blank, values = bytes(flash.data), dict(nvs.values)
def attempt(confirm):
    _, name = restart()
    slot.memory().put("short", 0)
    if name == "a":
        gateway().run()
        restart()
    if confirm and slot.memory().get("trial"):
        prove()
def new(partition):
    with open(chip.files[partition], "rb") as file:
        return file.read(len(NEW["image"])) == NEW["image"]
def fresh():
    global chip
    chip = Chip(FOLDER, flash)
    nvs.Partition = chip.Partition
    flash.data[:] = blank
    nvs.values = dict(values)
    flash.mount()
fresh()
flash.count = 0
attempt(True)
total = flash.count
seen = set()
for torn in (False, True):
    for left in range(total):
        fresh()
        flash.torn, flash.left = torn, left
        try:
            attempt(True)
        except Cut:
            pass
        flash.mount()
        partition, name = restart()
        assert whole(name) == {"a": 10, "b": 20}[name], (torn, left, name)
        assert partition == 0 or new(partition), (torn, left)
        seen.add((partition, name))
        for _ in range(2):  # what was not confirmed goes back, and the next attempt succeeds
            flash.mount()
            restart()
        attempt(True)
        partition, name = restart()
        assert new(partition) and whole(name) == 20, (torn, left)
print(total, sorted(seen))
"""


def test_a_power_cut_at_any_operation_leaves_a_pair_that_starts(board, tmp_path):
    """Image and slot are two switches: between them the old application may meet the new interpreter, for one start."""
    done = board(f"FOLDER = {str(tmp_path)!r}\n" + start(tmp_path) + EVERY_CUT, "4m", SPEED).splitlines()[-1]
    total, seen = done.split(" ", 1)
    assert int(total) > 70
    assert "(0, 'a')" in seen
    assert "(1, 'b')" in seen
