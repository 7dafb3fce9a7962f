"""How often wearing registers were written today, as far as this run of the gateway has seen."""

from collections.abc import Mapping

from gateway.adapters.node.orders import OrderAnswer

DAY_S = 86400


class DayWrites:
    """Counts writes by device and day (UTC); the node keeps the budget itself and over restarts."""

    def __init__(self) -> None:
        self._day = 0
        self._counts: dict[str, int] = {}

    def count(self, answer: OrderAnswer, utc_s: float) -> None:
        """Take an answer to an order of ours in."""
        self._turn(utc_s)
        if answer.device is not None and answer.written:
            self._counts[answer.device] = self._counts.get(answer.device, 0) + 1

    def today(self, utc_s: float) -> Mapping[str, int]:
        """By device; what is not in it was not written."""
        self._turn(utc_s)
        return self._counts

    def _turn(self, utc_s: float) -> None:
        day = int(utc_s // DAY_S)
        if day != self._day:
            self._day, self._counts = day, {}
