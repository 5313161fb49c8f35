"""When time alone changes what a round may decide: nothing else would have anybody look again."""

from collections.abc import Iterator

from aliquot.core.scheduling.settings import SchedulingSettings
from aliquot.core.scheduling.state.cluster import ClusterState


def next_moment(state: ClusterState, now: float, settings: SchedulingSettings = SchedulingSettings()) -> float | None:
    """When to decide again although nothing has happened, in Unix seconds; None: no time will make a difference.

    A gang that is short of pods is stopped when its grace period is over (scheduling.md 2.12), and what has begun only
    lately may be stopped for those who wait when it has had its time (scheduling.md 2.8).
    """
    return min((moment for moment in _moments(state, settings) if moment > now), default=None)


def _moments(state: ClusterState, settings: SchedulingSettings) -> Iterator[float]:
    grace = settings.stale_gang_grace_seconds
    runtimes = _runtimes(state) if state.waiting().asks else frozenset[float]()
    if grace < 0 and not runtimes:
        return
    for job in state.jobs().values():
        if job.stale_since is not None and grace >= 0:
            yield job.stale_since + grace
        if job.last_started is not None and job.preemptible:
            yield from (job.last_started + seconds for seconds in runtimes)


def _runtimes(state: ClusterState) -> frozenset[float]:
    """All the times for which some queue leaves its jobs alone."""
    queues = (queue for pool in state.pools.values() for queue in pool.queues.queues.values())
    said = {
        seconds
        for queue in queues
        for seconds in (queue.preempt_min_runtime_seconds, queue.reclaim_min_runtime_seconds)
    }
    return frozenset(seconds for seconds in said if seconds)
