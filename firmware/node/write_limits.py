"""Registers that must not be written often: a budget a day, a time between changes. Loaded where a table has such.

The count lies under `w<actuator>` in the memory of Orders, so that no restart begins it anew.
"""

from micropython import const
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Write
    from node.orders import Actuator

_CLOCK_UNKNOWN = const(0)  # that of wire.records, as a number: a name costs flash and heap
_DAY_S = const(86400)
_DAY = const(10)  # bits below the day, in one number with the count; wire.table allows up to 1000 a day
_COUNT = const(1023)
_PAUSE_MS = const(8000)  # between safe values that a device takes and does not hold, doubled up to …
_PAUSE_MAX_MS = const(3600000)


class Wear:
    """Stands between an actuator and its bus."""

    pause_ms = 0

    def __init__(self, actuator: "Actuator") -> None:
        self.actuator = actuator
        self.budget = actuator.spec["budget"]
        self.key = "w%d" % actuator.number
        self.free = self.rest = after(0)  # ticks of the earliest change, and of the earliest repetition of safe values

    def early(self) -> bool:
        """True while it is too early for a change. Asked at least every day, so that the tick never wraps."""
        if left(self.free) > 0:
            return True
        self.free = after(0)
        return False

    def out(self) -> bool:
        """True when only the write is left that is kept for the safe values."""
        return self.budget and (self._count() & _COUNT) + 1 >= self.budget

    async def gate(self, writes: "list[Write]", safe: int) -> str | None:  # noqa: PLR0911  one word for each thing in the way
        """None when a write may go; otherwise what became of it, in a word of wire.orders, "" for held already.

        Safe values go whatever the count says, but more and more rarely to a device that never holds them.
        """
        actuator = self.actuator
        took = actuator.back  # None: the last write was not taken, which wears nothing out
        if self.budget:
            if await actuator.holds(writes, safe):
                self.pause_ms = 0
                return ""
            if not actuator.back:
                return "device"
            if safe and took and self.pause_ms and left(self.rest) > 0:
                return "readback"
        if not safe and self.early():
            return "readback"  # a repetition: a change waits before it comes here
        if self.budget:
            self.pause_ms = min(self.pause_ms * 2 or _PAUSE_MS, _PAUSE_MAX_MS) if safe else 0
            self.rest = after(self.pause_ms)
            if not safe and self.out():
                return "budget"
            if not self._spend() and not safe:  # what cannot be counted is not spent
                return "budget"
        self.free = after(actuator.spec["min_ms"])
        return None

    def _spend(self) -> bool:
        """One write more, counted first: whatever happens. False when that cannot be kept."""
        count = self._count()
        try:
            if count & _COUNT < _COUNT:
                self.actuator.orders.memory.put(self.key, count + 1)
        except OSError:
            return False
        return True

    def _count(self) -> int:
        """Writes of this day (UTC) and the day above them; without a clock the day goes on."""
        orders = self.actuator.orders
        orders.clock.tick()
        count, day = orders.memory.get(self.key), orders.clock.s // _DAY_S
        if orders.clock.quality == _CLOCK_UNKNOWN or day == count >> _DAY:
            return count
        return day << _DAY
