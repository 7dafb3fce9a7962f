"""One counter over time: what it showed at each start of a quarter hour, and where it began anew.

Its value at such a moment lies between the reading before and the one after, on the straight line. So the energies of
quarter hours add up to what the counter counted, whatever was missed between two readings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.model.quarters import QUARTER_S

SLACK_WH = 100.0  # coarse counters step by up to 0.1 kWh
MOST_W = 200_000.0  # no building of ours moves more
HELD_S = 120.0  # readings so far apart are one: counters are read each 10 s, a telegram each minute
BACK_S = 60.0  # a clock that was set back by more: what was read before is no help


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What a counter showed at the start of a quarter hour."""

    wh: float  # its value
    gap_s: float  # between the readings around that moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterTrack:
    """What is remembered of one counter."""

    last_s: float  # when it was last read (UTC)
    last_wh: float  # what it showed then
    edges: Mapping[int, Edge] = field(default_factory=dict)  # by the start of the quarter hour (UTC)
    epochs: frozenset[int] = frozenset()  # quarter hours in which it began anew: reset, swapped or rolled over

    def energy(self, start_s: int) -> tuple[float, float] | None:
        """What it counted in a quarter hour (Wh), and the longest gap that this rests on (s); None where not known."""
        first, last = self.edges.get(start_s), self.edges.get(start_s + QUARTER_S)
        if start_s in self.epochs or first is None or last is None:
            return None
        return last.wh - first.wh, max(first.gap_s, last.gap_s)


def read(track: CounterTrack | None, utc_s: float, wh: float) -> CounterTrack:
    """With one more reading. A reading that is older than the last one says nothing new."""
    if track is None or utc_s < track.last_s - BACK_S:
        on_edge = {int(utc_s): Edge(wh=wh, gap_s=0.0)} if utc_s % QUARTER_S == 0.0 else {}
        return CounterTrack(last_s=utc_s, last_wh=wh, edges=on_edge)
    gap_s = utc_s - track.last_s
    if gap_s <= 0.0:
        return track
    passed = range((int(track.last_s) // QUARTER_S + 1) * QUARTER_S, int(utc_s) + 1, QUARTER_S)
    if not 0.0 <= wh - track.last_wh <= SLACK_WH + MOST_W * gap_s / 3600.0:
        anew = {int(track.last_s) // QUARTER_S * QUARTER_S, *passed}
        return replace(track, last_s=utc_s, last_wh=wh, epochs=track.epochs | anew)
    slope = (wh - track.last_wh) / gap_s
    found = {edge_s: Edge(wh=track.last_wh + slope * (edge_s - track.last_s), gap_s=gap_s) for edge_s in passed}
    return replace(track, last_s=utc_s, last_wh=wh, edges={**track.edges, **found} if found else track.edges)


def forget_before(track: CounterTrack, start_s: int) -> CounterTrack:
    """Without what is older than a quarter hour that is still open."""
    edges = {edge_s: edge for edge_s, edge in track.edges.items() if edge_s >= start_s}
    return replace(track, edges=edges, epochs=frozenset(one for one in track.epochs if one >= start_s))
