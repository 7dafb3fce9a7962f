"""Records become readings with their moment, rows with their time, and orders become counts."""

import json
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.clock import NodeClock, Stamp
from gateway.adapters.node.batches import FLAG_NAMES, HEADER_REPLY
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.orders import OrderAnswer, OrderLog
from gateway.adapters.node.payloads import json_object
from gateway.adapters.node.poll_tables import restored_blocks, stored_blocks
from gateway.adapters.node.session import FormerTable, NodeSession
from gateway.adapters.store.outbox import Outbox
from gateway.database.tags import RowOrigin
from gateway.paths import config_folder
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.wire import records

POWER, PROOF = 0, 1  # block numbers of the meter in the demo's table
NODE_S = 800_000_000  # an instant of the node's clock, seconds since 2000
HZ_50 = (0x4248, 0x0000)  # 50.0 as float32, IEEE 754
TAGS = {"site": "lens", "building": "lens", "device": "grid", "role": "grid"}


@pytest.fixture
def session() -> NodeSession:
    return demo_session()


def demo_session() -> NodeSession:
    """The demo's node, with nothing heard of it yet."""
    file = site_file.read(config_folder() / "demo" / "site.toml")
    roles = {name: device.role for name, device in file.devices.items()}
    return NodeSession(
        origin=RowOrigin(site="lens", building="lens", roles=roles), table=poll_tables(file)["cellar"], ledger=Ledger()
    )


def batch(session: NodeSession, *rows: tuple[int, int, int, tuple[int, ...]], oldest: int = 1, boot: int = 9) -> bytes:
    """(seq, block, flag, registers) at one second per sequence number, as the wire's document says."""
    sent_s = NODE_S + max(seq for seq, *_ in rows)
    parts = [struct.pack(">BBIIIIH", 2, len(rows), session.table.identity, boot, oldest, sent_s, 250)]
    for seq, block, flag, words in rows:
        parts.append(struct.pack(">IIHBBBB", seq, NODE_S + seq, 250, 2, block, flag, len(words)))
        parts.append(struct.pack(f">{len(words)}H", *words))
    return b"".join(parts)


def watts(value: float) -> tuple[int, ...]:
    return struct.unpack(">HH", struct.pack(">f", value))


def proof(hz: tuple[int, ...] = HZ_50) -> tuple[int, ...]:
    return (*hz, *watts(1.5), *watts(2.5))


def test_a_power_is_read_and_stored_at_the_node_s_own_time(session: NodeSession) -> None:
    rows = session.receive_batch(
        batch(session, (1, PROOF, 0, proof()), (2, POWER, 0, watts(1234.5))), 100.0, 946_684_800.0 + NODE_S + 2.5
    )
    assert session.readings["grid"]["p_w"].value == 1234.5
    stored = next(row for row in rows if "p_w" in row.fields)
    assert (stored.measurement, stored.tags) == ("grid", TAGS)
    assert stored.time_ms == (946_684_800 + NODE_S + 2) * 1000 + 250


def test_nothing_is_believed_before_the_proof(session: NodeSession) -> None:
    session.receive_batch(batch(session, (1, POWER, 0, watts(1234.5))), 100.0, 5e8)
    assert session.readings["grid"]["p_w"].why == "proof"


def test_a_profile_with_swapped_words_gives_no_number_at_all(session: NodeSession) -> None:
    swapped = batch(session, (1, PROOF, 0, proof(HZ_50[::-1])), (2, POWER, 0, watts(1234.5)[::-1]))
    rows = session.receive_batch(swapped, 100.0, 5e8)
    assert all(reading.value is None for reading in session.readings["grid"].values())
    assert {row.measurement for row in rows} == {"health"}


