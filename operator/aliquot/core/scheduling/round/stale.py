"""Last step that stops anybody: gangs that run with fewer tasks than their minimum for too long (scheduling.md 2.12).

What is left of such a gang holds room and gets nothing done. It is stopped whole, whoever it belongs to and whether or
not it may be stopped for others, and starts again when there is room for its minimum.
"""

from collections.abc import Collection

from aliquot.core.scheduling.facts import Job
from aliquot.core.scheduling.plan import Evict
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.gangs import short_of
from aliquot.core.scheduling.state.tasks import TaskRecord
from aliquot.core.scheduling.wording import count


def stop_stale_gangs(
    state: ClusterState, now: float, grace_seconds: float, spared: Collection[str], stopped: Collection[str]
) -> tuple[Evict, ...]:
    """Who is stopped, in the order of jobs.

    Args:
        state: what is known.
        now: Unix seconds.
        grace_seconds: how long a gang may stay so; negative: for ever.
        spared: jobs that this round helps.
        stopped: tasks that this round stops already.
    """
    if grace_seconds < 0:
        return ()
    stale = [
        job
        for job in state.incomplete()
        if job.stale_since is not None and now - job.stale_since >= grace_seconds and job.id not in spared
    ]
    found: list[Evict] = []
    for job in sorted(stale, key=lambda job: (job.created, job.name, job.id)):
        records = [record for record in state.tasks_of(job.id).values() if record.state.active]
        what = _short_of(job, records)
        if job.queue is not None and what is not None:
            assert job.stale_since is not None
            why = f"stopped because its gang is incomplete for {_seconds(now - job.stale_since)}: {what}"
            order = sorted(records, key=lambda record: (record.fact.created, record.fact.name, record.fact.id))
            found += [
                Evict(record.fact.id, job.id, why, "stale-gangs") for record in order if record.fact.id not in stopped
            ]
    return tuple(found)


def _short_of(job: Job, active: list[TaskRecord]) -> str | None:
    """What the gang has too little of, in words; None when it has enough, or nothing at all."""
    if not active:
        return None
    found = short_of(job, (record.fact for record in active))
    if found is None:
        return None
    pod_set, runs = found
    needs = "it needs" if job.group is None else f"its part {pod_set.name} needs"
    return f"{count(runs, 'pod')} of the {pod_set.min_member} that {needs} at least"


def _seconds(value: float) -> str:
    return f"{value:.0f} s"
