"""The pump of a pool: it runs while its relay is closed."""

from datetime import datetime

from gateway.simulator.settings.flexible import PoolPumpSettings


class PoolPump:
    """`closed`: its relay; `power_w` is what it draws."""

    shares = (0.0, 1.0, 0.0)  # it hangs on the second phase

    def __init__(self, settings: PoolPumpSettings) -> None:
        self.settings = settings
        self.closed = False
        self.obeys = True
        self.goes_on_w: float | None = None  # while it does not obey; None: its relay sticks, and it runs
        self.power_w = 0.0
        self.drawn_wh = 0.0

    @property
    def counter_wh(self) -> float:
        """What its meter has counted."""
        return self.settings.used_wh + self.drawn_wh

    def advance(self, *, now_s: float, dt_s: float, local: datetime) -> float:
        """Run for `dt_s`, or rest; gives the power of that step."""
        del now_s, local  # it has no clock
        stuck_w = self.settings.power_w if self.goes_on_w is None else self.goes_on_w
        self.power_w = stuck_w if not self.obeys else self.settings.power_w if self.closed else 0.0
        self.drawn_wh += self.power_w * dt_s / 3600.0
        return self.power_w
