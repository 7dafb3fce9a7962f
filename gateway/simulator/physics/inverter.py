"""The PV inverter's own limit, and the one it is sent: a share of its rating that ends when it is not renewed."""

import math

from gateway.simulator.physics.orders import Orders
from gateway.simulator.settings.config import Pv


class Inverter:
    """Until somebody writes a limit there is only its rating."""

    def __init__(self, settings: Pv) -> None:
        self.settings = settings
        self.writes = 0
        self.obeys = True
        self._written_s = math.inf  # never yet: nothing can lapse
        self._shares = Orders(1.0)

    def set_limit(self, share: float, now_s: float) -> None:
        """Take a limit, 0 to 1 of the rating."""
        self.writes += 1
        self._written_s = now_s
        self._shares.give(share, now_s + self.settings.limit_dead_time_s)

    def limit_w(self, now_s: float) -> float:
        """The most that it gives now."""
        if now_s - self._written_s >= self.settings.limit_timeout_s:
            self._written_s = math.inf
            self._shares.reset(self.settings.limit_fallback)
        share = self._shares.at(now_s)
        return (share if self.obeys else 1.0) * self.settings.inverter_limit_w
