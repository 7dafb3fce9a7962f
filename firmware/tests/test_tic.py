"""The customer telegram: published groups, wrong ones, detection of the speed, and what never leaves the node.

What is only the receiver runs on both interpreters with a clock of our own; the whole node runs on the board's.
"""

import asyncio
import contextlib
import importlib
import io
import itertools
import json
import time
from pathlib import Path
from types import SimpleNamespace

import aiomqtt
import pytest
import tables
import telegrams
from node_rig import until
from telegrams import FULL, HISTORIQUE, STANDARD, THREE_PHASE, alarm, frame, group
from wire import records
from wire import table as wire_table

from gateway.simulator.products.linky import heard_at

FF = "ffffffff"

# Runs the receiver in virtual time. `coming` is [[ms, {baud: hex of what is heard at that speed}]]; gives what was
# pushed as [ms, block, flag, hex, registers], the counts by flag, and the longest time without a check-in.
DRIVER = """
import json
import node.wait
from node import tic as module
now = [0]
node.wait.ticks_ms = lambda: now[0]
class Clock:
    async def sleep_ms(ms):
        now[0] += ms
class Unit:
    def __init__(self):
        self.counts = [0] * 4
class Line:
    def __init__(self, baud, coming):
        self.baud = str(baud)
        self.coming = coming
        self.rest = b""
    def readinto(self, buffer):
        while self.coming and self.coming[0][0] <= now[0]:
            self.rest += bytes.fromhex(self.coming.pop(0)[1][self.baud])
        size = min(len(self.rest), len(buffer))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size
    def close(self):
        pass
class Over(Exception):
    pass
def listen(blocks, coming, until_ms, baud):
    now[0] = 0
    module.asyncio = Clock
    unit, pushed, bus = Unit(), [], {"baud": baud}
    last, longest = [0], [0]
    def push(number, flag, data, count):
        pushed.append([now[0], number, flag, bytes(data).hex(), count])
    def beat():
        longest[0] = max(longest[0], now[0] - last[0])
        last[0] = now[0]
        if now[0] > until_ms:
            raise Over
    receiver = module.Tic("tic", lambda: Line(bus["baud"], coming), bus, push)
    for number, block in enumerate(blocks):
        receiver.add(number, unit, block)
    try:
        receiver.run(beat).send(None)
    except Over:
        pass
    return {"pushed": pushed, "counts": unit.counts, "beat": longest[0]}
print(json.dumps([listen(*case) for case in CASES]))
"""


