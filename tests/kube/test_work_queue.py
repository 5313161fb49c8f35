import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from aliquot.backoff import Backoff
from aliquot.kube.metrics import QueueMetrics
from aliquot.kube.problems import Request, TooManyRequests
from aliquot.kube.work_queue import WorkQueue
from tests.kube.virtual_time import in_virtual_time


class Lane(IntEnum):
    GRANT = 0
    CREATE = 1
    STATUS = 2


def make_queue(*, turn_every: int = 16, backoff: Backoff | None = None) -> WorkQueue[str, Lane]:
    return WorkQueue(
        "test",
        Lane,
        QueueMetrics(CollectorRegistry()),
        turn_every=turn_every,
        backoff=backoff or Backoff(base_seconds=1, cap_seconds=8),
    )


@asynccontextmanager
async def working(
    queue: WorkQueue[str, Lane], handler: Callable[[str], Awaitable[None]], workers: int = 1
) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(queue.run(workers, handler))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


class Log:
    """A handler that writes down what it was given."""

    def __init__(self, seconds: float = 0) -> None:
        self.keys: list[str] = []
        self.seconds = seconds

    async def __call__(self, key: str) -> None:
        self.keys.append(key)
        await asyncio.sleep(self.seconds)


@in_virtual_time
async def test_urgent_lanes_go_first_and_each_lane_in_order() -> None:
    queue, log = make_queue(), Log()
    for key, lane in [("s1", Lane.STATUS), ("c1", Lane.CREATE), ("g1", Lane.GRANT), ("s2", Lane.STATUS)]:
        queue.add(key, lane)
    queue.add("g2", Lane.GRANT)
    async with working(queue, log):
        await queue.idle()
    assert log.keys == ["g1", "g2", "c1", "s1", "s2"]


@in_virtual_time
async def test_the_lane_that_waits_longest_has_its_turn_after_so_many_that_overtook_it() -> None:
    queue, log = make_queue(turn_every=3), Log()
    queue.add("status", Lane.STATUS)
    await asyncio.sleep(1)
    queue.add("create", Lane.CREATE)
    for number in range(8):
        queue.add(f"g{number}", Lane.GRANT)
    async with working(queue, log):
        await queue.idle()
    assert log.keys == ["g0", "g1", "status", "g2", "g3", "create", "g4", "g5", "g6", "g7"]


@in_virtual_time
async def test_a_key_that_is_queued_is_not_queued_twice_but_moves_to_the_more_urgent_lane() -> None:
    queue, log = make_queue(), Log()
    queue.add("a", Lane.STATUS)
    queue.add("b", Lane.CREATE)
    queue.add("a", Lane.GRANT)
    queue.add("a", Lane.STATUS)
    assert len(queue) == 2
    async with working(queue, log):
        await queue.idle()
    assert log.keys == ["a", "b"]


@in_virtual_time
async def test_a_key_that_is_added_while_in_work_is_looked_at_once_more_and_never_by_two() -> None:
    queue = make_queue()
    log = Log(seconds=10)
    async with working(queue, log, workers=4):
        queue.add("a", Lane.STATUS)
        await asyncio.sleep(1)
        assert queue.in_work == 1
        for _ in range(3):
            queue.add("a", Lane.GRANT)
        await asyncio.sleep(5)
        assert log.keys == ["a"]
        await queue.idle()
        assert log.keys == ["a", "a"]
        await asyncio.sleep(100)
        assert log.keys == ["a", "a"]


@in_virtual_time
async def test_a_key_that_fails_is_tried_again_after_growing_waits_until_it_succeeds() -> None:
    queue = make_queue()
    loop = asyncio.get_running_loop()
    moments: list[float] = []

    async def handler(key: str) -> None:
        moments.append(loop.time())
        if len(moments) < 6:
            raise LookupError(key)

    async with working(queue, handler):
        queue.add("a", Lane.GRANT)
        await asyncio.sleep(5)
        assert queue.failures("a") == 3
        assert queue.delayed == 1
        await asyncio.sleep(100)
        assert queue.failures("a") == 0
    assert [round(later - earlier) for earlier, later in pairwise(moments)] == [1, 2, 4, 8, 8]


@in_virtual_time
async def test_where_the_api_server_says_how_long_to_wait_it_is_not_earlier() -> None:
    queue = make_queue()
    loop = asyncio.get_running_loop()
    moments: list[float] = []

    async def handler(_: str) -> None:
        moments.append(loop.time())
        if len(moments) == 1:
            raise TooManyRequests(Request("create", "pods"), "later", retry_after_seconds=30)

    async with working(queue, handler):
        queue.add("a", Lane.GRANT)
        await asyncio.sleep(60)
    assert moments[1] - moments[0] == pytest.approx(30)


