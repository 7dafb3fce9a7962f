"""Signals that end a command which has started programs: they end first."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupts(act: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C, an end from outside and a closed terminal do this instead of ending us in the middle of something."""
    loop = asyncio.get_running_loop()
    before = [signal.getsignal(number) for number in SIGNALS]
    for number in SIGNALS:
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
