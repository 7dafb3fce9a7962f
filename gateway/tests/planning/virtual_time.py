"""Hours of asyncio in an instant: time stands while anything can run, and then jumps to what is due next."""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves only by the waits of its tasks, however slow the machine is."""

    def __init__(self) -> None:
        self._now_s = 0.0
        selector = selectors.DefaultSelector()
        look = selector.select

        def jump(timeout: float | None = None) -> list[Any]:
            ready = look(0)
            if not ready and timeout is None:
                raise AssertionError("every task waits for something that no other task will bring")
            if not ready and timeout:
                self._now_s += timeout
            return ready

        selector.select = jump  # type: ignore[method-assign]
        super().__init__(selector)

    def time(self) -> float:
        return self._now_s


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test that is run on a loop of its own, from its time 0 on."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
