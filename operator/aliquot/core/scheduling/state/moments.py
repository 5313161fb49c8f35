"""Times after which a round may decide otherwise although nothing has happened, kept up to date job by job."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter

from aliquot.core.scheduling.facts import Job, Queue


class Moments:
    """When jobs began what lasts for a while, and for how long queues leave jobs alone. Unix seconds."""

    def __init__(self) -> None:
        self._incomplete: list[float] = []
        self._started: list[float] = []
        self._runtimes = Counter[float]()

    def job(self, before: Job | None, after: Job | None) -> None:
        """A job has come, differs from before, or has gone."""
        for each, sign in ((before, -1), (after, 1)):
            if each is None:
                continue
            _count(self._incomplete, each.stale_since, sign)
            if each.preemptible:
                _count(self._started, each.last_started, sign)

    def queue(self, before: Queue | None, after: Queue | None) -> None:
        """A queue has come, differs from before, or has gone."""
        for each, sign in ((before, -1), (after, 1)):
            for seconds in () if each is None else _runtimes(each):
                self._runtimes[seconds] += sign
                if not self._runtimes[seconds]:
                    del self._runtimes[seconds]

    def incomplete_for(self, seconds: float, now: float) -> float | None:
        """The first moment after now at which a job will have been short of tasks for so long."""
        return _first(self._incomplete, seconds, now)

    def left_alone_until(self, now: float) -> float | None:
        """The first moment after now at which a job that may be stopped has had the time that some queue gives."""
        found = (_first(self._started, seconds, now) for seconds in self._runtimes)
        return min((moment for moment in found if moment is not None), default=None)


def _runtimes(queue: Queue) -> list[float]:
    """For how long the queue leaves jobs alone; several times, where it says so more than once."""
    return [seconds for seconds in (queue.preempt_min_runtime_seconds, queue.reclaim_min_runtime_seconds) if seconds]


def _count(moments: list[float], moment: float | None, sign: int) -> None:
    if moment is None:
        return
    if sign > 0:
        insort(moments, moment)
    else:
        del moments[bisect_left(moments, moment)]


def _first(moments: list[float], seconds: float, now: float) -> float | None:
    at = bisect_right(moments, now, key=lambda moment: moment + seconds)
    return moments[at] + seconds if at < len(moments) else None
