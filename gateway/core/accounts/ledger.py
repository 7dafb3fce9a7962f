"""The quarter hours of a building, from cycle to cycle: what is open, what waits for its counters, what is over.

A quarter hour is given as soon as all its counters were read behind its end, and after two minutes in any case. Where a
counter comes later, it is given once more, with what the counter says: who keeps accounts replaces the one before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.accounts.closing import Tracks, closed, read_until
from gateway.core.accounts.counter_track import CounterTrack, forget_before, read
from gateway.core.accounts.metering import Metering
from gateway.core.accounts.open_quarter import OpenQuarter, Seen, SunBefore, filled, sun_after
from gateway.core.accounts.quarter_account import QuarterAccount
from gateway.core.model.quarters import LONGEST_S, QUARTER_S

WAITED_S = 120.0  # behind its end, a quarter hour is given with what is known
MOST_OPEN = 7 * 96  # quarter hours that may wait for a counter: what it counted over a week is still shared out


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLedger:
    """What is remembered from one cycle to the next; a new one is empty."""

    last_s: float | None = None  # the last cycle (UTC); None before the first
    open: OpenQuarter | None = None  # the quarter hour that is being filled
    waiting: tuple[OpenQuarter, ...] = ()  # over, but a counter was not read since; the oldest first
    given: frozenset[int] = frozenset()  # those of them that were given already
    tracks: Tracks = field(default_factory=dict)  # the counters
    sun: SunBefore | None = None  # PV before it was held back


def take(ledger: AccountLedger, seen: Seen, metering: Metering) -> tuple[AccountLedger, tuple[QuarterAccount, ...]]:
    """Take a cycle in; the accounts that this finishes, or changes, the oldest first.

    A clock that is set back begins the open quarter hour again.
    """
    since_s = 0.0 if ledger.last_s is None else seen.utc_s - ledger.last_s
    held_s = since_s if 0.0 <= since_s <= LONGEST_S else 0.0
    in_new_s = seen.utc_s % QUARTER_S
    ledger = replace(_filled(ledger, seen, held_s - in_new_s, metering), tracks=_read(ledger.tracks, seen.counters))
    ledger = _filled(_turned(ledger, seen.utc_s), seen, min(held_s, in_new_s), metering)
    ledger = replace(ledger, last_s=seen.utc_s, sun=sun_after(ledger.sun, seen, metering))
    return _given(ledger, seen.utc_s, metering) if ledger.waiting else (ledger, ())


def _filled(ledger: AccountLedger, seen: Seen, held_s: float, metering: Metering) -> AccountLedger:
    """With so long of what a cycle shows in the open quarter hour."""
    if ledger.open is None or held_s <= 0.0:
        return ledger
    return replace(ledger, open=filled(ledger.open, seen, held_s, metering, ledger.sun))


def _read(tracks: Tracks, counters: Mapping[tuple[str, str], tuple[float, float]]) -> Tracks:
    changed: dict[tuple[str, str], CounterTrack] = {}
    for key, (utc_s, wh) in counters.items():
        before = tracks.get(key)
        after = read(before, utc_s, wh)
        if after is not before:
            changed[key] = after
    return {**tracks, **changed} if changed else tracks


def _turned(ledger: AccountLedger, utc_s: float) -> AccountLedger:
    """With the quarter hour of this moment open; those that are over wait, and those that were slept through, too."""
    start_s = int(utc_s // QUARTER_S) * QUARTER_S
    before = ledger.open
    if before is not None and before.start_s == start_s:
        return ledger
    fresh = OpenQuarter(start_s=start_s)
    if before is None or start_s < before.start_s:
        return replace(ledger, open=fresh)
    slept = range(max(before.start_s + QUARTER_S, start_s - MOST_OPEN * QUARTER_S), start_s, QUARTER_S)
    over = (*ledger.waiting, before, *(OpenQuarter(start_s=one) for one in slept))
    return replace(ledger, open=fresh, waiting=over[-MOST_OPEN:])


def _given(ledger: AccountLedger, utc_s: float, metering: Metering) -> tuple[AccountLedger, tuple[QuarterAccount, ...]]:
    """Those that are settled leave; those that have waited long enough are given, and wait on."""
    accounts: list[QuarterAccount] = []
    stay: list[OpenQuarter] = []
    given = set(ledger.given)
    known_s = read_until(ledger.tracks, metering)
    for quarter in ledger.waiting:
        settled = known_s >= quarter.start_s + QUARTER_S
        late = utc_s >= quarter.start_s + QUARTER_S + WAITED_S
        if settled or (late and quarter.start_s not in given):
            accounts.append(closed(quarter, ledger.tracks, metering))
        if not settled:
            stay.append(quarter)
            given |= {quarter.start_s} if late else set()
    if not accounts and len(stay) == len(ledger.waiting):
        return ledger, ()
    oldest_s = stay[0].start_s if stay else int(utc_s // QUARTER_S) * QUARTER_S
    return (
        replace(
            ledger,
            waiting=tuple(stay),
            given=frozenset(given & {quarter.start_s for quarter in stay}),
            tracks={key: forget_before(track, oldest_s) for key, track in ledger.tracks.items()},
        ),
        tuple(accounts),
    )
