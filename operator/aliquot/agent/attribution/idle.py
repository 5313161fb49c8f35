"""Since when pods do nothing with their GPUs.

Idleness counts in windows of 30 seconds: a window without work adds 30 seconds, any work begins anew
(control-plane-api.md 3.4). What was not seen counts as work: nobody is stopped for a reading that failed.
"""

from collections.abc import Hashable, Mapping
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

WINDOW_SECONDS: Final = 30


class IdleTimes(Generic[K]):
    """Since when each of some things, such as pods or GPUs, does nothing."""

    def __init__(self) -> None:
        self._last_work: dict[K, float] = {}
        self._last_look: float | None = None

    def look(self, activity: Mapping[K, bool | None], monotonic: float, begun: Mapping[K, float] | None = None) -> None:
        """Take note of who works now; None: that is not known. Who is left out is forgotten.

        Args:
            activity: of each.
            monotonic: now, in monotonic seconds.
            begun: for how many seconds somebody was idle already when they are seen first: what was known before this
                process began.
        """
        blind = self._last_look is not None and monotonic - self._last_look > WINDOW_SECONDS
        known = {} if blind else self._last_work
        self._last_work = {
            each: (
                known.get(each, monotonic - (0.0 if blind else (begun or {}).get(each, 0.0)))
                if busy is False
                else monotonic
            )
            for each, busy in activity.items()
        }
        self._last_look = monotonic

    def seconds(self, each: K) -> int | None:
        """For how long it has done nothing at the last look, in whole windows; None: it was not there."""
        last = self.last_work(each)
        if last is None or self._last_look is None:
            return None
        return int((self._last_look - last) // WINDOW_SECONDS) * WINDOW_SECONDS

    def last_work(self, each: K) -> float | None:
        """When it was last seen to do something, or was seen first, in monotonic seconds; None: it was not there."""
        return self._last_work.get(each)
