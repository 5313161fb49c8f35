"""When time alone changes what a round may decide: nothing else would have anybody look again."""

from aliquot.core.scheduling.settings import SchedulingSettings
from aliquot.core.scheduling.state.cluster import ClusterState


def next_moment(state: ClusterState, now: float, settings: SchedulingSettings = SchedulingSettings()) -> float | None:
    """When to decide again although nothing has happened, in Unix seconds; None: no time will make a difference.

    A gang that is short of pods is stopped when its grace period is over (scheduling.md 2.12), and what has begun only
    lately may be stopped for those who wait when it has had its time (scheduling.md 2.8).
    """
    grace = settings.stale_gang_grace_seconds
    stale = state.moments.incomplete_for(grace, now) if grace >= 0 else None
    protected = state.moments.left_alone_until(now) if state.waiting().asks else None
    return min((moment for moment in (stale, protected) if moment is not None), default=None)