@pytest.mark.parametrize("flag", range(1, len(FLAG_NAMES)))
def test_a_failed_read_is_absent_with_its_reason_and_is_stored_as_such(session: NodeSession, flag: int) -> None:
    [row] = session.receive_batch(
        batch(session, (1, POWER, flag, (2,) if flag == records.EXCEPTION else ())), 100.0, 5e8
    )
    why = FLAG_NAMES[flag]
    assert session.readings["grid"]["p_w"].why == why
    assert (row.measurement, row.fields) == ("health", {"p_w_why": why})


def test_an_answer_under_another_header_is_absent_with_a_reason_of_its_own(session: NodeSession) -> None:
    session.receive_batch(batch(session, (1, POWER, records.WRONG_REPLY, (HEADER_REPLY,))), 100.0, 5e8)
    assert session.readings["grid"]["p_w"].why == "wrong_header"


def test_too_few_registers_are_no_reading(session: NodeSession) -> None:
    session.receive_batch(batch(session, (1, PROOF, 0, proof()), (2, POWER, 0, watts(5.0)[:1])), 100.0, 5e8)
    assert session.readings["grid"]["p_w"].why == "wrong_reply"


def test_a_counter_that_jumps_or_goes_back_is_no_reading(session: NodeSession) -> None:
    def counter(seq: int, kwh: float) -> float | None:
        session.receive_batch(batch(session, (seq, PROOF, 0, (*HZ_50, *watts(kwh), *watts(0.0)))), 100.0 + seq, 5e8)
        return session.readings["grid"]["e_import_wh"].value

    assert counter(1, 100.0) == 100_000
    assert counter(2, 100.1) == pytest.approx(100_100, abs=1)
    assert counter(3, 90.0) is None
    assert counter(4, 90.0) is None  # a changed meter would count on from here: test_counters.py
    assert counter(5, 9_000.0) is None
    assert counter(6, 100.2) == pytest.approx(100_200, abs=1)


def test_a_counter_that_comes_late_from_flash_is_a_reading_and_disturbs_no_younger_one(session: NodeSession) -> None:
    def stored(seq: int, kwh: float) -> float | None:
        payload = batch(session, (seq, PROOF, 0, (*HZ_50, *watts(kwh), *watts(0.0))))
        [row, *_] = session.receive_batch(payload, 2000.0, 946_684_800.0 + NODE_S + 1000)
        return row.fields.get("e_import_wh")

    assert stored(1000, 100.0) == 100_000
    assert stored(10, 90.0) == 90_000  # 990 s ago and 10 kWh less: 36 kW
    assert stored(11, 110.0) is None  # more than it has now
    assert stored(1001, 100.01) == pytest.approx(100_010, abs=1)


def test_old_records_after_an_outage_are_stored_but_do_not_replace_the_present(session: NodeSession) -> None:
    session.receive_batch(batch(session, (1, PROOF, 0, proof()), (9, POWER, 0, watts(9.0))), 100.0, 5e8)
    rows = session.receive_batch(batch(session, (5, POWER, 0, watts(5.0))), 100.5, 5e8)
    assert session.readings["grid"]["p_w"].value == 9.0
    assert [row.fields for row in rows] == [{"p_w": 5.0}]


def test_records_of_another_table_are_counted_but_not_read(session: NodeSession) -> None:
    payload = bytearray(batch(session, (1, POWER, 0, watts(5.0))))
    payload[2:6] = b"\0\0\0\1"
    assert session.receive_batch(bytes(payload), 100.0, 5e8) == []
    assert (session.ledger.received, session.unreadable) == (1, 1)
    assert session.readings == {}


@pytest.mark.parametrize(
    "payload",
    [b"[" * 200_000, b'{"seq":1,"s":1e999,"ms":0}', b'{"seq":1,"s":' + b"9" * 400 + b',"ms":0}', b'{"seq":true,"s":1}'],
    ids=["deep", "infinite", "long", "bool"],
)
def test_a_malformed_answer_is_counted_and_nothing_else(session: NodeSession, payload: bytes) -> None:
    assert session.receive_answer(payload, 1.0) is None
    assert session.malformed == 1


