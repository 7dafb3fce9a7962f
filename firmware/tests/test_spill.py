"""Records on flash, on the board's interpreter: LittleFS on a block device that can lose its power at any operation."""

import json

import pytest

pytestmark = pytest.mark.hil

FLASH = """
import json, os, struct, vfs
from wire import records
class Flash:
    '''64 blocks of 4 kB in memory; the operation number `cut` and all later ones do not happen.'''
    def __init__(self):
        self.data, self.count, self.cut = {}, 0, -1
    def readblocks(self, n, buf, off=0):
        block = self.data.get(n)
        buf[:] = block[off:off + len(buf)] if block else b"\\xff" * len(buf)
    def writeblocks(self, n, buf, off=None):
        self.count += 1
        if 0 <= self.cut < self.count: raise OSError(5)
        if off is None: off = 0; self.data[n] = bytearray(b"\\xff" * 4096)
        self.data[n][off:off + len(buf)] = buf
    def ioctl(self, op, arg):
        if op == 4: return 64
        if op == 5: return 4096
        if op == 6:
            self.count += 1
            if 0 <= self.cut < self.count: raise OSError(5)
            self.data[arg] = bytearray(b"\\xff" * 4096)
            return 0
def mount(flash):
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.chdir("/flash")
def unmount():
    os.chdir("/"); vfs.umount("/flash")
flash = Flash()
vfs.VfsLfs2.mkfs(flash)
mount(flash)
flash.count = 0

class Clock:
    s, ms, quality, zero = 800000000, 0, 2, (0, 0)
    def tick(self): self.ms = (self.ms + 1) % 1000
class Memory:
    def __init__(self): self.values = {}
    def get(self, key): return self.values.get(key, 0)
    def put(self, key, value): self.values[key] = value
from node.spill import Spill
room = memoryview(bytearray(640))
memory = Memory()
def boot(number, size=6600, **conf):
    spill = Spill(size, number, Clock(), dict(spill_kb=64, **conf), memory)
    spill.use(7)
    return spill
def fill(ring, count):
    for _ in range(count):
        ring.push(1, 0, struct.pack(">IIIII", ring.next, 1, 2, 3, ring.boot), 10)
        ring.save(room)
def rows(size):
    '''(boot, oldest, seq, s, first and last register) of each record in `room`.'''
    found, at = [], records.HEADER_SIZE
    _, count, table, number, oldest, _, _ = struct.unpack_from(records.HEADER, room, 0)
    for _ in range(count):
        seq, s, ms, clock, block, flag, n = struct.unpack_from(records.RECORD, room, at)
        at += records.RECORD_SIZE
        first, _, _, _, final = struct.unpack_from(">5I", room, at)
        found.append((number, oldest, seq, s, clock, first, final))
        at += 2 * n
    assert at == size and table == 7
    return found
def drain(ring):
    '''All that comes out, the gateway hearing everything at once.'''
    out = []
    while True:
        size, last = ring.batch(room)
        if size:
            out.extend(rows(size))
        elif ring.whole:
            ring.heard(ring.of, ring.last)
        else:
            return out
def segment(ring):
    '''The rows of the oldest segment.'''
    out = []
    while True:
        size, last = ring.batch(room)
        if last or not size: return out
        out.extend(rows(size))
"""


@pytest.fixture
def flash(board):
    """Runs code with a ring, a spill and a LittleFS; gives what its last line prints, as JSON."""
    return lambda code: json.loads(board(FLASH + code, heap="2m").splitlines()[-1])


def test_what_does_not_fit_in_the_ring_comes_back_from_flash_once(flash):
    out, left, lost, spilled = flash("""
ring = boot(5)
fill(ring, 600)
held = ring.spilled
out = drain(ring)
print(json.dumps([out, os.listdir("spill"), ring.lost, [held, ring.spilled]]))
""")
    assert sorted(row[2] for row in out) == list(range(1, 601))
    assert [row[2] for row in out[:100]] == list(range(1, 101))  # the oldest first
    assert all(row[5] == row[2] and row[6] == row[0] == 5 for row in out)
    assert all(row[1] <= row[2] for row in out)
    assert {row[1] for row in out[:100]} == {1}
    assert (left, lost) == ([], 0)
    assert spilled == [1, 0]


def test_a_batch_of_the_ring_claims_what_is_on_flash(flash):
    assert flash("""
ring = boot(5)
fill(ring, 300)
segment(ring)
first = rows(ring.batch(room)[0])[0]
print(json.dumps([first[1], first[2] > 100, ring.spilled]))
""") == [1, True, 1]


