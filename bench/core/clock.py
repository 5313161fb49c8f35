"""Taking times, and an end to what takes too long."""

import gc
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


class OutOfTimeError(Exception):
    """What was measured took longer than it may."""


@contextmanager
def within(seconds: int) -> Generator[None]:
    """Stop what runs inside after so many seconds by the clock. In the main thread only.

    Raises:
        OutOfTimeError: there, wherever it is.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def best(runs: int, prepare: Callable[[], Callable[[], object]]) -> dict[str, float]:
    """Seconds by the clock, and seconds of this process on a CPU, of the fastest of some runs.

    What `prepare` does is not counted, nor is collecting garbage.
    """
    wall, cpu = float("inf"), float("inf")
    for _ in range(runs):
        measured = prepare()
        gc.collect()
        gc.disable()
        began, worked = time.perf_counter(), time.process_time()
        measured()
        wall, cpu = min(wall, time.perf_counter() - began), min(cpu, time.process_time() - worked)
        gc.enable()
    return {"seconds": wall, "cpu_seconds": cpu}
