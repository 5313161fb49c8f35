"""Waiting for changes: requests of clusters that know everything wait until there is something new.

Who waits keeps neither a thread nor a connection. For all together the revisions are read twice a second, and at once
when this process has written something; nobody waits, nobody reads. Revisions are compared, so a change is never
missed, whoever made it and whenever.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import log
from aliquot.controlplane.database import Unavailable

_log = log.get(__name__)
_PACE_SECONDS: Final = 0.5
_MOST_OF_ONE: Final = 4
"""Requests of one cluster that wait; one more, and the oldest is answered."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    known: int
    done: asyncio.Event


class Waiting:
    """Those who wait, in the event loop of the server.

    Args:
        read: gives the revisions of clusters; called in a thread.
    """

    def __init__(self, read: Callable[[Collection[str]], Mapping[str, int]]) -> None:
        self._read = read
        self._waiters: dict[str, list[_Waiter]] = {}
        self._look = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def changed(self, cluster_id: str, known: int, seconds: float) -> None:
        """Wait until the revision of a cluster is another, or the time is over, or nobody is to wait any more.

        Args:
            cluster_id: which cluster.
            known: its revision, as far as the cluster knows.
            seconds: how long at most.
        """
        self._loop = asyncio.get_running_loop()
        if self._is_closed:
            return
        mine, waiter = self._waiters.setdefault(cluster_id, []), _Waiter(known, asyncio.Event())
        mine.append(waiter)
        for oldest in mine[:-_MOST_OF_ONE]:
            oldest.done.set()
        if self._reading is None or self._reading.done():
            self._reading = self._loop.create_task(self._read_while_somebody_waits())
        try:
            async with asyncio.timeout(seconds):
                await waiter.done.wait()
        except TimeoutError:
            pass
        finally:
            mine.remove(waiter)
            if not mine and self._waiters.get(cluster_id) is mine:
                del self._waiters[cluster_id]

    @property
    def count(self) -> int:
        """How many requests wait."""
        return sum(len(mine) for mine in self._waiters.copy().values())

    def look(self) -> None:
        """Say, from any thread, that something has been written."""
        self._soon(self._look.set)

    def close(self) -> None:
        """Answer, from any thread, all who wait, now and later."""
        self._is_closed = True
        self._soon(self._let_go)

    def _soon(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                self._loop.call_soon_threadsafe(call)

    def _let_go(self) -> None:
        for waiter in (waiter for mine in self._waiters.values() for waiter in mine):
            waiter.done.set()

    async def _read_while_somebody_waits(self) -> None:
        while self._waiters:
            self._look.clear()
            asked = {cluster_id: list(mine) for cluster_id, mine in self._waiters.items()}
            try:
                _compare(asked, await asyncio.to_thread(self._read, list(asked)))
            except Unavailable as error:
                _log.warning("revisions unknown", reason=str(error.__cause__))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PACE_SECONDS):
                    await self._look.wait()


def _compare(asked: Mapping[str, Sequence[_Waiter]], revisions: Mapping[str, int]) -> None:
    """Let those go who waited when the revisions were asked for: whoever came meanwhile may know more than they say."""
    for cluster_id, waiters in asked.items():
        for waiter in waiters:
            if revisions.get(cluster_id) != waiter.known:  # a cluster that is gone has none
                waiter.done.set()