def test_health_with_a_nan_is_not_taken(session: NodeSession) -> None:
    session.receive_health(b'{"uptime_s": NaN}', 1.0)
    assert session.health == {}


@given(st.binary(max_size=200))
def test_random_bytes_never_become_a_reading(noise: bytes) -> None:
    file = site_file.read(config_folder() / "demo" / "site.toml")
    session = NodeSession(
        origin=RowOrigin(site="s", building="s", roles={}), table=poll_tables(file)["cellar"], ledger=Ledger()
    )
    for take in (session.receive_state, session.receive_health, session.receive_answer):
        take(noise, 1.0)
    session.receive_batch(noise, 1.0, 1.0)
    assert session.readings == {}


def test_quality_follows_the_period_of_the_point(session: NodeSession) -> None:
    session.receive_batch(batch(session, (1, PROOF, 0, proof()), (2, POWER, 0, watts(5.0))), 100.0, 5e8)
    assert [session.quality("grid", now) for now in (100.5, 103.0, 104.0)] == ["good", "good", "stale"]


def made(seq: int, node_s: float, *, boot: int = 1, utc_s: float | None = None) -> Stamp:
    return Stamp(base=(boot, utc_s is not None), seq=seq, node_s=node_s, utc_s=utc_s)


def test_a_node_without_a_clock_is_as_good_as_one_with() -> None:
    # Messages take 20 to 500 ms; uptime starts at 0 when our clock says 1000.
    clock = NodeClock()
    travel = [0.3, 0.02, 0.5, 0.1, 0.25]
    moments = [clock.moment_s(made(t, t), 1000 + t + delay, 5e8) for t, delay in enumerate(travel)]
    assert moments[2:] == pytest.approx([1002.02, 1003.02, 1004.02])


def test_a_clock_that_is_set_forward_or_back_is_followed_at_once() -> None:
    clock = NodeClock()
    assert clock.moment_s(made(1, 10.0), 100.0, 5e8) == 100.0
    assert clock.moment_s(made(2, 1e9), 101.0, 5e8) == 101.0
    assert clock.moment_s(made(3, 5.0), 102.0, 5e8) == 102.0
    assert clock.moment_s(made(4, 6.0), 103.2, 5e8) == pytest.approx(103.0)


def test_a_backlog_after_a_restart_is_as_old_as_its_records_say() -> None:
    clock = NodeClock()
    utc_now = 1_000_000.0
    ages = []
    for i, age_s in enumerate([3600.0, 1800.0, 60.0, 0.2, 0.2]):
        arrived_s = 50.0 + 0.01 * i
        stamp = made(i, 7_000.0 - age_s, utc_s=utc_now - age_s)
        ages.append(arrived_s - clock.moment_s(stamp, arrived_s, utc_now))
    assert ages == pytest.approx([3600, 1800, 60, 0, 0], abs=0.1)


def test_a_node_whose_clock_is_an_hour_slow_is_believed_after_ten_seconds() -> None:
    clock = NodeClock()
    for t in range(15):
        moment_s = clock.moment_s(made(t, t, utc_s=1e9 + t - 3600), 100.0 + t, 1e9 + t)
    assert moment_s == pytest.approx(114.0)


def test_a_reboot_without_a_clock_stores_nothing_in_the_year_2000(session: NodeSession) -> None:
    utc_now = 946_684_800.0 + NODE_S
    session.receive_batch(batch(session, (1, PROOF, 0, proof())), 100.0, utc_now)
    rebooted = bytearray(batch(session, (1, POWER, 0, watts(7.0)), boot=10))
    rebooted[records.HEADER_SIZE + 4 : records.HEADER_SIZE + 8] = (3).to_bytes(4, "big")  # uptime 3 s
    rebooted[records.HEADER_SIZE + 10] = records.CLOCK_UNKNOWN
    rebooted[14:18] = (3).to_bytes(4, "big")
    [row] = session.receive_batch(bytes(rebooted), 130.0, utc_now + 30)
    assert row.time_ms == pytest.approx(1000 * (utc_now + 30), abs=1)
    assert session.readings["grid"]["p_w"].value == 7.0


