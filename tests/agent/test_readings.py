"""A reading that never comes back stops nobody."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from aliquot.agent.nvml import NvmlError
from aliquot.agent.readings import Readings
from tests.agent.manual_clock import ManualClock

SOON = 0.01
LONG = 60.0


def readings(take: Callable[[], int], deadline_seconds: float = LONG) -> tuple[Readings[int], ManualClock]:
    clock = ManualClock()
    return Readings(take, clock, deadline_seconds), clock


async def test_each_call_takes_one() -> None:
    numbers = iter((1, 2))
    taken, _ = readings(lambda: next(numbers))
    await taken.fresh()
    assert taken.last is not None
    assert taken.last.value == 1
    await taken.fresh()
    assert taken.last.value == 2


async def test_who_comes_at_the_same_time_shares_one() -> None:
    calls: list[None] = []
    taken, _ = readings(lambda: len(calls.append(None) or calls))
    await asyncio.gather(*(taken.fresh() for _ in range(5)))
    assert len(calls) == 1


async def test_a_driver_that_does_not_answer_leaves_the_last_good_reading() -> None:
    answered = threading.Event()
    begun: list[None] = []

    def take() -> int:
        begun.append(None)
        if len(begun) == 2:
            answered.wait()
        return len(begun)

    taken, clock = readings(take, SOON)
    while taken.last is None:
        await taken.fresh()
    await taken.fresh()
    clock.seconds += 100
    assert taken.hung_seconds() == pytest.approx(100 - SOON)
    await taken.fresh()  # nobody waits for what is overdue, and no second one is begun
    assert (taken.last.value, len(begun)) == (1, 2)
    answered.set()
    clock.seconds -= 100
    while taken.last.value == 1:
        await taken.fresh()
    assert taken.error is None


async def test_a_reading_that_fails_is_told_and_the_next_may_succeed() -> None:
    outcomes: list[int | NvmlError] = [NvmlError("no driver"), 7]

    def take() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, NvmlError):
            raise outcome
        return outcome

    taken, _ = readings(take)
    await taken.fresh()
    assert (str(taken.error), taken.failures, taken.last) == ("no driver", 1, None)
    await taken.fresh()
    assert taken.error is None
    assert taken.last is not None


async def test_a_mistake_of_ours_is_not_hidden() -> None:
    taken, _ = readings(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await taken.fresh()
