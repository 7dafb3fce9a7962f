"""The clocks of a twin: they stand still unless it is stepped."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class VirtualClock:
    """Fits the port Clock. `true_utc_s` is the time of day; the gateway's own may be wrong by `error_s`."""

    now_s: float
    true_utc_s: float
    error_s: float = 0.0

    def utc_s(self) -> float:
        """Seconds since 1970, as the gateway has them."""
        return self.true_utc_s + self.error_s

    def monotonic_s(self) -> float:
        """Seconds that only rise."""
        return self.now_s
