"""Waiting in the time of the fast `time.py` beside this file: a poll of 100 ms returns after 5."""

from time import SPEED

import uselect
from uselect import *  # noqa: F403


def _real(ms):
    """Rounded up: no spinning for the last millisecond."""
    return ms if ms <= 0 else (ms + SPEED - 1) // SPEED


class _Poll:
    def __init__(self):
        poll = uselect.poll()
        self.register, self.unregister, self.modify = poll.register, poll.unregister, poll.modify
        self._poll = poll

    def poll(self, ms=-1):
        return self._poll.poll(_real(ms))

    def ipoll(self, ms=-1):
        return self._poll.ipoll(_real(ms))


poll = _Poll