def test_segments_outlive_a_restart_with_their_boot_and_times(flash):
    out = flash("""
ring = boot(5)
fill(ring, 400)
kept = ring.oldest - 1
ring = boot(6)
ring.clock.s = 900000000
fill(ring, 3)
print(json.dumps([kept, drain(ring), os.listdir("spill")]))
""")
    kept, rows, left = out
    old = [row for row in rows if row[0] == 5]
    assert [row[2] for row in old] == list(range(1, kept + 1))
    assert {row[3] for row in old} == {800000000}
    assert [row[:3] for row in rows if row[0] == 6] == [[6, 1, i] for i in (1, 2, 3)]
    assert all(row[1] <= row[2] for row in rows)
    assert left == []


def test_nothing_is_removed_before_the_gateway_has_it_and_it_comes_again(flash):
    first, again, files = flash("""
ring = boot(5)
fill(ring, 300)
def read(): return [row[2] for row in segment(ring)]
first = read()
ring.heard(5, first[-1] - 1)
ring.heard(4, 100000)
files = len(os.listdir("spill"))
ring.rewind()
print(json.dumps([first, read(), files]))
""")
    assert first == again == list(range(1, first[-1] + 1))
    assert files >= 2


def test_the_oldest_segment_makes_room_and_is_counted(flash):
    out, lost, most = flash("""
ring = boot(5)
ring.most = 3
most = 0
for _ in range(60):
    fill(ring, 20)
    most = max(most, len(os.listdir("spill")))
print(json.dumps([drain(ring), ring.lost, most]))
""")
    assert most == 3
    assert sorted(row[2] for row in out) == list(range(lost + 1, 1201))
    assert out[0][1] == lost + 1  # and the gateway is told not to wait
    assert lost > 300


def test_a_day_has_its_budget_and_it_is_kept_over_a_restart(flash):
    written, lost, out, today, tomorrow = flash("""
ring = boot(5, spill_a_day=2)
fill(ring, 1000)
written, lost = len(os.listdir("spill")), ring.lost
out = drain(ring)
ring = boot(6, spill_a_day=2)
fill(ring, 500)
today = len(os.listdir("spill"))
ring.clock.s += 86400
fill(ring, 1)
print(json.dumps([written, lost, out, today, len(os.listdir("spill"))]))
""")
    assert written == 2
    assert lost == 1000 - len(out) > 500  # the ring overwrote, and counted
    assert (today, tomorrow) == (0, 1)


def test_a_restart_without_a_clock_does_not_begin_a_new_day(flash):
    assert flash("""
ring = boot(5, spill_a_day=2)
fill(ring, 1000)
drain(ring)
ring = boot(6, spill_a_day=2)
ring.clock.quality, ring.clock.s, ring.clock.zero = 0, 5, None
fill(ring, 500)
files = [len(os.listdir("spill"))]
ring.clock.s = 86405
fill(ring, 1)
print(json.dumps(files + [len(os.listdir("spill"))]))
""") == [0, 1]


def test_what_was_saved_with_its_uptime_gets_its_time_in_the_same_boot_only(flash):
    same, other = flash("""
ring = boot(5)
ring.clock.quality, ring.clock.s, ring.clock.zero = 0, 100, None
fill(ring, 200)
ring.clock.quality, ring.clock.s, ring.clock.zero = 2, 800000000, (799999000, 500)
size, last = ring.batch(room)
same = rows(size)
ring = boot(6)
size, last = ring.batch(room)
print(json.dumps([same[:3], rows(size)[:3]]))
""")
    assert all(row[3:5] == [799999100 if i < 0 else row[3], 1] for i, row in enumerate(same))
    assert {row[3] for row in same} <= {799999100, 799999101}
    assert [row[3:5] for row in other] == [[100, 0]] * 3


def test_files_of_others_in_the_folder_are_left_alone(flash):
    names, rows, left = flash("""
os.mkdir("spill")
for name in ("notes.txt", ".DS_Store", "12 copy", "0x", "z"):
    with open("spill/" + name, "w") as file: file.write("not ours")
ring = boot(5)
fill(ring, 400)
kept = ring.oldest - 1
names = sorted(name for name in os.listdir("spill") if name.isdigit())
ring = boot(6)
print(json.dumps([names, [row[2] for row in drain(ring)], sorted(os.listdir("spill"))]))
""")
    assert names == [str(i) for i in range(len(names))]
    assert len(names) > 1
    assert rows == list(range(1, rows[-1] + 1))
    assert left == [".DS_Store", "0x", "12 copy", "notes.txt", "z"]


