"""Every record is counted once, whatever the order, repetition or loss on the way."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.node.ledger import (
    ANEW_S,
    BOOTS_KEPT,
    LATER_S,
    RANGES_KEPT,
    SLACK,
    BootSnapshot,
    Ledger,
    LedgerSnapshot,
)


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


class Node:
    """A node that makes `pace` records a second, at our moments, and keeps what was not heard from `oldest` on."""

    def __init__(self, ledger: Ledger, *, boot: int = 7, pace: float = 5.0) -> None:
        self.ledger, self.boot, self.pace = ledger, boot, pace
        self.oldest, self.made = 1, 0

    def send(self, now_s: float, seqs: range | None = None) -> int:
        """What it has made by now, or only these: how many were new."""
        before, self.made = self.made, round(self.pace * now_s)
        seqs = range(before + 1, self.made + 1) if seqs is None else seqs
        if not self.ledger.begin(self.boot, self.oldest, now_s=now_s, pace=self.pace):
            return 0
        return sum(self.ledger.admit(seq, made_s=seq / self.pace, now_s=now_s) for seq in seqs)


def claim(ledger: Ledger, now_s: float, oldest: int, seqs: list[int], *, boot: int = 7) -> int:
    """A batch by another hand under the same name, all of it made just now: how much of it was taken in."""
    if not ledger.begin(boot, oldest, now_s=now_s, pace=5.0):
        return 0
    return sum(ledger.admit(seq, made_s=now_s, now_s=now_s) for seq in seqs)


def size(ledger: Ledger) -> int:
    """Numbers in what is stored of it."""
    return sum(2 + 2 * len(boot.beyond) for boot in ledger.snapshot().boots)


def test_a_flood_of_scattered_numbers_stays_small_and_the_node_s_own_records_go_on() -> None:
    ledger, random = Ledger(), Random(1)
    node = Node(ledger)
    assert node.send(1.0) == 5
    taken = sum(claim(ledger, 1.0, 1, [random.randrange(1, 2**32) for _ in range(255)]) for _ in range(500))
    assert taken <= RANGES_KEPT
    assert size(ledger) <= 2 + 2 * RANGES_KEPT
    assert Ledger.restored(ledger.snapshot()).snapshot() == ledger.snapshot()
    assert [node.send(1.0 + t) for t in range(1, 600)] == [5] * 599
    assert (ledger.lost, ledger.received) == (0, 3000 + taken)


def test_an_oldest_number_that_no_node_can_have_reached_is_refused_and_loses_nothing() -> None:
    for oldest in (2**32 - 1, 2**31, 5 + SLACK + 2):
        ledger = Ledger()
        node = Node(ledger)
        node.send(1.0)
        assert claim(ledger, 1.0, oldest, [oldest]) == 0
        assert (ledger.lost, ledger.refused, upto(ledger)) == (0, 1, 5)
        assert node.send(2.0) == 5


def test_forged_boots_never_push_out_the_present_one() -> None:
    ledger = Ledger()
    node = Node(ledger)
    node.send(1.0)
    for boot in range(1000, 1100):
        ledger.begin(boot, 5, former=True, now_s=1.0, pace=5.0)
        ledger.admit(5)
    assert (node.send(2.0), ledger.lost, ledger.snapshot().boots[-1].boot) == (5, 0, 7)


def test_a_node_whose_numbers_were_used_up_by_another_hand_is_heard_again_within_a_minute() -> None:
    ledger = Ledger()
    node = Node(ledger)
    node.send(1.0)
    claim(ledger, 1.0, 1 + SLACK, [1 + SLACK])  # just what may be
    assert node.send(2.0) == 0
    heard = [t for t in range(3, 100) if node.send(float(t))]
    assert heard[0] <= 2 + LATER_S + ANEW_S + 2
    assert heard == list(range(heard[0], 100))


def test_a_ledger_that_was_spoiled_before_a_restart_of_ours_is_put_right_too() -> None:
    spoiled = LedgerSnapshot(
        boots=[BootSnapshot(boot=7, upto=2**32 - 2, beyond=[(2**32 - 1, 2**32 - 1)] * 100_000)],
        received=5,
        duplicated=0,
        lost=2**32 - 10,
    )
    node = Node(Ledger.restored(spoiled))
    heard = [t for t in range(1, 100) if node.send(float(t))]
    assert heard[0] <= 1 + LATER_S + ANEW_S + 2
    assert heard == list(range(heard[0], 100))
    assert size(node.ledger) <= 4


def test_a_node_that_was_away_for_a_day_brings_its_newest_first_and_then_its_flash() -> None:
    ledger = Ledger()
    node = Node(ledger)
    node.send(10.0)
    day = 10.0 + 86_400
    assert node.send(day, range(51, 60)) == 9  # the first piece of its flash …
    newest = range(node.made - 20, node.made + 1)
    assert node.send(day, newest) == 21  # … what is new, far ahead …
    assert node.send(day + 1, range(60, newest[0])) == newest[0] - 60  # … and the rest
    assert (upto(ledger), ledger.lost) == (newest[-1], 0)


def test_after_a_restart_of_ours_a_month_of_losses_is_believed_and_27_years_are_not() -> None:
    for seconds, believed in ((30 * 86_400, True), (2**32 // 5, False)):
        first = Ledger()
        Node(first).send(10.0)
        ledger = Ledger.restored(first.snapshot())
        oldest = 5 * seconds
        assert (claim(ledger, 3.0, oldest, [oldest]) == 1) is believed
        assert ledger.lost == (oldest - 51 if believed else 0)


def test_a_claim_that_is_the_only_one_is_taken_as_it_is_and_counts_no_loss() -> None:
    ledger = Ledger()
    Node(ledger).send(10.0)
    taken = [claim(ledger, 10.0 + t, 4_000_000_000, [4_000_000_000 + t]) for t in range(60)]
    assert taken[:30] == [0] * 30
    assert taken[35:] == [1] * 25
    assert ledger.lost == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1)))))
def test_whatever_is_claimed_the_ledger_stays_bounded_and_its_losses_possible(
    claims: list[tuple[int, int, list[int]]],
) -> None:
    ledger = Ledger()
    Node(ledger).send(1.0)
    for boot, oldest, seqs in claims:
        claim(ledger, 2.0, oldest, seqs, boot=5 + boot)
    assert size(ledger) <= (BOOTS_KEPT + 1) * (2 + 2 * RANGES_KEPT)
    assert ledger.lost <= SLACK + 2 * 5.0
    assert Ledger.restored(ledger.snapshot()).snapshot() == ledger.snapshot()
