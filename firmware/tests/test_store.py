"""Files kept through power cuts: LittleFS on the board's interpreter, cut at every operation of the flash."""

import json

import pytest

pytestmark = pytest.mark.hil

START = """
import json
from flash import Cut, Flash, Nvs, read
flash = Flash(16)
nvs = Nvs(flash)
flash.mount()
import slot
from node import store
memory = slot.memory()
def check(text):
    value = json.loads(text)
    value["key"]
    return value
def spoil(name, raw):
    with open(name, "wb") as file:
        file.write(raw)
"""

EVERY_CUT = """
first, second = json.dumps({"key": "old" * 300}), json.dumps({"key": "new" * 400})
before = %s
def begin():
    flash.data[:] = blank
    flash.mount()
    before()
blank = bytes(flash.data)
begin()
flash.count = 0
store.save("table.json", second)
total = flash.count
seen = []
for torn in (False, True):
    for left in range(total):
        begin()
        flash.torn, flash.left = torn, left
        try:
            store.save("table.json", second)
        except Cut:
            pass
        flash.mount()
        found = store.load("table.json", check)
        assert found in (json.loads(first), json.loads(second)), (torn, left, found)
        seen.append(found["key"][:3])
        store.save("table.json", second)  # and nothing stands in the way of the next one
        assert store.load("table.json", check) == json.loads(second)
print(total, seen.count("old"), seen.count("new"))
"""


@pytest.mark.parametrize(
    "before",
    [
        'lambda: store.save("table.json", first)',
        'lambda: [store.save("table.json", first) for _ in range(2)]',
        'lambda: [store.save("table.json", first), store.save("table.json", "{")]',  # the newest is spoiled
    ],
    ids=["one copy", "two copies", "the newest spoiled"],
)
def test_a_power_cut_at_any_operation_of_a_save_leaves_the_old_or_the_new(before, board):
    total, old, new = map(int, board(START + EVERY_CUT % before, "1m").splitlines()[-1].split())
    assert total >= 7
    assert old + new == 2 * total
    assert old > 0


SPOILED = {
    "cut": b'{"key": [1',
    "empty": b"",
    "not what it should be": b"{}",
    "not text": b'{"key": "\xff\xfe"}',
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_copy_is_passed_over(name, board):
    code = f"""
store.save("t", json.dumps({{"key": 1}}))
store.save("t", json.dumps({{"key": 2}}))
spoil("t", {SPOILED[name]!r})
print(store.load("t", check))
spoil("t.old", {SPOILED[name]!r})
print(store.load("t", check))
"""
    assert board(START + code, "1m").splitlines() == ["{'key': 1}", "None"]


def test_what_makes_a_node_reachable_is_in_the_file_and_in_nvs_and_each_repairs_the_other(board):
    code = """
import os
conf = '{"key": 1, "node": "cave \\u00e0 vin"}'
print(store.essentials(memory, check))  # nothing anywhere
store.save("node.json", conf)
print(store.essentials(memory, check)["key"], memory.text("node") == conf)
count = flash.count
store.essentials(memory, check)
print(flash.count - count)  # flash wears out: nothing to repair, nothing written
for name in os.listdir():
    spoil(name, b"")
print(store.essentials(memory, check)["key"], read("node.json") == conf)
memory.write("node", "?")
print(store.essentials(memory, check)["key"], memory.text("node") == conf)
flash.format()  # the whole file system is lost
flash.mount()
print(store.essentials(memory, check)["key"], os.listdir())
"""
    assert board(START + code, "1m").splitlines() == [
        "None",
        "1 True",
        "0",
        "1 True",
        "1 True",
        "1 ['node.json']",
    ]


def test_the_store_of_small_values_on_a_computer_is_a_file_that_is_always_whole(board, tmp_path):
    code = """
import slot
memory = slot.memory()
print(memory.get("slot"), repr(memory.text("why")))
memory.put("slot", 2)
memory.write("why", "caf\\u00e9")
memory.write("why", "th\\u00e9")
print(slot.memory().get("slot"), slot.memory().text("why"))
"""
    assert board(code).splitlines() == ["0 ''", "2 thé"]
    assert json.loads((tmp_path / "nvs.json").read_text())["slot"] == 2
    (tmp_path / "nvs.json").write_text('{"slot": 2, "wh')
    assert board("import slot\nprint(slot.memory().get('slot'))").strip() == "0"
