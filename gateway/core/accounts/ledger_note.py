"""What outlives a restart: what the counters showed, and which quarter hours are not given yet.

Powers that were added up are not kept: after a restart the open quarter hour has the energy of its counters, and of
devices without one what is seen from then on.
"""

import math
from collections.abc import Mapping
from typing import Any

from gateway.core.accounts.counter_track import CounterTrack, Edge
from gateway.core.accounts.ledger import MOST_OPEN, AccountLedger
from gateway.core.accounts.open_quarter import OpenQuarter


def to_note(ledger: AccountLedger) -> dict[str, Any]:
    """As JSON knows it."""
    starts = [quarter.start_s for quarter in ledger.waiting]
    return {
        "open_s": None if ledger.open is None else ledger.open.start_s,
        "waiting": starts,
        "given": sorted(ledger.given),
        "tracks": [
            {
                "device": device,
                "point": point,
                "last": [track.last_s, track.last_wh],
                "edges": [[edge_s, edge.wh, edge.gap_s] for edge_s, edge in sorted(track.edges.items())],
                "epochs": sorted(track.epochs),
            }
            for (device, point), track in ledger.tracks.items()
        ],
    }


def from_note(note: object) -> AccountLedger:
    """What a note holds; an empty ledger where it is not understood."""
    try:
        return _read(note) if isinstance(note, dict) else AccountLedger()
    except (KeyError, TypeError, ValueError, OverflowError):
        return AccountLedger()


def _read(note: Mapping[str, Any]) -> AccountLedger:
    waiting = tuple(OpenQuarter(start_s=int(start_s)) for start_s in note["waiting"])[-MOST_OPEN:]
    open_s = note["open_s"]
    return AccountLedger(
        open=None if open_s is None else OpenQuarter(start_s=int(open_s)),
        waiting=waiting,
        given=frozenset(int(start_s) for start_s in note["given"]),
        tracks={(str(one["device"]), str(one["point"])): _track(one) for one in note["tracks"]},
    )


def _track(one: Mapping[str, Any]) -> CounterTrack:
    last_s, last_wh = (_finite(number) for number in one["last"])
    edges = {int(edge_s): Edge(wh=_finite(wh), gap_s=_finite(gap_s)) for edge_s, wh, gap_s in one["edges"]}
    return CounterTrack(
        last_s=last_s, last_wh=last_wh, edges=edges, epochs=frozenset(int(start_s) for start_s in one["epochs"])
    )


def _finite(number: object) -> float:
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"not a number: {number}")
    return float(number)
