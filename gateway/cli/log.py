"""The log of the gateway: each thing once, and then how often it came again, so that nobody can fill the disk by it."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
EVERY_S = 60.0
SAME_TEXT, SAME_SENTENCE, SAME_PART = 1, 20, 100  # lines in that time: same numbers, any numbers, any line of a part
MOST_LETTERS = 1000  # of one line: what strangers send may stand in it

Key = tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """One text, sentence or part since `since_s`."""

    since_s: float
    shown: int = 0
    left_out: int = 0


class RepeatFilter(logging.Filter):
    """Lets the first of what repeats itself through, and counts the rest."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[Key, _Seen] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is shown."""
        if getattr(record, "is_count", False):
            return True
        sentence = str(record.msg)[:MOST_LETTERS]
        try:
            text = record.getMessage()
        except (
            TypeError,
            ValueError,
            KeyError,
        ):  # numbers that do not fit their sentence: our mistake, no reason to fall
            text = sentence
        if len(text) > MOST_LETTERS:
            text = f"{text[:MOST_LETTERS]} … ({len(text)} letters)"
        record.msg, record.args = text, ()
        with self._lock:
            return self._may_pass((record.name,), (record.name, sentence), (record.name, sentence, text))

    def _may_pass(self, part: Key, sentence: Key, text: Key) -> bool:
        limits = {text: SAME_TEXT, sentence: SAME_SENTENCE, part: SAME_PART}
        for key, limit in limits.items():
            seen = self._seen.get(key)
            if seen is not None and seen.shown >= limit:
                seen.left_out += 1  # counted once: at the narrowest
                return False
        for key in limits:
            self._seen.setdefault(key, _Seen(self._clock())).shown += 1
        return True

    def counts(self) -> list[tuple[str, str, int]]:
        """(logger, text, how often it was left out) of all whose time is over; they begin anew."""
        with self._lock:
            now_s = self._clock()
            over = {key: one for key, one in self._seen.items() if now_s - one.since_s >= EVERY_S}
            for key in over:
                del self._seen[key]
        return [(key[0], key[-1] if len(key) > 1 else "", one.left_out) for key, one in over.items() if one.left_out]


def set_up_log() -> RepeatFilter:
    """All goes to standard error, through the filter that is given back."""
    handler, repeats = logging.StreamHandler(sys.stderr), RepeatFilter()
    handler.addFilter(repeats)
    logging.basicConfig(level=logging.INFO, format=FORM, handlers=[handler])
    return repeats


async def tell_counts(repeats: RepeatFilter) -> None:
    """Say for ever, once a minute, what was left out."""
    while True:
        await asyncio.sleep(EVERY_S / 6)
        tell(repeats)


def tell(repeats: RepeatFilter) -> None:
    """Say what was left out in a minute that is over."""
    for name, text, count in repeats.counts():
        said = f"{count} more in {EVERY_S:.0f} s{': ' + text if text else ' of this part'}"
        logging.getLogger(name).warning("%s", said, extra={"is_count": True})
