"""An event loop in which waiting costs no time: when everybody waits, the clock jumps to whoever is due next.

For code without sockets and threads. What would wait for ever ends the test with an error instead.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")
_START = 1_000.0


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = _START

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for something that will never happen")
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its time passes only while nothing can run."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now


class LoopClock:
    """A clock that shows the running loop's time; its wall clock is off by `wall_offset_seconds`.

    `paused_seconds` is time that passed while this process did not run, as when its machine was suspended.
    """

    def __init__(self, wall_offset_seconds: float = 1_800_000_000) -> None:
        self.wall_offset_seconds = wall_offset_seconds
        self.paused_seconds = 0.0

    def now(self) -> float:
        return self.monotonic() + self.wall_offset_seconds

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.paused_seconds


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own with virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
