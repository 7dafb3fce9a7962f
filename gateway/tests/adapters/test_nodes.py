"""Records become readings with their moment, rows with their time, and orders become counts."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import settings, wiring
from gateway.adapters.batches import FLAG_NAMES
from gateway.adapters.clock import NodeClock
from gateway.adapters.ledger import Ledger
from gateway.adapters.nodes import Answer, NodeDesk, OrderBook
from gateway.places import config_folder
from gateway.wire import records

POWER, PROOF = 0, 1  # block numbers of the meter in the demo's table
NODE_S = 800_000_000  # an instant of the node's clock, seconds since 2000
HZ_50 = (0x4248, 0x0000)  # 50.0 as float32, IEEE 754


@pytest.fixture
def desk() -> NodeDesk:
    file = settings.read(config_folder() / "demo" / "site.toml")
    roles = {name: device.role for name, device in file.devices.items()}
    return NodeDesk(site_id="lens", table=wiring.tables(file)["cellar"], roles=roles, ledger=Ledger())


def batch(desk: NodeDesk, *rows: tuple[int, int, int, tuple[int, ...]], oldest: int = 1, boot: int = 9) -> bytes:
    """(seq, block, flag, registers) at one second per sequence number, as the wire's document says."""
    parts = [struct.pack(">BBIII", 1, len(rows), desk.table.identity, boot, oldest)]
    for seq, block, flag, words in rows:
        parts.append(struct.pack(">IIHBBBB", seq, NODE_S + seq, 250, 2, block, flag, len(words)))
        parts.append(struct.pack(f">{len(words)}H", *words))
    return b"".join(parts)


def watts(value: float) -> tuple[int, ...]:
    return struct.unpack(">HH", struct.pack(">f", value))


def proof(hz: tuple[int, ...] = HZ_50) -> tuple[int, ...]:
    return (*hz, *watts(1.5), *watts(2.5))


def test_a_power_is_read_and_stored_at_the_node_s_own_time(desk: NodeDesk) -> None:
    rows = desk.on_data(batch(desk, (1, PROOF, 0, proof()), (2, POWER, 0, watts(1234.5))), 100.0, 5e8)
    assert desk.readings["grid"]["p_w"].value == 1234.5
    stored = next(row for row in rows if "p_w" in row.fields)
    assert (stored.measurement, stored.tags) == ("meter", {"site": "lens", "device": "grid"})
    assert stored.time_ms == (946_684_800 + NODE_S + 2) * 1000 + 250


def test_nothing_is_believed_before_the_proof(desk: NodeDesk) -> None:
    desk.on_data(batch(desk, (1, POWER, 0, watts(1234.5))), 100.0, 5e8)
    assert desk.readings["grid"]["p_w"].why == "proof"


def test_a_profile_with_swapped_words_gives_no_number_at_all(desk: NodeDesk) -> None:
    swapped = batch(desk, (1, PROOF, 0, proof(HZ_50[::-1])), (2, POWER, 0, watts(1234.5)[::-1]))
    rows = desk.on_data(swapped, 100.0, 5e8)
    assert all(reading.value is None for reading in desk.readings["grid"].values())
    assert {row.measurement for row in rows} == {"health"}


@pytest.mark.parametrize("flag", range(1, len(FLAG_NAMES)))
def test_a_failed_read_is_absent_with_its_reason_and_is_stored_as_such(desk: NodeDesk, flag: int) -> None:
    [row] = desk.on_data(batch(desk, (1, POWER, flag, (2,) if flag == records.EXCEPTION else ())), 100.0, 5e8)
    why = FLAG_NAMES[flag]
    assert desk.readings["grid"]["p_w"].why == why
    assert (row.measurement, row.fields) == ("health", {"p_w_why": why})


def test_too_few_registers_are_no_reading(desk: NodeDesk) -> None:
    desk.on_data(batch(desk, (1, PROOF, 0, proof()), (2, POWER, 0, watts(5.0)[:1])), 100.0, 5e8)
    assert desk.readings["grid"]["p_w"].why == "wrong_reply"