def test_orders_are_counted_and_latency_is_from_sample_to_write() -> None:
    book = OrderLog(session=77)
    order = json.loads(book.order("cellar", 9, 0, [-1200], ttl_ms=10_000, at=5, now_s=50.0, sample_s=50.0))
    assert order == {"boot": 9, "sid": 77, "seq": 1, "act": 0, "v": [-1200], "ttl": 10_000, "at": 5}
    book.settle(OrderAnswer(seq=1, done="applied", why="", written=True, at_s=50.08))
    book.settle(OrderAnswer(seq=1, done="applied", why="", written=True, at_s=50.09))  # the node said it again
    book.order("cellar", 9, 0, [-1200], ttl_ms=10_000, at=6, now_s=51.0, sample_s=51.0)
    book.settle(OrderAnswer(seq=2, done="applied", why="", written=False, at_s=51.5))  # a renewal writes nothing
    book.order("cellar", 9, 0, [9_999], ttl_ms=10_000, at=7, now_s=52.0, sample_s=52.0)
    book.settle(OrderAnswer(seq=3, done="refused", why="range", written=False, at_s=52.1))
    assert (book.sent, book.applied, book.refused) == (3, 2, 1)
    assert list(book.latency_ms) == [pytest.approx(80.0)]


def uptime_batch(session: NodeSession, seqs: range, *, sent_s: float, boot: int = 9, oldest: int = 1) -> bytes:
    """Powers of a node that knows only its uptime: record `seq` was made at uptime `seq`."""
    s, ms = divmod(round(1000 * sent_s), 1000)
    parts = [struct.pack(">BBIIIIH", 2, len(seqs), session.table.identity, boot, oldest, s, ms)]
    for seq in seqs:
        parts.append(struct.pack(">IIHBBBB", seq, seq, 0, records.CLOCK_UNKNOWN, POWER, 0, 2))
        parts.append(struct.pack(">HH", *watts(100.0 + seq)))
    return b"".join(parts)


def test_a_backlog_without_a_clock_is_as_old_as_its_batches_say(session: NodeSession) -> None:
    session.trusted.add("grid")
    rows = []
    for i, seqs in enumerate((range(1, 11), range(11, 21), range(21, 26))):
        # the node sends one batch every 20 ms, 25 s after its start; each takes 10 ms
        rows += session.receive_batch(
            uptime_batch(session, seqs, sent_s=25 + 0.02 * i), 1000.01 + 0.02 * i, 5e8 + 0.01 + 0.02 * i
        )
    # it started 25 s before 5e8: record n was made at 5e8 − 25 + n, known but for the 10 ms of travel
    assert [row.time_ms for row in rows] == pytest.approx([1000 * (5e8 - 25 + seq) + 10 for seq in range(1, 26)], abs=1)
    assert session.readings["grid"]["p_w"].measured_s == pytest.approx(1000.01)


def test_what_may_have_waited_at_the_broker_without_a_time_is_left_for_the_node_to_resend(
    session: NodeSession,
) -> None:
    session.trusted.add("grid")
    assert session.receive_batch(uptime_batch(session, range(1, 6), sent_s=6), 1000.0, 5e8, live=False) == []
    page = session.ledger.snapshot()
    assert page is not None
    assert (page.boots[-1].upto, session.ledger.received) == (0, 0)  # nothing is heard
    assert len(session.receive_batch(uptime_batch(session, range(1, 6), sent_s=16), 1000.0, 5e8)) == 5


