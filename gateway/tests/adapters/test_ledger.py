"""Every record is counted once, whatever the order, repetition or loss on the way."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.node.ledger import Ledger


def deliver(ledger: Ledger, oldest: int, seqs: list[int]) -> list[int]:
    ledger.begin(1, oldest)
    return [seq for seq in seqs if ledger.admit(seq)]


def upto(ledger: Ledger) -> int:
    return ledger.snapshot().boots[-1].upto


def test_a_resent_batch_is_dropped_and_counted() -> None:
    ledger = Ledger()
    assert deliver(ledger, 1, [1, 2, 3]) == [1, 2, 3]
    assert deliver(ledger, 1, [2, 3, 4]) == [4]
    assert ledger.counts() == {"sent": 4, "received": 4, "duplicated": 2, "lost": 0}


def test_what_the_node_had_to_overwrite_is_lost_and_counted() -> None:
    ledger = Ledger()
    deliver(ledger, 1, [1, 2])
    deliver(ledger, 11, [11, 12])  # 3 to 10 are gone for ever
    assert ledger.counts() == {"sent": 12, "received": 4, "duplicated": 0, "lost": 8}
    assert upto(ledger) == 12


def test_a_gap_that_may_still_come_is_not_claimed() -> None:
    ledger = Ledger()
    deliver(ledger, 1, [1, 2, 5, 6])
    assert upto(ledger) == 2
    deliver(ledger, 1, [3, 4])
    assert (upto(ledger), ledger.lost) == (6, 0)


def test_a_new_boot_starts_a_new_count() -> None:
    ledger = Ledger()
    ledger.begin(1, 1)
    assert ledger.admit(1)
    ledger.begin(2, 1)
    assert ledger.admit(1)
    assert ledger.received == 2


def test_a_late_copy_of_a_former_boot_changes_nothing() -> None:
    ledger = Ledger()
    ledger.begin(1, 500_000)
    assert ledger.admit(500_000)
    ledger.begin(2, 1)
    assert [ledger.admit(seq) for seq in (1, 2)] == [True, True]
    lost = ledger.lost
    ledger.begin(1, 500_000)
    assert not ledger.admit(500_000)
    assert (ledger.lost, ledger.snapshot().boots[-1].boot, upto(ledger)) == (lost, 2, 2)


@given(st.data())
def test_sent_is_received_plus_lost_whatever_the_transport_does(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 60))
    ledger, taken = Ledger(), []
    for _ in range(data.draw(st.integers(0, 30))):
        start = data.draw(st.integers(1, total))
        taken += deliver(ledger, 1, list(range(start, data.draw(st.integers(start, total)) + 1)))
    oldest = data.draw(st.integers(1, total + 1))  # the rest was overwritten up to here
    taken += deliver(ledger, oldest, list(range(oldest, total + 1)))
    assert len(taken) == len(set(taken)) == ledger.received
    assert ledger.received + ledger.lost == total
    assert upto(ledger) == total


def test_records_from_flash_fill_the_gap_below_the_present_ones_and_all_survives_a_restart() -> None:
    ledger = Ledger()
    deliver(ledger, 1, [1, 2, 3])
    deliver(ledger, 4, [90, 91, 92])  # the node still holds 4 on its flash
    page = ledger.snapshot()
    assert [(boot.upto, list(boot.beyond)) for boot in page.boots] == [(3, [(90, 92)])]
    again = Ledger.restored(page)
    assert deliver(again, 4, [90, 91, 92, 93]) == [93]
    assert deliver(again, 4, list(range(4, 90))) == list(range(4, 90))
    assert (upto(again), again.lost) == (93, 0)


def test_a_former_boot_never_becomes_the_newest_and_its_gaps_are_its_own() -> None:
    ledger = Ledger()
    ledger.begin(2, 1)
    ledger.admit(1)
    ledger.begin(1, 5, former=True)
    ledger.admit(5)
    assert [(boot.boot, boot.upto) for boot in ledger.snapshot().boots] == [(1, 5), (2, 1)]
    assert ledger.counts()["sent"] == 1


def test_many_boots_are_kept_but_not_all() -> None:
    ledger = Ledger()
    for boot in range(1, 100):
        ledger.begin(boot, 1)
        ledger.admit(1)
    boots = [boot.boot for boot in ledger.snapshot().boots]
    assert boots[-1] == 99
    assert 10 < len(boots) < 20