def test_a_counter_that_jumps_or_goes_back_is_no_reading(desk: NodeDesk) -> None:
    def counter(seq: int, kwh: float) -> float | None:
        desk.on_data(batch(desk, (seq, PROOF, 0, (*HZ_50, *watts(kwh), *watts(0.0)))), 100.0 + seq, 5e8)
        return desk.readings["grid"]["e_import_wh"].value

    assert counter(1, 100.0) == 100_000
    assert counter(2, 100.1) == pytest.approx(100_100, abs=1)
    assert counter(3, 90.0) is None
    assert counter(4, 90.0) == 90_000  # a changed meter: its own count from now on
    assert counter(5, 9_000.0) is None


def test_old_records_after_an_outage_are_stored_but_do_not_replace_the_present(desk: NodeDesk) -> None:
    desk.on_data(batch(desk, (1, PROOF, 0, proof()), (9, POWER, 0, watts(9.0))), 100.0, 5e8)
    rows = desk.on_data(batch(desk, (5, POWER, 0, watts(5.0))), 100.5, 5e8)
    assert desk.readings["grid"]["p_w"].value == 9.0
    assert [row.fields for row in rows] == [{"p_w": 5.0}]


def test_records_of_another_table_are_counted_but_not_read(desk: NodeDesk) -> None:
    payload = bytearray(batch(desk, (1, POWER, 0, watts(5.0))))
    payload[2:6] = b"\0\0\0\1"
    assert desk.on_data(bytes(payload), 100.0, 5e8) == []
    assert desk.ledger.received == 1
    assert desk.readings == {}


@given(st.binary(max_size=200))
def test_random_bytes_never_become_a_reading(noise: bytes) -> None:
    file = settings.read(config_folder() / "demo" / "site.toml")
    desk = NodeDesk(site_id="s", table=wiring.tables(file)["cellar"], roles={}, ledger=Ledger())
    for take in (desk.on_state, desk.on_health, desk.on_answer):
        take(noise, 1.0)
    desk.on_data(noise, 1.0, 1.0)
    assert desk.readings == {}


def test_quality_follows_the_period_of_the_point(desk: NodeDesk) -> None:
    desk.on_data(batch(desk, (1, PROOF, 0, proof()), (2, POWER, 0, watts(5.0))), 100.0, 5e8)
    assert [desk.quality("grid", now) for now in (100.5, 103.0, 104.0)] == ["good", "good", "stale"]


def test_a_node_without_a_clock_is_as_good_as_one_with() -> None:
    # Messages take 20 to 500 ms; uptime starts at 0 when our clock says 1000.
    clock = NodeClock()
    travel = [0.3, 0.02, 0.5, 0.1, 0.25]
    moments = [clock.moment_s(t, 1000 + t + delay) for t, delay in enumerate(travel)]
    assert moments[2:] == pytest.approx([1002.02, 1003.02, 1004.02])


def test_a_clock_that_is_set_forward_or_back_is_followed() -> None:
    clock = NodeClock()
    assert clock.moment_s(10.0, 100.0) == pytest.approx(100.0)
    assert clock.moment_s(1e9, 101.0) == pytest.approx(101.0)
    for t in range(70):
        late = clock.moment_s(5.0 + t, 102.0 + t)
    assert late == pytest.approx(171.0)


def test_orders_are_counted_and_latency_is_from_sample_to_write() -> None:
    book = OrderBook(session=77)
    order = json.loads(book.order(0, [-1200], 10_000, 946_684_800 + 5, 50.0))
    assert order == {"sid": 77, "seq": 1, "act": 0, "v": [-1200], "ttl": 10_000, "at": 5}
    book.settle(Answer(seq=1, done="applied", why="", written=True, at_s=50.08))
    book.order(0, [-1200], 10_000, 946_684_801, 51.0)
    book.settle(Answer(seq=2, done="applied", why="", written=False, at_s=51.5))  # a renewal writes nothing
    book.order(0, [9_999], 10_000, 946_684_802, 52.0)
    book.settle(Answer(seq=3, done="refused", why="range", written=False, at_s=52.1))
    assert (book.sent, book.applied, book.refused) == (3, 2, 1)
    assert list(book.latency_ms) == [pytest.approx(80.0)]
