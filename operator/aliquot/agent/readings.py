"""Readings that may never come back: each in a thread, with a deadline for those who wait, and the last good one kept.

    fresh() ──▶ a thread takes a reading ──▶ last good one
                 │
                 └─ not back at the deadline: everybody gets the last good one, with its age; no second is begun until
                    the first is back, as the driver that does not answer it would not answer the next one

A thread that hangs inside the driver cannot be ended; it is a daemon, so the process can end without it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from aliquot.clock import Clock
from aliquot.errors import AliquotError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A good reading; times are monotonic seconds."""

    value: T
    begun: float
    done: float


class Readings(Generic[T]):
    """Takes readings when they are asked for, one at a time.

    Args:
        take: takes one; blocks; may raise an `AliquotError`, or never come back.
        clock: for ages.
        deadline_seconds: nobody waits longer for a reading.

    Attributes:
        last: the last good one; None: there is none yet.
        error: why the last one failed; None: it did not.
        failures: how many failed since the process began.
    """

    def __init__(self, take: Callable[[], T], clock: Clock, deadline_seconds: float) -> None:
        self.last: Taken[T] | None = None
        self.error: AliquotError | None = None
        self.failures = 0
        self._take = take
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._begun = 0.0
        self._pending: asyncio.Future[T] | None = None

    async def fresh(self) -> None:
        """Take a reading, or wait for the one that is being taken, but not beyond its deadline.

        Raises:
            Exception: what `take` raised, unless it is an AliquotError: a mistake of ours.
        """
        if self._pending is None:
            self._begin()
        pending = self._pending
        assert pending is not None
        left = self._deadline_seconds - (self._clock.monotonic() - self._begun)
        await asyncio.wait({pending}, timeout=max(left, 0))
        if pending.done() and (mistake := pending.exception()) and not isinstance(mistake, AliquotError):
            raise mistake

    def hung_seconds(self) -> float:
        """For how long a reading has been overdue; 0: none is."""
        if self._pending is None:
            return 0.0
        return max(0.0, self._clock.monotonic() - self._begun - self._deadline_seconds)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[T] = loop.create_future()
        pending.add_done_callback(self._ended)
        self._begun = self._clock.monotonic()
        self._pending = pending

        def work() -> None:
            try:
                outcome = self._take()
            except Exception as error:
                tell = lambda error=error: pending.set_exception(error)  # noqa: E731 - two ways to end
            else:
                tell = lambda: pending.set_result(outcome)  # noqa: E731 - two ways to end
            with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
                loop.call_soon_threadsafe(tell)

        threading.Thread(target=work, name="reading", daemon=True).start()

    def _ended(self, pending: "asyncio.Future[T]") -> None:
        self._pending = None
        error = pending.exception()
        if error is None:
            self.last = Taken(pending.result(), self._begun, self._clock.monotonic())
            self.error = None
        else:
            self.failures += 1
            self.error = error if isinstance(error, AliquotError) else None
