"""How long the grid meter shows the same number while devices move: it is frozen, or it holds its number for a while.

Some meters take a new number only every 5, 10 or 60 seconds, and answer with the old one in between. How long this one
holds it is learned from the moves of devices that it did not show at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

LAG_S = 4.0  # a device may report a move so much before or after the meter shows it: poll, delay and filter of both
MOVED_W = 150.0  # what must have moved elsewhere: far above the noise of meters and of a base load
LONGEST_HOLD_S = 65.0  # a number that stands for longer is a frozen meter's
AT_ONCE_S = 2.5  # a number that changes so soon is of a meter that does not hold it
FADE = 0.9  # of what is known of its hold, with each change that comes at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """How long the grid meter has shown the same value, and what the devices did meanwhile."""

    grid_w: float | None = None  # the number; None before the first one
    since_s: float = 0.0  # monotonic moment of its last change
    devices_w: Mapping[str, float] = field(default_factory=dict)
    """Each device's power once that change had come through; without the silent ones."""
    moved: bool = False  # whether they have moved together since then, so that the number must be an old one
    hold_s: float = 0.0  # how long this meter holds a number before it takes the next; 0: not known to

    def lasted_s(self, now_s: float) -> float:
        """For how long the number has been an old one; 0 while it need not be."""
        return now_s - self.since_s if self.moved else 0.0


def stood(before: Standstill, powers_w: Mapping[str, float], grid: str, now_s: float) -> Standstill:
    """After these powers, by device id: it begins anew with each change of the meter's number."""
    if grid not in powers_w:
        return before
    devices_w = {device: power_w for device, power_w in powers_w.items() if device != grid}
    if before.grid_w != powers_w[grid]:
        hold_s = _learned_s(before, now_s)
        return Standstill(grid_w=powers_w[grid], since_s=now_s, devices_w=devices_w, hold_s=hold_s)
    if now_s - before.since_s < LAG_S:
        return replace(before, devices_w={**before.devices_w, **devices_w})
    # a device that falls silent has not moved: its power is missing in what is read, not in the wires
    moved_w = sum(devices_w[device] - w for device, w in before.devices_w.items() if device in devices_w)
    known_w = {**devices_w, **before.devices_w}
    return replace(before, devices_w=known_w, moved=before.moved or abs(moved_w) > MOVED_W)


def _learned_s(before: Standstill, now_s: float) -> float:
    held_s = now_s - before.since_s
    if before.moved and held_s <= LONGEST_HOLD_S:
        return max(held_s, FADE * before.hold_s)
    if before.grid_w is not None and held_s <= AT_ONCE_S:
        faded_s = FADE * before.hold_s
        return faded_s if faded_s > AT_ONCE_S else 0.0
    return before.hold_s