SPOILED = {
    "cut off": "data = data[:2000]",
    "empty": "data = b''",
    "one bit": "data = data[:1500] + bytes((data[1500] ^ 4,)) + data[1501:]",
    "a length beyond": "data = b'\\xff\\xff' + data[2:]",
    "only a head": "data = data[:3]",
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_segment_gives_what_is_good_is_counted_and_stops_nothing(name, flash):
    kept, out, torn, left = flash(f"""
ring = boot(5)
fill(ring, 500)
kept = ring.oldest - 1
names = sorted(os.listdir("spill"))
with open("spill/" + names[1], "rb") as file: data = file.read()
{SPOILED[name]}
with open("spill/" + names[1], "wb") as file: file.write(data)
ring = boot(6)
print(json.dumps([kept, drain(ring), ring.torn, os.listdir("spill")]))
""")
    seqs = [row[2] for row in out]
    assert seqs == sorted(set(seqs))
    assert seqs[0] == 1
    assert seqs[-1] == kept
    assert 0 < kept - len(seqs) < 130  # one segment at most
    assert (torn, left) == (1, [])
    last_of_third = next(row for row in out if row[2] == kept)
    assert last_of_third[1] > 118  # the gateway is told that the gap will not be filled


def test_a_power_cut_at_any_flash_operation_costs_no_more_than_what_was_still_in_memory(flash):
    """Two segments are there; the power goes at each operation of the third, and of the removal of the first."""
    done = flash("""
import gc
results = []
unmount()
def prepare():
    global flash, memory
    memory = Memory()
    flash = Flash(); vfs.VfsLfs2.mkfs(flash); mount(flash)
    ring = boot(5)
    fill(ring, 1)
    while len(os.listdir("spill")) < 2: fill(ring, 1)
    while ring.used * 4 + 136 <= ring.size * 3: fill(ring, 1)
    flash.count = 0
    return ring, ring.oldest - 1
def third(ring):
    fill(ring, 3)
def remove(ring):
    segment(ring)
    ring.heard(5, ring.last)
for act in (third, remove):
    ring, _ = prepare()
    act(ring)
    total = flash.count
    unmount()
    for cut in range(total + 1):
        gc.collect()
        ring, kept = prepare()
        flash.cut = cut
        try:
            act(ring)
        except OSError:
            pass
        after = ring.oldest - 1
        unmount()
        flash.cut = -1
        mount(flash)
        ring = boot(6)
        out = drain(ring)
        seqs = [row[2] for row in out]
        unbroken = seqs == list(range(seqs[0], seqs[-1] + 1))
        left = os.listdir("spill")
        results.append([act is third, cut, total, kept, after, unbroken, seqs[0], seqs[-1], left])
        unmount()
print(json.dumps(results))
""")
    assert len([one for one in done if one[0]]) > 4
    assert len([one for one in done if not one[0]]) > 1
    for third, cut, total, kept, after, unbroken, first, last, left in done:
        assert unbroken
        assert left == []
        assert last >= after >= kept  # what had left the memory is there
        assert first == 1 or (not third and cut == total)  # stored records may only be gone when they were removed


def test_a_full_flash_is_not_tried_again_that_day(flash):
    assert flash("""
ring = boot(5)
ring.most = 1000
with open("ballast", "wb") as file:
    while os.statvfs("/flash")[3] > 3: file.write(bytes(4096)); file.flush()
before = flash.count
fill(ring, 900)
tried = flash.count - before
fill(ring, 300)
print(json.dumps([ring.lost > 100, flash.count - before == tried]))
""") == [True, True]


DAY = """
import json, os, struct
from node.spill import Spill
os.chdir(FOLDER)
class Clock:
    s, ms, quality, zero = 800000000, 0, 2, (0, 0)
    def tick(self): pass
class Memory:
    def get(self, key): return 0
    def put(self, key, value): pass
def boot(number):
    return Spill(16000, number, Clock(), {"spill_kb": 16384, "spill_a_day": 100000}, Memory())
room, registers = memoryview(bytearray(640)), bytearray(250)
ring = boot(5)
ring.use(7)
for _ in range(COUNT):
    ring.push(1, 0, registers, 125)
    ring.save(room)
del ring
again, sent, first, last = boot(6), 0, 0, 0
while True:
    size = again.batch(room)[0]
    if size:
        sent += room[1]
        number = struct.unpack_from(">I", room, 20)[0]
        first, last = first or number, number + room[1] - 1
    elif again.whole:
        again.heard(again.of, again.last)
    else:
        break
print(json.dumps([sent, first, last, again.lost, len(os.listdir("spill"))]))
"""


def test_a_computer_keeps_a_day_of_the_demo_s_records_on_its_disk(board, tmp_path):
    """102 bytes a second are 8.8 MB; in the longest records that is the least work for the same bytes."""
    count = 102 * 86_400 // 264
    code = DAY.replace("FOLDER", repr(str(tmp_path))).replace("COUNT", str(count))
    sent, first, last, lost, left = json.loads(board(code, compiled=True).splitlines()[-1])
    assert (first, lost, left) == (1, 0, 0)
    assert sent == last > count - 60  # the rest was in the memory that a restart clears
