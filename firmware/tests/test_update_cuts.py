"""Updates and power: the flash cut at every operation, files and NVS alike. Always the old release or the new one."""

import ast
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from node_rig import figure

pytestmark = pytest.mark.hil
KEY = rsa.generate_private_key(public_exponent=65537, key_size=3072)
MODULUS = f"{KEY.public_key().public_numbers().n:0768x}"
SPEED = 1000


def manifest(build: int, files: dict[str, bytes], **more) -> bytes:
    rows = [[path, len(raw), hashlib.sha256(raw).hexdigest()] for path, raw in files.items()]
    head = {"v": 1, "version": "t", "build": build, "python": [1, 25, 0], "mpy": 6, "boards": ["unix"]} | more
    return "".join(json.dumps(row) + "\n" for row in [head, *rows]).encode()


def signature(text: bytes) -> str:
    return KEY.sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()


def content(seed: int, size: int) -> bytes:
    return bytes((seed * 31 + i * 7) % 251 for i in range(size))


OLD = {"node/app.mpy": content(1, 900), "node/gone.mpy": content(2, 300), "wire/same.mpy": content(3, 700)}
NEW = {"node/app.mpy": content(4, 1100), "node/more.mpy": content(5, 512), "wire/same.mpy": content(3, 700)}
OLD_TEXT, NEW_TEXT = manifest(10, OLD), manifest(20, NEW)
START = f"""
import os
from flash import *
flash = Flash(64)
nvs = Nvs(flash)
flash.mount()
from updating import *
OLD, NEW, OLD_TEXT, NEW_TEXT = {OLD!r}, {NEW!r}, {OLD_TEXT!r}, {NEW_TEXT!r}
SIGNATURE, KEYS = {signature(NEW_TEXT)!r}, {[MODULUS, MODULUS]!r}
install("a", OLD_TEXT, OLD, KEYS)
slot.memory().put("slot", 1)
def gateway():
    return Gateway(NEW_TEXT, SIGNATURE, NEW)
"""

AN_UPDATE = """
boot()
slot.memory().put('short', 0)
one = gateway()
print(one.run(), one.said, len(one.asked))
print(boot(), whole("a"), whole("b"), os.listdir("b/node"), slot.memory().get("trial"))
print(prove(), slot.memory().get("slot"), slot.memory().get("trial"))
slot.memory().put('short', 0)
print(boot())
"""


def test_an_update_from_begin_to_confirmation(board):
    assert board(START + AN_UPDATE, "4m", SPEED).splitlines() == [
        "True [('pull', ''), ('switch', '')] 6",  # 1100, 512 and 700 bytes in pieces of 512
        "('b', 'run') 10 20 ['app.mpy', 'more.mpy'] 2",
        " 2 0",
        "('b', 'run')",
    ]


BEFORE = {"node/app.mpy": content(9, 800), "node/gone.mpy": content(2, 300), "wire/same.mpy": content(3, 700)}
A_RELEASE_BEFORE = f"""
install("b", {manifest(5, BEFORE)!r}, {BEFORE!r}, KEYS)
"""


def test_what_the_idle_slot_has_already_is_not_fetched_and_what_is_not_listed_goes(board):
    code = """
boot()
one = gateway()
print(one.run(), one.asked)
print(boot(), whole("b"), os.listdir("b/node"))
"""
    assert board(START + A_RELEASE_BEFORE + code, "4m", SPEED).splitlines() == [
        # 800 bytes of the old app.mpy are not the beginning of the new one: that is found by its hash
        "True [(0, 800, 300), (0, 0, 512), (0, 512, 512), (0, 1024, 76), (1, 0, 512)]",
        "('b', 'run') 20 ['app.mpy', 'more.mpy']",
    ]


EVERY_CUT = """
def attempt():
    boot()
    slot.memory().put('short', 0)
    return gateway().run()
boot()
blank, values = bytes(flash.data), dict(nvs.values)
def fresh():
    flash.data[:] = blank
    nvs.values = dict(values)
    flash.mount()
fresh()
flash.count = 0
attempt()
total = flash.count
seen = []
for torn in (False, True):
    for left in range(total):
        fresh()
        flash.torn, flash.left = torn, left
        try:
            attempt()
        except Cut:
            pass
        flash.mount()
        name, mode = boot()
        build = whole(name)
        assert (name, build) in (("a", 10), ("b", 20)), (torn, left, name, build)
        assert mode == "run"
        assert read("b/manifest.json") is None or whole("b") in (5, 20), (torn, left)  # the other one, if a breaks
        seen.append(build)
        if build == 20:  # on trial; it ends without having been confirmed
            assert nvs.values["trial"] == 2
            name, mode = boot()
        assert (name, whole(name), mode) == ("a", 10, "run"), (torn, left, name)
        assert attempt(), (torn, left)  # and nothing stands in the way of the next one
        name, mode = boot()
        assert (name, whole(name), mode) == ("b", 20, "run"), (torn, left)
print(total, seen.count(10), seen.count(20))
"""


