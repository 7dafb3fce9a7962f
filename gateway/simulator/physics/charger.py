"""A wallbox: what current it offers, and what becomes of that when nobody speaks to it any more."""

import math

LEAST_A = 6.0  # IEC 61851-1: no smaller current can be offered
PAUSE_S = 5.0  # the maker's least time between two writes of the current


class Charger:
    """Offers a current per phase. A set-point stays until the next; the failsafe replaces it while nobody asks."""

    def __init__(self, most_a: float) -> None:
        self.most_a = most_a
        self.enabled = True
        self.failsafe_a = 0.0
        self.failsafe_s = 0.0  # 0: no failsafe
        self.setpoint_a = most_a
        self.writes = 0
        self.hurried_writes = 0  # that came sooner after another than the maker allows
        self._written_s = -math.inf
        self._heard_s = 0.0

    def hear(self, now_s: float) -> None:
        """Any request at all: the failsafe begins anew."""
        self._heard_s = now_s

    def set_current(self, current_a: float, now_s: float) -> None:
        """Take a set-point: 0, or from LEAST_A on. ValueError for anything else."""
        self._check(current_a)
        self.setpoint_a = current_a
        self.writes += 1
        self.hurried_writes += now_s - self._written_s < PAUSE_S
        self._written_s = now_s

    def set_failsafe_current(self, current_a: float) -> None:
        """What is offered while nobody asks; as `set_current`."""
        self._check(current_a)
        self.failsafe_a = current_a

    def in_failsafe(self, now_s: float) -> bool:
        """Whether nobody has asked for too long."""
        return self.failsafe_s > 0.0 and now_s - self._heard_s >= self.failsafe_s

    def offered_a(self, now_s: float) -> float:
        """The current that a car may draw now."""
        wanted_a = self.failsafe_a if self.in_failsafe(now_s) else self.setpoint_a
        return min(wanted_a, self.most_a) if self.enabled else 0.0

    def _check(self, current_a: float) -> None:
        if current_a != 0.0 and not LEAST_A <= current_a <= 32.0:
            raise ValueError(f"0 or {LEAST_A:g} to 32 A, not {current_a:g} A")