def test_records_of_a_former_boot_keep_their_times_and_disturb_nobody(session: NodeSession) -> None:
    utc_now = 946_684_800.0 + NODE_S + 3600
    session.receive_state(json.dumps({"up": True, "boot": 10, "table": session.table.identity}).encode(), 99.0)
    session.receive_batch(batch(session, (1, PROOF, 0, proof()), boot=10), 100.0, utc_now)
    session.receive_batch(batch(session, (3600, POWER, 0, watts(1.0)), boot=10, oldest=3600), 100.2, utc_now + 0.2)
    known = session.readings["grid"]["p_w"]
    rows = session.receive_batch(batch(session, (7, POWER, 0, watts(7.0)), boot=9, oldest=7), 100.3, utc_now + 0.3)
    assert [row.time_ms for row in rows] == [(946_684_800 + NODE_S + 7) * 1000 + 250]
    assert session.readings["grid"]["p_w"] is known
    page = session.ledger.snapshot()
    assert page is not None
    assert [boot.boot for boot in page.boots] == [9, 10]  # the present one stays the newest
    assert session.ledger.take_unanswered() == {9, 10}
    assert session.ledger.take_unanswered() == {10}


def test_records_of_a_former_boot_without_a_time_are_counted_and_heard(session: NodeSession) -> None:
    session.receive_state(json.dumps({"up": True, "boot": 10, "table": 0}).encode(), 99.0)
    assert session.receive_batch(uptime_batch(session, range(1, 6), sent_s=6), 1000.0, 5e8) == []
    page = session.ledger.snapshot()
    assert page is not None
    assert (session.undatable, page.boots[0].upto) == (5, 5)


def test_a_batch_with_an_impossible_moment_is_malformed(session: NodeSession) -> None:
    payload = bytearray(batch(session, (1, PROOF, 0, proof())))
    payload[18:20] = b"\x03\xe8"  # 1000 ms
    assert session.receive_batch(bytes(payload), 1.0, 1.0) == []
    assert session.malformed == 1


def test_records_of_a_former_table_are_still_understood_but_are_history(session: NodeSession, tmp_path: Path) -> None:
    old = session.table
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        assert outbox.save_table("cellar", old.identity, stored_blocks(old)) == {}
        assert outbox.save_table("cellar", old.identity, stored_blocks(old)) == {}
        found = outbox.save_table("cellar", 77, "{}")
    session.former = {old.identity: FormerTable(blocks=restored_blocks(found[old.identity]), trusted={"grid"})}
    payload = batch(session, (1, POWER, 0, watts(1234.5)), (2, POWER, 1, ()), (3, 200, 0, ()))
    session.table = replace(old, identity=77)
    first, second = session.receive_batch(payload, 100.0, 5e8)
    assert (first.measurement, first.fields) == ("grid", {"p_w": 1234.5})
    assert second.fields == {"p_w_why": "timeout"}
    assert session.readings == {}
    assert session.unreadable == 1
    session.former = {old.identity: FormerTable(blocks=session.former[old.identity].blocks, trusted=set())}
    again = bytearray(batch(session, (4, POWER, 0, watts(1.0))))
    again[2:6] = old.identity.to_bytes(4)
    [row] = session.receive_batch(bytes(again), 100.0, 5e8)
    assert row.fields == {"p_w_why": "proof"}


def test_a_store_remembers_the_last_few_tables_of_each_node(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        for identity in range(30):
            outbox.save_table("attic", 1000 + identity, "{}")
            kept = outbox.save_table("cellar", identity, "{}")
    assert sorted(kept) == list(range(21, 29))


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (rb'{"why": "\ud83d\ude00"}', {"why": "\U0001f600"}),
        (rb'{"why": "\\ud800"}', {"why": r"\ud800"}),
        (rb'{"why": "\ud800"}', {}),
        (rb'{"\udfff": 1}', {}),
        (b'{"why": "\xed\xa0\x80"}', {}),
        ('{"why": ""}'.encode("utf-16"), {}),
        (b'{"why": "\xff"}', {}),
    ],
    ids=["a pair", "a backslash", "half a pair", "as a key", "half a pair in UTF-8", "UTF-16", "no UTF-8"],
)
def test_only_text_that_can_be_stored_comes_out_of_a_message(payload: bytes, found: dict[str, object]) -> None:
    assert json_object(payload) == found
