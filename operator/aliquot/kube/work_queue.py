"""Keys to be looked at, each by one worker at a time, the urgent lane first.

    add ──▶ queued ──▶ in work ──▶ done (failures forgotten)
              ▲           │ └────▶ failed: queued again after 5 ms · 2^failures
              └───────────┘ added again meanwhile: queued again when the work ends

- A key that is queued is not queued twice; adding it in a more urgent lane moves it there.
- Lanes are served strictly by urgency, except that after `turn_every` keys that overtook someone, the key that has
  waited longest in the lanes behind has its turn: the least urgent work slows down under load, but never stops.
- Time is the event loop's.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from enum import IntEnum
from typing import Final, Generic, TypeVar

from aliquot import log
from aliquot.backoff import Backoff
from aliquot.kube.metrics import QueueMetrics
from aliquot.kube.problems import ApiProblem

K = TypeVar("K", bound=Hashable)
L = TypeVar("L", bound=IntEnum)

_log = log.get(__name__)
_BACKOFF: Final = Backoff(base_seconds=0.005, cap_seconds=960)


class WorkQueue(Generic[K, L]):
    """A queue of keys in lanes.

    Args:
        name: for metrics and logs.
        lanes: an IntEnum; the lowest value is the most urgent.
        metrics: where depth, waits and failures are counted.
        backoff: wait before a key that failed is tried again.
        turn_every: how many keys in a row may overtake those in less urgent lanes.
    """

    def __init__(
        self, name: str, lanes: type[L], metrics: QueueMetrics, *, backoff: Backoff = _BACKOFF, turn_every: int = 16
    ) -> None:
        assert turn_every >= 1, "the lanes behind must have their turn some time"
        self._name = name
        self._failed = metrics.failures.labels(name)
        self._work_seconds = metrics.work_seconds.labels(name)
        # Finding a child by its labels costs more than all the rest of adding a key.
        self._depth = {lane: metrics.depth.labels(name, lane.name.lower()) for lane in lanes}
        self._wait_seconds = {lane: metrics.wait_seconds.labels(name, lane.name.lower()) for lane in lanes}
        self._backoff = backoff
        self._turn_every = turn_every
        # Per lane its keys in the order of arrival, each with the moment of its arrival.
        self._lanes: dict[L, dict[K, float]] = {lane: {} for lane in sorted(lanes)}
        self._lane_of: dict[K, L] = {}
        self._in_work: dict[K, L | None] = {}  # with the lane in which it was added again meanwhile
        self._delayed: dict[K, tuple[L, float, asyncio.Handle]] = {}  # lane, when it is due, timer
        self._failures: dict[K, int] = {}
        self._overtaken = 0
        self._free_workers: deque[asyncio.Future[None]] = deque()
        self._idle_waiters: list[asyncio.Future[None]] = []
        self._closed = asyncio.Event()
        self._running = False

    def __len__(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._lane_of)

    @property
    def in_work(self) -> int:
        """Keys that a worker has in hand."""
        return len(self._in_work)

    @property
    def delayed(self) -> int:
        """Keys that will be queued later, also those that failed."""
        return len(self._delayed)

    def failures(self, key: K) -> int:
        """How often in a row work on a key has failed."""
        return self._failures.get(key, 0)

    def add(self, key: K, lane: L) -> None:
        """Have a key looked at as soon as its turn comes."""
        if self._closed.is_set():
            return
        if key in self._in_work:
            again = self._in_work[key]
            self._in_work[key] = lane if again is None else min(again, lane)
            return
        queued = self._lane_of.get(key)
        if queued is not None:
            if queued <= lane:
                return
            del self._lanes[queued][key]
            self._depth[queued].dec()
        self._lane_of[key] = lane
        self._lanes[lane][key] = asyncio.get_running_loop().time()
        self._depth[lane].inc()
        self._wake()

    def add_after(self, key: K, delay_seconds: float, lane: L) -> None:
        """Have a key looked at later; of several such wishes the earliest counts, in the most urgent of their lanes."""
        if self._closed.is_set():
            return
        if delay_seconds <= 0:
            self.add(key, lane)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_seconds
        wished = self._delayed.get(key)
        if wished is not None:
            if wished[0] <= lane and wished[1] <= due:
                return
            lane = min(lane, wished[0])
            due = min(due, wished[1])
            wished[2].cancel()
        self._delayed[key] = (lane, due, loop.call_at(due, self._due, key))

    def _due(self, key: K) -> None:
        lane, _, _ = self._delayed.pop(key)
        self.add(key, lane)

    def close(self) -> None:
        """Take nothing more and start nothing more; `run` returns when what is in work has ended."""
        self._closed.set()
        for _, _, timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
        for worker in self._free_workers:
            if not worker.done():
                worker.set_result(None)
        self._free_workers.clear()
        self._tell_idle()

    async def idle(self) -> None:
        """Wait until no key is queued or in work; delayed keys do not count, nor do queued ones once it is closed."""
        while not self._is_idle():
            future = asyncio.get_running_loop().create_future()
            self._idle_waiters.append(future)
            await future

    async def run(self, workers: int, handler: Callable[[K], Awaitable[None]], *, drain_seconds: float = 10) -> None:
        """Work until the queue is closed.

        Whatever the handler raises is logged, and the key tried again after a while; where the API server says how
        long to wait, not earlier. When `run` is cancelled, so is the work in hand; it is queued again for a later run.

        Args:
            workers: how many keys may be in work at once.
            handler: looks at one key.
            drain_seconds: how long work may go on after closing before it is cancelled.
        """
        assert not self._running, f"the queue {self._name} is being worked on already"
        self._running = True
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._work(handler)) for _ in range(workers)]
                await self._closed.wait()
                _, late = await asyncio.wait(tasks, timeout=drain_seconds)
                for task in late:
                    task.cancel()
        finally:
            self._running = False

    async def _work(self, handler: Callable[[K], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        while (taken := await self._take()) is not None:
            key, lane = taken
            started = loop.time()
            try:
                await handler(key)
            except Exception as error:
                self._finish(key)
                self._put_off(key, lane, error)
            except asyncio.CancelledError as error:
                self._finish(key)
                if not _being_cancelled():
                    # Something that the handler waited for was cancelled, not we: a worker must not end of that.
                    self._put_off(key, lane, error)
                    continue
                self.add(key, lane)
                raise
            else:
                self._failures.pop(key, None)
                self._finish(key)
            finally:
                self._work_seconds.observe(loop.time() - started)

    async def _take(self) -> tuple[K, L] | None:
        """The next key, once there is one; None when the queue is closed."""
        while not self._closed.is_set():
            if self._lane_of:
                return self._pick()
            future = asyncio.get_running_loop().create_future()
            self._free_workers.append(future)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self._wake()  # the call was for us; someone else must answer it
                raise
        return None

    def _pick(self) -> tuple[K, L]:
        waiting = [lane for lane, keys in self._lanes.items() if keys]
        lane, *behind = waiting
        self._overtaken = self._overtaken + 1 if behind else 0
        if self._overtaken >= self._turn_every:
            self._overtaken = 0
            lane = min(behind, key=lambda one: next(iter(self._lanes[one].values())))
        keys = self._lanes[lane]
        key = next(iter(keys))
        waited = asyncio.get_running_loop().time() - keys.pop(key)
        del self._lane_of[key]
        self._in_work[key] = None
        self._depth[lane].dec()
        self._wait_seconds[lane].observe(waited)
        return key, lane

    def _finish(self, key: K) -> None:
        again = self._in_work.pop(key)
        if again is not None:
            self.add(key, again)
        self._tell_idle()

    def _is_idle(self) -> bool:
        return not self._in_work and (not self._lane_of or self._closed.is_set())

    def _tell_idle(self) -> None:
        if self._is_idle():
            for waiter in self._idle_waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._idle_waiters.clear()

    def _put_off(self, key: K, lane: L, error: BaseException) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        wait = self._backoff.seconds(failures)
        self._failed.inc()
        if isinstance(error, ApiProblem):
            wait = max(wait, error.retry_after_seconds)
            _log.info("put off", queue=self._name, key=key, failures=failures, seconds=wait, problem=str(error))
        else:
            _log.error("failed", queue=self._name, key=key, failures=failures, seconds=wait, exc_info=error)
        self.add_after(key, wait, lane)

    def _wake(self) -> None:
        while self._free_workers:
            worker = self._free_workers.popleft()
            if not worker.done():
                worker.set_result(None)
                return


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
