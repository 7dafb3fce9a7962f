"""Which lines the database takes, and what of the others it refuses: nothing good is given up for a bad neighbour.

A database refuses a batch for one bad line, and a line for one bad field: the type of a field is fixed by the first
value that it ever got. One that refuses all that it is offered is out of order, and nothing is judged by its answers.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from gateway.adapters.store.line_protocol import fields, measurement, with_fields

_log = logging.getLogger(__name__)

CLASH_S = 3600.0  # for so long a field that was refused is not offered again with others
SAMPLES = 50  # lines at each end among which one may be taken, where a whole batch is refused

Line = tuple[int, str]
Write = Callable[[Sequence[str]], Awaitable[str | None]]
_DROPPED = re.compile(r"\bdropped=(\d+)")  # InfluxDB 2 says how many of a batch it left out; it took the others


class Lines(Protocol):
    """Where the lines wait."""

    async def oldest(self, limit: int) -> list[Line]:
        """The first ones."""
        ...

    async def newest(self, limit: int) -> list[Line]:
        """The last ones."""
        ...

    async def forget(self, numbers: Iterable[int]) -> None:
        """They are in the database."""
        ...

    async def quarantine(self, refused: Sequence[tuple[int, str, str]]) -> None:
        """The database will not take these: number, what of the line it refused, why."""
        ...


class RefusesAllError(Exception):
    """The database refuses whatever it is offered: it is not the lines."""


class Delivery:
    """Brings batches into the database. `write` gives None for what was taken, or why it was refused.

    `taken`: lines that are in the database, whole or in part.
    """

    def __init__(self, *, write: Write, lines: Lines, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._lines = lines
        self._clock = clock
        self._clashes: dict[tuple[str, str], tuple[str, float]] = {}  # measurement and field: why, since when
        self.taken = 0

    async def deliver(self, batch: Sequence[Line]) -> None:
        """Every line is in the database afterwards, or in quarantine with the reason. Raises RefusesAllError."""
        now_s = self._clock()
        self._clashes = {key: one for key, one in self._clashes.items() if now_s - one[1] < CLASH_S}
        lone = [line for line in batch if 0 < len(self._refused_of(line[1])) == len(fields(line[1]))]
        numbers = {number for number, _ in lone}
        others = [line for line in batch if line[0] not in numbers]
        if others and (why := await self._offer(others)) is not None:
            await self._sort(others, why)
        if lone:
            await self._try_again(lone, is_well=bool(others))

    async def _offer(self, lines: Sequence[Line]) -> str | None:
        """Why these are refused, without what is known to be; None when they are taken, and settled."""
        known = [(line, self._refused_of(line[1])) for line in lines]
        why = await self._write([_without(text, refused) for (_, text), refused in known])
        if why is not None:
            return why
        self.taken += len(lines)
        await self._lines.quarantine(
            [
                (number, part, no)
                for (number, text), refused in known
                for field, no in refused.items()
                if (part := with_fields(text, [field])) is not None
            ]
        )
        await self._lines.forget([number for (number, _), refused in known if not refused])
        return None

    async def _try_again(self, lone: Sequence[Line], *, is_well: bool) -> None:
        """Lines of nothing but refused fields, as they come back from quarantine: the database may think otherwise."""
        for key, group in _grouped(lone).items():
            why = await self._write([group[0][1]])
            if why is None:
                for field in key[1:]:
                    self._clashes.pop((key[0], field), None)
                self.taken += 1
                await self._lines.forget([group[0][0]])  # the others come next, together
                continue
            if not is_well:
                await self._must_take_something([(group, why)])
            await self._lines.quarantine([(number, text, why) for number, text in group])

    async def _sort(self, lines: Sequence[Line], why: str) -> None:
        """Offer what belongs together, and look closer at what is refused."""
        refused: list[tuple[Sequence[Line], str]] = []
        groups = _grouped(lines).values()
        for group in groups:
            no = await self._offer(group) if len(groups) > 1 else why
            if no is not None:
                refused.append((group, no))
        if len(refused) == len(groups):
            await self._must_take_something(refused)
        for one, no in refused:
            await self._divide(one, no)

    async def _must_take_something(self, refused: Sequence[tuple[Sequence[Line], str]]) -> None:
        """Raises RefusesAllError unless the database takes one field of these, or one of the newest or oldest lines."""
        parts = [with_fields(text, [field]) for group, _ in refused for _, text in group[:1] for field in fields(text)]
        ends = [*await self._lines.newest(SAMPLES), *await self._lines.oldest(SAMPLES)]
        for text in (*parts, *(group[0][1] for group in _grouped(ends).values())):
            if text is not None and await self._write([text]) is None:
                return
        raise RefusesAllError(refused[0][1])

    async def _divide(self, group: Sequence[Line], why: str) -> None:
        """By fields, where some of a line are taken; by lines, where all of it is refused."""
        text = group[0][1]
        unknown = [field for field in fields(text) if field not in self._refused_of(text)]
        found = {field: await self._write([part]) for field in unknown if (part := with_fields(text, [field]))}
        refused = {field: no for field, no in found.items() if no is not None}
        if refused and len(refused) < len(found):
            for field, no in refused.items():
                self._clashes[measurement(text), field] = (no, self._clock())
                _log.warning(
                    "the database refuses %s of %s: its values are kept apart: %s", field, measurement(text), no
                )
            await self.deliver(group)
        elif not refused and await self._offer(group) is None:
            return  # by what was found out since it was refused
        elif len(group) == 1 or _dropped(why) == len(group):
            _log.warning("the database refuses %d lines: %s: %s", len(group), why, text)
            await self._lines.quarantine([(number, text, why) for number, text in group])
        else:
            await self._halve(group)

    async def _halve(self, group: Sequence[Line]) -> None:
        middle = len(group) // 2
        for half in (group[:middle], group[middle:]):
            why = await self._offer(half)
            if why is not None and len(half) > 1:
                await self._halve(half)
            elif why is not None:
                await self._divide(half, why)

    def _refused_of(self, text: str) -> Mapping[str, str]:
        """The fields of a line that are known to be refused, each with why."""
        if not self._clashes:
            return {}
        name = measurement(text)
        return {field: self._clashes[name, field][0] for field in fields(text) if (name, field) in self._clashes}


def _grouped(lines: Iterable[Line]) -> Mapping[tuple[str, ...], list[Line]]:
    """By measurement and fields: what is refused of one is likely to be refused of all."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for number, text in lines:
        groups.setdefault((measurement(text), *fields(text)), []).append((number, text))
    return groups


def _without(text: str, refused: Mapping[str, str]) -> str:
    kept = with_fields(text, [field for field in fields(text) if field not in refused]) if refused else text
    return kept or text


def _dropped(why: str) -> int:
    found = _DROPPED.search(why)
    return int(found[1]) if found else 0