@pytest.fixture
def cpython(monkeypatch):
    """The driver on the gateway's interpreter, whose module `time` has no ticks."""
    monkeypatch.setattr(time, "ticks_ms", lambda: 0, raising=False)
    monkeypatch.setattr(time, "ticks_add", lambda tick, ms: tick + ms, raising=False)
    monkeypatch.setattr(time, "ticks_diff", lambda tick, other: tick - other, raising=False)
    importlib.import_module("node.wait")

    def run(code: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(code, {})  # noqa: S102 - our own, the same as on the board
        return said.getvalue()

    return run


@pytest.fixture(params=["cpython", pytest.param("board", marks=pytest.mark.hil)])
def listen(request):
    """Lets a receiver hear frames in virtual time."""
    run = request.getfixturevalue(request.param)

    def heard(*cases: list) -> list[SimpleNamespace]:
        code = f"CASES = {json.dumps([list(case) for case in cases])}\n{DRIVER}"
        return [SimpleNamespace(**found) for found in json.loads(run(code))]

    return heard


def block(*labels: str, ms: int = 1000) -> dict:
    """Labels as "EAST:c"; without a form they are decimal numbers."""
    return {"labels": [[name, form or "d"] for name, _, form in (one.partition(":") for one in labels)], "ms": ms}


def sent(at_ms: int, data: bytes, baud: int = 9600) -> list:
    """A frame as it is heard at both speeds."""
    return [at_ms, {str(b): heard_at(data, sent_baud=baud, heard_baud=b).hex() for b in (1200, 9600)}]


def one_frame(data: bytes, *labels: str, baud: int = 9600) -> list:
    """A case: the data once, to a receiver that already has the right speed."""
    return [[block(*labels)], [sent(100, data, baud)], 1000, baud]


def test_the_published_groups_are_numbers(listen):
    standard, historique = listen(
        one_frame(frame(*STANDARD), "SMAXSN-1", "CCASN", "CCASN-1", "UMOY1", "STGE:x", "EAST"),
        one_frame(frame(*HISTORIQUE), "HCHC:c", "HCHP:c", "PTEC:s", "IINST", "PAPP", "BASE", baud=1200),
    )
    [[_, number, flag, data, count]] = standard.pushed
    assert (number, flag, count) == (0, records.OK, 12)
    assert data == f"{5210:08x}{1468:08x}{1444:08x}{235:08x}003a0001{FF}"
    [[_, _, flag, data, count]] = historique.pushed
    assert (flag, count) == (records.OK, 12)
    assert data == f"{77089461:08x}{96066754:08x}{b'HP..'.hex()}{2:08x}{460:08x}{FF}"
    assert (standard.counts[records.BAD_FRAME], historique.counts[records.BAD_FRAME]) == (0, 0)


def test_parity_bits_on_the_line_change_nothing(listen):
    data = bytes(byte | (byte.bit_count() % 2) << 7 for byte in frame(*STANDARD))
    case = one_frame(b"", "STGE:x", "CCASN")
    case[1] = [[100, {"9600": data.hex(), "1200": ""}]]
    [found] = listen(case)
    assert found.pushed[0][3] == f"003a0001{1468:08x}"


SINSTS, EAST, URMS = group("SINSTS", "01234"), group("EAST", "012345678"), group("URMS1", "230")
NO_URMS = f"{1234:08x}{12345678:08x}{FF}"
GOOD = f"{1234:08x}{12345678:08x}{230:08x}"
LONG = group("EAST", "0" * 109, "000000007")  # as long as a receiver can hold, its check character the last
OLD = "URMS1 230"
SPOILED = {
    "space before the check": (frame(SINSTS[:-2] + " " + SINSTS[-1], EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "too long by as much as is cut": (frame(SINSTS, LONG + "0000", URMS), f"{1234:08x}{FF}{230:08x}", 1),
    "of the other mode": (frame(SINSTS, EAST, f"{OLD} {chr(sum(map(ord, OLD)) % 64 + 32)}"), NO_URMS, 1),
    "checksum": (frame(SINSTS[:-1] + "!", EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "digit": (frame(SINSTS.replace("01234", "01235"), EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "no separator": (frame(SINSTS, EAST.replace("EAST\t", "EAST"), URMS), f"{1234:08x}{FF}{230:08x}", 1),
    "no label": (frame(SINSTS, EAST, group("", "230")), f"{1234:08x}{12345678:08x}{FF}", 0),
    "no data": (frame(SINSTS, EAST, group("URMS1", "")), f"{1234:08x}{12345678:08x}{FF}", 1),
    "other data": (frame(SINSTS, EAST, group("URMS1", "2 0")), f"{1234:08x}{12345678:08x}{FF}", 1),
    "minus": (frame(group("SINSTS", "-0001"), EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "more than 32 bits": (frame(group("SINSTS", "9" * 12), EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "too long": (frame(SINSTS, EAST, group("PJOURF+1", "0" * 200), URMS), GOOD, 1),
    "merged": (frame(SINSTS + "\n" + EAST, URMS), f"{FF}{12345678:08x}{230:08x}", 1),
    "cut": (frame(SINSTS, EAST)[:-3] + frame(URMS)[1:], f"{1234:08x}{FF}{230:08x}", 1),
    "spaces": (frame(SINSTS, EAST, URMS.replace("\t", " ")), f"{1234:08x}{12345678:08x}{FF}", 1),
    "lower case": (frame(SINSTS, EAST, group("urms1", "230")), f"{1234:08x}{12345678:08x}{FF}", 0),
    "no end": (frame(SINSTS, EAST, URMS)[:-1] + frame(SINSTS)[:2], GOOD, 0),
    "nothing in it": (frame("", SINSTS, EAST, URMS), GOOD, 0),
    "empty lines": (frame(SINSTS, EAST, URMS).replace(b"\r", b"\r\r\n\n"), GOOD, 0),
}


def test_a_spoiled_group_is_counted_and_the_others_are_used(listen):
    cases = [one_frame(data, "SINSTS", "EAST", "URMS1") for data, _, _ in SPOILED.values()]
    for name, found in zip(SPOILED, listen(*cases), strict=True):
        _, expected, bad = SPOILED[name]
        assert [row[3] for row in found.pushed] == [expected], name
        assert found.counts[records.BAD_FRAME] == bad, name


def test_a_frame_that_is_broken_off_is_no_record(listen):
    off = frame(SINSTS, EAST, URMS)[:-1] + b"\x04"
    only, then = listen(
        one_frame(off, "SINSTS", "EAST", "URMS1"), one_frame(off + frame(SINSTS), "SINSTS", "EAST", "URMS1")
    )
    assert only.pushed == []
    assert [row[3] for row in then.pushed] == [f"{1234:08x}{FF}{FF}"]  # nothing of the frame before


def test_a_frame_that_was_not_heard_from_its_start_is_no_record(listen):
    """Nor after a new look for the speed: a point that is asked rarely would be absent for its whole period."""
    half, whole = frame(SINSTS, EAST, URMS)[len(SINSTS) + 3 :], sent(2000, frame(SINSTS, EAST, URMS))
    labels = block("SINSTS", "EAST", "URMS1", ms=10000)
    again = [sent(16500, half), sent(18000, frame(SINSTS, EAST, URMS))]  # after 8 s of silence at each speed
    first, second = listen([[labels], [sent(500, half), whole], 4000, 9600], [[labels], again, 20000, 9600])
    assert [row[3] for row in first.pushed] == [GOOD]
    assert [row[3] for row in second.pushed if row[2] == records.OK] == [GOOD]


def test_records_come_at_the_end_of_a_frame_and_no_more_often_than_asked(listen):
    frames = [sent(1500 * i, frame(group("SINSTS", f"{i:05d}"), EAST)) for i in range(41)]
    [found] = listen([[block("SINSTS"), block("EAST", ms=10000)], frames, 60500, 9600])
    fast, slow = ([row for row in found.pushed if row[1] == number] for number in (0, 1))
    assert [int(row[3], 16) for row in fast] == list(range(41))
    assert 6 <= len(slow) <= 7
    assert found.counts[records.OK] == 41


@pytest.mark.parametrize("baud", [1200, 9600])
def test_the_speed_is_found_from_either_side_and_a_wrong_one_gives_no_value(listen, baud):
    groups, label, value = (HISTORIQUE, "PAPP", 460) if baud == 1200 else (FULL, "SINSTS", 1234)
    frames = [sent(1500 * i + 100, frame(*groups), baud) for i in range(20)]
    right, wrong = listen(*([[block(label)], frames, 29000, begin] for begin in (baud, 10800 - baud)))
    assert right.pushed[0][0] < 1000
    assert {row[3] for row in right.pushed} == {f"{value:08x}"}
    good = [row for row in wrong.pushed if row[2] == records.OK]
    assert good[0][0] < 10500
    assert {row[3] for row in good} == {f"{value:08x}"}
    assert [row[2] in (records.TIMEOUT, records.BAD_FRAME) for row in wrong.pushed] == [True] + [False] * len(good)


def test_a_meter_that_is_switched_to_the_other_mode_is_found_again(listen):
    before = [sent(1500 * i, frame(*HISTORIQUE), 1200) for i in range(8)]
    after = [sent(1500 * i, frame(*FULL), 9600) for i in range(8, 30)]
    [found] = listen([[block("PAPP", "SINSTS")], before + after, 44000, 1200])
    values = [row[3] for row in found.pushed if row[2] == records.OK]
    assert values[0] == f"{460:08x}{FF}"
    assert values[-1] == f"{FF}{1234:08x}"
    first = next(row[0] for row in found.pushed if row[3] == values[-1])
    assert first < 8 * 1500 + 10500


def test_silence_and_bad_checksums_are_distinguished(listen):
    bad = [sent(1500 * i, frame(EAST[:-1] + "!")) for i in range(20)]
    silent, spoiled, back = listen(
        [[block("EAST")], [], 30000, 9600],
        [[block("EAST")], bad, 12000, 9600],
        [[block("EAST")], [*bad[:4], *(sent(6000 + 1500 * i, frame(EAST)) for i in range(10))], 20000, 9600],
    )
    assert {row[2] for row in silent.pushed} == {records.TIMEOUT}
    assert [row[0] // 1000 for row in silent.pushed] == [8, 16, 24]
    assert silent.counts[records.TIMEOUT] == 3
    assert spoiled.pushed[0][2:] == [records.BAD_FRAME, "", 0]
    assert {row[2] for row in back.pushed} == {records.OK}
    assert max(found.beat for found in (silent, spoiled, back)) <= 5000


def slow(at_ms: int, data: bytes) -> list:
    """A frame at 1200 Bd, of which nothing is heard at the other speed."""
    return [at_ms, {"1200": data.hex(), "9600": ""}]


def alarm_frames(from_ms: int, until_ms: int) -> list:
    """Twenty short frames for each long one, at the pace of 1200 Bd."""
    frames, at_ms, count = [], from_ms, 0
    while at_ms < until_ms:
        data = frame(*THREE_PHASE) if count % 21 == 20 else frame(*alarm(50, 12, 61))
        frames.append(slow(at_ms, data))
        at_ms += len(data) * 10000 // 1200 + 34
        count += 1
    return frames


def test_short_frames_of_a_meter_above_its_setting_are_a_sign_of_life_and_carry_the_currents(listen):
    fast = block("PAPP", "IINST1", "IINST2", "IINST3", "PTEC:s")
    rare = block("HCHC:c", "OPTARIF:s", ms=10000)
    [found] = listen([[fast, rare], alarm_frames(0, 45000), 45000, 1200])
    assert {row[2] for row in found.pushed} == {records.OK}
    currents = f"{50:08x}{12:08x}{61:08x}"
    told = {row[3] for row in found.pushed if row[1] == 0}
    assert told == {f"{FF}{currents}{FF}", f"{13800:08x}{10:08x}{20:08x}{30:08x}{b'HP..'.hex()}"}
    times = [row[0] for row in found.pushed if row[1] == 0]
    assert (
        max(after - before for before, after in itertools.pairwise(times)) < 3500
    )  # a long frame, and it was due before
    counters = [row for row in found.pushed if row[1] == 1]
    assert {row[3] for row in counters} == {f"{77089461:08x}{b'HC..'.hex()}"}  # never empty
    assert len(counters) >= 2


def test_short_frames_without_a_label_that_is_wanted_change_nothing_but_are_no_silence(listen):
    """As for a table of a gateway that does not know them: it learns that there is no value, and the speed stays."""
    short = [slow(900 * i, frame(*alarm(50, 12, 61))) for i in range(66)]
    long = [slow(60000 + 2000 * i, frame(*HISTORIQUE)) for i in range(3)]
    old, back = listen([[block("PAPP")], short, 59000, 1200], [[block("PAPP")], [*short, *long], 66000, 1200])
    assert {(row[2], row[3]) for row in old.pushed} == {(records.OK, FF)}
    assert [row[3] for row in back.pushed][-1] == f"{460:08x}"
    assert back.pushed[-3][0] < 63000  # the first long frame is heard: the speed was never left


COUNTERS = [
    # shown by the meter from frame to frame, then what is told
    ([100, 101, 101, 103], [100, 101, 101, 103]),
    ([100, 99, 101, 102, 103], [100, None, None, 102, 103]),  # a slip costs the number after it, too
    ([100, 5, 6, 7, 8], [100, None, None, 7, 8]),  # a changed meter: believed with the third that agrees
    ([100, 90100, 101, 102, 103, 104], [100, None, None, None, 103, 104]),
    ([999999998, 999999999, 0, 1, 2], [999999998, 999999999, None, None, 2]),  # nine digits turn over
]


def test_a_counter_that_falls_or_leaps_is_reported_when_three_frames_agree(listen):
    def frames(shown: list[int]) -> list:
        return [sent(1500 * i, frame(group("EAST", f"{value:09d}"), URMS)) for i, value in enumerate(shown)]

    cases = [[[block("EAST:c", "URMS1")], frames(shown), 20000, 9600] for shown, _ in COUNTERS]
    for (shown, told), found in zip(COUNTERS, listen(*cases), strict=True):
        rows = [row for row in found.pushed if row[2] == records.OK]
        values = [None if row[3][:8] == FF else int(row[3][:8], 16) for row in rows]
        assert values == told, shown
        assert {row[3][8:] for row in rows} == {f"{230:08x}"}  # the other labels are told all the while
        assert found.counts[records.BAD_FRAME] == told.count(None)


def test_labels_that_name_a_person_are_never_kept_even_when_a_table_asks_for_them(listen):
    short = (group("PRM", "1234"), group("ADSC", "0404"), group("MSG1", "ABCD"), group("MSG2", "AB"), SINSTS)
    labels = [f"{name}:{form}" for name in wire_table.PERSONAL_LABELS for form in "dxs"]
    asked = [one_frame(frame(*groups), label, "SINSTS") for groups in (FULL, short) for label in labels]
    asked.append(one_frame(frame("ADCO 0404 1", *HISTORIQUE), "ADCO:s", "PAPP", baud=1200))
    for found in listen(*asked):
        assert found.pushed[0][3][:8] == FF
        assert found.pushed[0][3][8:] != FF


FUZZ = """
import gc, os
from node.tic import Tic
class Unit:
    counts = [0] * 4
unit, sums, bus = Unit(), [0], {"baud": 9600}
def push(number, flag, data, count):
    sums[0] += 1
    assert flag == 0 and len(data) == 2 * count == 12
tic = Tic("tic", None, bus, push)
tic.add(0, unit, {"labels": [["SINSTS", "d"], ["EAST", "c"], ["STGE", "x"]], "ms": 1})
state = [12345 * SEED]
def draw(limit):
    state[0] = (state[0] * 16807) % 2147483647
    return state[0] % limit
whole, alphabet = WHOLE, ALPHABET
noise = bytearray(64)
def fuzz(rounds):
    for i in range(rounds):
        bus["baud"] = (9600, 9600, 9600, 1200)[draw(4)]
        what = draw(4)
        if what == 0:
            for _ in range(64): tic.feed(draw(128))
        elif what == 1:
            for _ in range(64): tic.feed(alphabet[draw(len(alphabet))])
        else:
            at, to = draw(len(whole)), draw(128)
            for j in range(len(whole)): tic.feed(to if what == 3 and j == at else whole[j])
def live():
    gc.collect()
    return gc.mem_alloc()
fuzz(50)
before = live()
fuzz(50000)
print(live() - before, sums[0] > 0, unit.counts[0] > 0, unit.counts[2] > 0)
"""
ALPHABET = b"\x02\x03\x04\n\r\t EAST1"


@pytest.mark.hil
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 22))])
def test_noise_of_every_kind_is_survived_without_growth(board, seed):
    """50,000 frames of about 75 characters each; a million in the long run."""
    given = f"WHOLE, ALPHABET, SEED = {frame(SINSTS, EAST, STANDARD[-1])!r}, {ALPHABET!r}, {seed}\n"
    growth, pushed, good, bad = board(given + FUZZ).split()
    assert int(growth) <= 64  # a string or so in the hand
    assert (pushed, good, bad) == ("True", "True", "True")


@pytest.fixture
async def meter_telegram(tmp_path):
    async with telegrams.Telegram(tmp_path / "tic") as telegram:
        yield telegram


def tic_table(*labels: str, baud: int = 1200, ms: int = 300) -> dict:
    return tables.table([tables.tic(baud=baud)], [{"bus": 0, "id": 1, "wfc": 16}], [{"u": 0, **block(*labels, ms=ms)}])


@pytest.mark.hil
async def test_the_whole_node_finds_a_telegram_and_says_nothing_about_the_person(
    node, broker, gateway, meter_telegram, tmp_path
):
    seen = []

    async def spy():
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="spy") as client:
            await client.subscribe("#", qos=1)
            async for message in client.messages:
                seen.append(message.topic.value.encode() + b" " + bytes(message.payload))

    task = asyncio.create_task(spy())
    try:
        meter_telegram.frame = frame(*FULL)
        node.start(tic_table("SINSTS", "EAST:c", "STGE:x"))  # begins at 1200 Bd, the meter sends at 9600
        row = await gateway.record(0, patience_s=20)
        assert row[6] == (0, 1234, *divmod(12345678, 65536), 0x003A, 0x0001)
        await gateway.configure({**tic_table("PRM:s", "SINSTS"), "node": "cellar"})
        refusal = await until(lambda: [h for h in gateway.health if h["cfg"]], "the refusal", 25)
        assert "PRM" in refusal[0]["cfg"]
        await gateway.record(0)  # and the old table is still in use
    finally:
        task.cancel()
        await asyncio.wait([task])
    told = b"\n".join(one for one in seen if b"/cellar/cfg" not in one)
    assert b"/cellar/data" in told
    assert b"/cellar/health" in told
    for secret in (telegrams.NUMBER, telegrams.DELIVERY_POINT, telegrams.MESSAGE, telegrams.MESSAGE[:8]):
        assert secret.encode() not in told
        for start in range(0, len(secret) - 3, 4):  # a piece of four characters in two registers
            if len(set(secret[start : start + 4])) > 2:
                assert secret[start : start + 4].encode() not in b"".join(s for s in seen if b"/cellar/data" in s)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "tic")
    assert telegrams.NUMBER.encode() not in kept
    assert telegrams.DELIVERY_POINT.encode() not in kept
    ok, timeouts, *_ = gateway.health[-1]["units"][0]
    assert ok >= 3
    assert timeouts >= 1  # the eight seconds at the wrong speed


@pytest.mark.hil
async def test_a_telegram_in_the_mode_historique_works_out_of_the_box(node, gateway, meter_telegram):
    meter_telegram.frame, meter_telegram.baud = frame(*HISTORIQUE), 1200
    node.start(tic_table("PAPP", "HCHC:c", "PTEC:s"))
    row = await gateway.record(0)
    assert row[6] == (0, 460, *divmod(77089461, 65536), 0x4850, 0x2E2E)
    meter_telegram.link.unlink()  # the plug is pulled: the tty goes on, but nothing comes
    meter_telegram.frame = None
    await gateway.record(0, records.TIMEOUT, patience_s=12)
    meter_telegram.link.symlink_to("/nowhere")
    await gateway.record(0, records.NO_LINK, patience_s=12)
    assert {row[6] for row in gateway.records(0) if row[5] == records.OK} == {row[6]}


def test_the_flags_and_the_personal_labels_are_those_of_the_wire():
    source = (Path(__file__).parent.parent / "node" / "tic.py").read_text()
    for name in ("OK", "TIMEOUT", "BAD_FRAME", "NO_LINK"):
        assert f"_{name} = const({getattr(records, name)})" in source
    assert f'_PERSONAL = const("{" ".join(wire_table.PERSONAL_LABELS)}")' in source