@in_virtual_time
async def test_something_cancelled_inside_a_handler_is_a_failure_and_not_the_end_of_the_worker() -> None:
    queue, log = make_queue(), Log()

    async def handler(key: str) -> None:
        await log(key)
        if key == "a" and log.keys.count("a") == 1:
            inner = asyncio.create_task(asyncio.sleep(10))
            asyncio.get_running_loop().call_later(1, inner.cancel)
            await inner

    async with working(queue, handler, workers=1):
        queue.add("a", Lane.GRANT)
        queue.add("b", Lane.GRANT)
        await asyncio.sleep(10)
    assert log.keys == ["a", "b", "a"]


@in_virtual_time
async def test_of_several_wishes_for_later_the_earliest_counts_in_the_most_urgent_lane() -> None:
    queue, log = make_queue(), Log()
    queue.add_after("late", 10, Lane.GRANT)
    queue.add_after("late", 5, Lane.STATUS)
    queue.add_after("late", 20, Lane.STATUS)
    queue.add_after("other", 5, Lane.CREATE)
    queue.add_after("now", 0, Lane.STATUS)
    assert (queue.delayed, len(queue)) == (2, 1)
    async with working(queue, log):
        await asyncio.sleep(4.9)
        assert log.keys == ["now"]
        await asyncio.sleep(0.2)
        assert log.keys == ["now", "late", "other"]
        await asyncio.sleep(30)
        assert log.keys == ["now", "late", "other"]


@in_virtual_time
async def test_after_closing_nothing_starts_and_what_is_in_work_may_end() -> None:
    queue, log = make_queue(), Log(seconds=5)
    for key in ("a", "b", "c"):
        queue.add(key, Lane.GRANT)
    queue.add_after("later", 3, Lane.GRANT)
    run = asyncio.create_task(queue.run(1, log, drain_seconds=10))
    await asyncio.sleep(1)
    queue.close()
    queue.add("d", Lane.GRANT)
    queue.add_after("e", 1, Lane.GRANT)
    await queue.idle()
    await run
    assert log.keys == ["a"]
    assert queue.delayed == 0


@in_virtual_time
async def test_work_that_does_not_end_in_time_after_closing_is_cancelled() -> None:
    queue, log = make_queue(), Log(seconds=1000)
    queue.add("a", Lane.GRANT)
    run = asyncio.create_task(queue.run(3, log, drain_seconds=10))
    await asyncio.sleep(1)
    closed_at = asyncio.get_running_loop().time()
    queue.close()
    await run
    assert asyncio.get_running_loop().time() - closed_at == pytest.approx(10)
    assert queue.in_work == 0


@in_virtual_time
async def test_when_the_run_is_cancelled_so_is_the_work_in_hand_which_a_later_run_takes_up() -> None:
    queue, log = make_queue(), Log(seconds=5)
    queue.add("a", Lane.GRANT)
    queue.add("b", Lane.STATUS)
    async with working(queue, log):
        await asyncio.sleep(1)
    assert len(queue) == 2
    async with working(queue, log):
        await queue.idle()
    assert log.keys == ["a", "a", "b"]


@in_virtual_time
async def test_idle_workers_share_what_comes() -> None:
    queue, log = make_queue(), Log(seconds=10)
    async with working(queue, log, workers=3):
        await asyncio.sleep(1)
        for key in "abcd":
            queue.add(key, Lane.GRANT)
        await asyncio.sleep(1)
        assert log.keys == ["a", "b", "c"]
        await asyncio.sleep(10)
        assert log.keys == ["a", "b", "c", "d"]


@settings(max_examples=100, deadline=None)
@given(
    wishes=st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(list(Lane)), st.sampled_from([0.0, 0.0, 0.5, 3.0])),
        max_size=60,
    ),
    workers=st.integers(1, 4),
    turn_every=st.integers(1, 5),
)
def test_whatever_is_added_is_looked_at_afterwards_and_by_one_worker_at_a_time(
    wishes: list[tuple[str, Lane, float]], workers: int, turn_every: int
) -> None:
    @in_virtual_time
    async def story() -> None:
        queue = make_queue(turn_every=turn_every)
        loop = asyncio.get_running_loop()
        begun: dict[str, float] = {}
        in_hand: set[str] = set()

        async def handler(key: str) -> None:
            assert key not in in_hand
            in_hand.add(key)
            begun[key] = loop.time()
            await asyncio.sleep(1)
            in_hand.remove(key)
            if len(begun) % 3 == 0 and queue.failures(key) < 2:
                raise TooManyRequests(Request("create", "pods"), "later")

        added: dict[str, float] = {}
        async with working(queue, handler, workers):
            for key, lane, pause in wishes:
                queue.add(key, lane)
                added[key] = loop.time()
                await asyncio.sleep(pause)
            await queue.idle()
            while queue.delayed:
                await asyncio.sleep(1)
                await queue.idle()
        assert all(begun[key] >= added[key] for key in added)

    story()