def test_a_power_cut_at_any_operation_of_an_update_leaves_the_old_release_or_the_new(board, capsys):
    total, old, new = map(int, board(START + A_RELEASE_BEFORE + EVERY_CUT, "4m", SPEED).splitlines()[-1].split())
    figure(capsys, f"power cut at each of {total} operations of an update, clean and torn: {old} old, {new} new")
    assert total > 40
    assert old + new == 2 * total
    assert old > 0
    assert new > 0


EVERY_CUT_OF_A_TRIAL = """
class Quick:
    async def sleep_ms(ms):
        pass
import node.trial
node.trial.asyncio = Quick  # five minutes in no time
boot()
gateway().run()
blank, values = bytes(flash.data), dict(nvs.values)
def fresh():
    flash.data[:] = blank
    nvs.values = dict(values)
    flash.mount()
seen = []
for end in (lambda: True, lambda: "broker"):
    fresh()
    flash.count = 0
    boot()
    prove(end)
    for torn in (False, True):
        for left in range(flash.count):
            fresh()
            flash.torn, flash.left = torn, left
            try:
                boot()
                prove(end)
            except Cut:
                pass
            flash.mount()
            name, mode = boot()
            assert (name, whole(name), mode) in (("a", 10, "run"), ("b", 20, "run")), (torn, left, name)
            seen.append(name)
            boot()
            name = boot()[0]
            assert nvs.values.get("trial", 0) == 0
            assert whole(name) in (10, 20)
print(len(seen), seen.count("a") > 0, seen.count("b") > 0)
"""


def test_a_power_cut_at_any_value_of_a_trial_leaves_the_old_release_or_the_new(board):
    count, old, new = board(START + EVERY_CUT_OF_A_TRIAL, "4m", SPEED).splitlines()[-1].split()
    assert int(count) > 10
    assert (old, new) == ("True", "True")


TRIALS = """
def tried(fit):
    boot()
    slot.memory().put("short", 0)
    gateway().run()
    boot()
    why = prove(fit)
    print([why, [name for name in os.listdir("b") if name[:8] == "manifest"]])
    slot.memory().put("slot", 2)  # as when the old one cannot be loaded
    print([boot()[0]])
"""


@pytest.mark.parametrize(
    ("fit", "left"),
    [
        ('lambda: "broker"', [["trial: broker", ["manifest.bad"]], ["a"]]),
        ("lambda: True", [["", ["manifest.json"]], ["b"]]),
    ],
    ids=["failed", "confirmed"],
)
def test_only_a_release_that_has_proved_itself_is_found_again(board, fit, left):
    said = board(START + TRIALS + f"tried({fit})", "4m", SPEED)
    assert [ast.literal_eval(line) for line in said.splitlines()[-2:]] == left


def test_what_is_in_flash_is_not_asked_for_again(board):
    code = """
boot()
one = gateway()
one.spoil = lambda number, at, piece: None if number == 1 else piece  # the gateway goes away
one.begin()
async def part():
    try:
        await asyncio.wait_for_ms(one.update.run(lambda: None), 100000)
    except asyncio.TimeoutError:
        print(one.asked[:3], set(one.asked[3:]))
asyncio.run(part())
flash.mount()  # and the power too
boot()
two = gateway()
print(two.run(), two.asked)
three = Gateway(NEW_TEXT, SIGNATURE, NEW)
"""
    assert board(START + code, "4m", SPEED).splitlines() == [
        "[(0, 0, 512), (0, 512, 512), (0, 1024, 76)] {(1, 0, 512)}",
        "True [(1, 0, 512), (2, 0, 512), (2, 512, 188)]",
    ]


