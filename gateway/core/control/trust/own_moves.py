"""What the grid meter says to moves that devices make anyway: from an order until they stand still again.

The devices are the batteries, or the inverters that take a limit.

The meter's sample on which the order was decided is the one before, so a load that they follow is in both.
"""

from dataclasses import dataclass, replace

from gateway.core.control.trust.own_steps import CALM, RIGHT, Powers

MOVE_W = 300.0  # a smaller one is lost among the loads
STILL_W = 60.0  # they stand still when they move by less from one report to the next
GONE_S = 90.0  # a move that has not ended after so long says nothing
SEEN = (0.5, 1.8)  # of a move: beyond, loads moved too, or the meter does not tell the truth
UNSEEN = 0.3  # of a move: the meter hardly went along, or the other way
LARGE_W = 1500.0  # so large a move that was not seen is rarely an accident: it counts twice …
MIRRORED = -0.3  # … and where the meter went the other way, nothing else is waited for, …
MIRROR_W = 600.0  # … nor with a smaller one of which it shows just the opposite
DOUBT_S = 60.0  # nor is it longer than this, where none was seen rightly since: all may stand still at a limit
CREDIT = 3  # at most so many right answers speak for a meter when it contradicts us
DEBT = -2  # so many contradictions more than right answers are a doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMoves:
    """The move under way, and what became of the ones before it."""

    last: Powers | None = None  # of the cycle before
    begin: Powers | None = None  # when the move under way was ordered; None while there is none
    still_s: float = 0.0  # monotonic moment since which the devices have stood still
    credit: int = 0  # moves that the meter showed less those that it did not, up to CREDIT
    seen: int = 0  # moves in a row that it showed in time
    doubt_s: float | None = None  # monotonic moment of a large move that it did not show; None: it has shown one since
    is_mirrored: bool = False  # whether it showed just the opposite of one, and nothing rightly since
    contradicts: bool = False  # whether the last moves cannot be if the meter is right
    reverses: bool = False  # whether of the very last one just the opposite was shown


def watched(
    before: OwnMoves, now: Powers, *, ordered_w: float | None, wait_s: float, is_new: bool, is_off: bool
) -> OwnMoves:
    """After one more sample; `ordered_w`: what they were last sent together (W, drawn positive), None when nothing.

    `wait_s`: how long after the end of a move a meter that is as late as configured must show it. `is_new`: whether the
    meter has answered nothing yet: then one contradiction is enough for a doubt. `is_off`: whether the grid is shown
    far from where it is to be; one that is reversed drives it away, while a load that happened to move is made up for.
    """
    last = before.last
    if before.contradicts:
        before = replace(before, credit=0, doubt_s=None)
    if last is None or ordered_w is None:
        kept = replace(OwnMoves(), credit=before.credit, seen=before.seen, is_mirrored=before.is_mirrored)
        return replace(kept, last=now, still_s=now.at_s)
    if before.doubt_s is not None and now.at_s - before.doubt_s >= DOUBT_S and is_off:
        return replace(before, last=now, begin=None, contradicts=True)
    is_still = abs(now.ours_w - last.ours_w) < STILL_W
    still_s = before.still_s if is_still else now.at_s
    found = replace(before, last=now, still_s=still_s, contradicts=False, reverses=False)
    if before.begin is None:
        return replace(found, begin=last) if abs(ordered_w - last.ours_w) >= MOVE_W else found
    if now.at_s - before.begin.at_s > GONE_S:
        return replace(found, begin=None)
    if now.at_s - max(found.still_s, before.begin.at_s) < wait_s:
        return found
    return _ended(replace(found, begin=None), before.begin, now, debt=-1 if is_new else DEBT, is_off=is_off)


def _ended(moves: OwnMoves, begin: Powers, end: Powers, *, debt: int, is_off: bool) -> OwnMoves:
    moved_w = end.ours_w - begin.ours_w
    if abs(moved_w) < MOVE_W or begin.loose_w + end.loose_w > CALM * abs(moved_w):
        return moves
    gain = (end.rest_w - begin.rest_w) / moved_w
    is_right = RIGHT[0] <= gain <= RIGHT[1]
    is_large = gain < UNSEEN and abs(moved_w) >= LARGE_W
    cost = 0 if SEEN[0] <= gain <= SEEN[1] else 2 if is_large else 1
    credit = min(moves.credit + is_right - cost, CREDIT)
    seen = moves.seen + 1 if is_right else 0 if cost else moves.seen
    is_opposite = is_off and -RIGHT[1] <= gain <= -RIGHT[0] and abs(moved_w) >= MIRROR_W
    reverses = is_opposite or (is_off and is_large and gain <= MIRRORED)
    return replace(
        moves,
        credit=max(credit, DEBT),
        seen=seen,
        doubt_s=end.at_s if is_large else None if is_right else moves.doubt_s,
        is_mirrored=is_opposite or (moves.is_mirrored and not is_right),
        contradicts=credit <= debt or reverses,
        reverses=is_opposite,
    )