def test_a_piece_that_was_spoiled_on_its_way_is_found_by_the_hash_and_fetched_again(board):
    code = """
boot()
one = gateway()
bad = [1]
one.spoil = lambda number, at, piece: b"?" + piece[1:] if (number, at) == (0, 512) and bad.pop() else piece
bad.insert(0, 0)
print(one.run(), one.asked[:6])
boot()
print(whole("b"))
"""
    assert board(START + code, "4m", SPEED).splitlines() == [
        "True [(0, 0, 512), (0, 512, 512), (0, 1024, 76), (0, 0, 512), (0, 512, 512), (0, 1024, 76)]",
        "20",
    ]


def refused(board, code: str, start: str = START) -> list[str]:
    """What the node says to a begin, and whether the old release is still the one."""
    end = """
print(one.run(), one.said[-1], slot.memory().get("trial"))
nvs.values["trial"] = 0
print(boot(), whole("a"))
"""
    said, after = board(start + "boot()\none = gateway()\n" + code + end, "4m", SPEED).splitlines()[-2:]
    assert after == "('a', 'run') 10"
    return said


def other(text: bytes) -> str:
    return f"one.sign({text!r}, {signature(text)!r})\n"


REFUSED = {
    "sign": 'one.manifest = NEW_TEXT.replace(b"app", b"apq", 1)',
    "older": other(manifest(10, NEW)),
    "board": other(manifest(20, NEW, boards=["esp32s3"])),
    "interpreter": other(manifest(20, NEW, python=[9, 0, 0])),
    "mpy": other(manifest(20, NEW, mpy=5)),
    "manifest": other(manifest(20, {"../slot.mpy": b"x"})),
    "room": other(manifest(20, NEW | {"node/huge.mpy": bytes(60000), "node/huge2.mpy": bytes(60000),
                                      "node/huge3.mpy": bytes(60000), "node/huge4.mpy": bytes(60000)})),
    "hash": "one.spoil = lambda number, at, piece: bytes(len(piece)) if number == 1 else piece",
    "lease": "one.safe = [False]",
    "trial": 'nvs.values["trial"] = 2',
    "silence": "one.spoil = lambda number, at, piece: None",
    "flash": "os.remove('keys.json')",
    "image": other(manifest(20, NEW, image=[10, "0" * 64])),
    "abort": """
def stop(number, at, piece):
    one.update.receive(seal(KEY, topics.OTA, json.dumps({"do": "abort", "boot": 7})), 0)
    return None
one.spoil = stop""",
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_refuses_with_a_word_and_keeps_what_it_has(why, board):
    assert refused(board, REFUSED[why].strip("\n")) == f"False ('refused', '{why}') {2 if why == 'trial' else 0}"


def test_a_begin_that_is_forged_replayed_to_a_later_boot_or_retained_does_nothing(board):
    code = """
boot()
one = gateway()
for wrong in ({"key": bytes(32)}, {"boot": 6}, {"retained": 1}, {"build": None}, {"sig": "no hex"}):
    one.begin(**wrong)
    print(one.said[-1], one.update.order if wrong.get("build", 1) else "")
"""
    assert board(START + code, "4m", SPEED).splitlines() == [
        "('refused', 'seal') None",
        "('refused', 'boot') None",
        "('refused', 'boot') None",
        "('refused', 'manifest') ",
        "('refused', 'manifest') None",
    ]


def test_waits_for_the_end_of_a_lease_before_it_switches(board):
    code = """
boot()
one = gateway()
one.safe = [False, False, True]
print(one.run(), one.said)
"""
    assert board(START + code, "4m", SPEED).splitlines() == ["True [('pull', ''), ('wait', ''), ('switch', '')]"]


def test_pieces_that_were_not_asked_for_change_nothing(board):
    code = """
boot()
one = gateway()
right = one.spoil
def noise(number, at, piece):
    for build, file, place, raw in ((19, number, at, piece), (20, number + 1, at, piece), (20, number, at + 1, piece),
                                    (20, number, at, piece + b"?"), (20, number, at, b"")):
        one.update.chunk(memoryview(struct.pack(release.HEAD, build, file, place) + raw), 0)
    one.update.chunk(memoryview(struct.pack(release.HEAD, 20, number, at) + bytes(len(piece))), 1)  # retained
    for raw in (b"", b"?", bytes(9)):
        one.update.chunk(memoryview(raw), 0)
    return piece
one.spoil = noise
print(one.run(), len(one.asked))
boot()
print(whole("b"))
"""
    assert board(START + code, "4m", SPEED).splitlines() == ["True 6", "20"]
