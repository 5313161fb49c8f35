"""Which pods belong together, and what the scheduler is told of them: jobs and their tasks, each when it differs.

    pod ──▶ here ──▶ JobChanged, TaskChanged          granting ──▶ submit ──▶ Granted, GrantFailed, JobChanged
        └─▶ gone ──▶ TaskRemoved, JobRemoved

What a job is follows from its pods (`core.intake.gangs`). Two things are remembered beyond them, from the moment that
something is decided or noticed until the pods themselves say it: who has been granted a node, and which gangs are short
of pods. Whoever is told of the latter marks the pods, so that the next term knows it too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from aliquot.clock import Clock
from aliquot.core.intake import PodFacts, is_short, job_of
from aliquot.core.scheduling import (
    Granted,
    GrantFailed,
    JobChanged,
    JobRemoved,
    TaskChanged,
    TaskRemoved,
    facts,
)
from aliquot.core.scheduling.events import Event
from aliquot.core.scheduling.facts import TaskState


@dataclass(slots=True)
class _Gang:
    """A job and its pods, which may be one.

    Attributes:
        members: what its pods say, by uid.
        told: the job as it was told last.
        short_since: since when it is known to be short of pods.
        whole_at: when it was last found not to be short though pods were marked; older marks say nothing any more.
    """

    members: dict[str, PodFacts] = field(default_factory=dict[str, PodFacts])
    told: facts.Job | None = None
    short_since: float | None = None
    whole_at: float = 0.0


class Jobs:
    """Keeps the pods of each job together.

    Args:
        submit: takes events for the scheduler.
        clock: tells since when.
        on_short: told of the uids of the pods of a gang that has become short of pods, or is so no longer.
    """

    def __init__(
        self, submit: Callable[[Event], None], clock: Clock, on_short: Callable[[Iterable[str]], None]
    ) -> None:
        self._submit = submit
        self._clock = clock
        self._on_short = on_short
        self._gangs: dict[str, _Gang] = {}
        self._job_of: dict[str, str] = {}
        self._granted: dict[str, float] = {}

    # What happens

    def here(self, pod: PodFacts) -> None:
        """A pod is there, or differs from before."""
        uid, job_id = pod.task.id, pod.job.id
        before = self._job_of.get(uid)
        gang = self._gangs.setdefault(job_id, _Gang())
        known = gang.members.get(uid)
        if known == pod:
            return
        if pod.task.node is not None:
            self._granted.pop(uid, None)
        self._job_of[uid] = job_id
        gang.members[uid] = pod
        self._settle(gang)
        if known is None or known.task != pod.task:
            self._submit(TaskChanged(pod.task))
        if before is not None and before != job_id:
            self._leave(uid, before)

    def gone(self, uid: str) -> None:
        """A pod is gone."""
        job_id = self._job_of.pop(uid, None)
        self._granted.pop(uid, None)
        if job_id is not None:
            if len(self._gangs[job_id].members) > 1:
                self._submit(TaskRemoved(uid))
            self._leave(uid, job_id)

    def submit(self, event: Event) -> None:
        """Pass on what granting says. A pod that is about to be bound counts as running until it says so itself."""
        self._submit(event)
        match event:
            case Granted(task=uid):
                self._granted[uid] = self._clock.now()
            case GrantFailed(task=uid):
                self._granted.pop(uid, None)
            case _:
                return
        if (job_id := self._job_of.get(uid)) is not None:
            self._settle(self._gangs[job_id])

    # What is known

    def job_of(self, uid: str) -> str:
        """Id of the job that a pod belongs to; the pod's own where it is not known."""
        return self._job_of.get(uid, uid)

    def facts_of(self, uid: str) -> PodFacts | None:
        """What a pod says, as was heard last; None: nothing was."""
        gang = self._gangs.get(self.job_of(uid))
        return None if gang is None else gang.members.get(uid)

    def pods_of(self, job_id: str) -> list[str]:
        """The uids of the pods of a job, oldest first."""
        gang = self._gangs.get(job_id)
        tasks = [each.task for each in gang.members.values()] if gang is not None else []
        return [task.id for task in sorted(tasks, key=lambda task: (task.created, task.name, task.id))]

    def short(self, uid: str) -> facts.Job | None:
        """The gang of a pod that runs, if it is short of pods; None: it is not."""
        gang = self._gangs.get(self.job_of(uid))
        if gang is None or gang.told is None or gang.told.stale_since is None or gang.members[uid].started is None:
            return None
        return gang.told

    # Working it out

    def _leave(self, uid: str, job_id: str) -> None:
        gang = self._gangs[job_id]
        del gang.members[uid]
        if gang.members:
            self._settle(gang)
        else:
            del self._gangs[job_id]
            self._submit(JobRemoved(job_id))

    def _settle(self, gang: _Gang) -> None:
        """Tell what the job is now, if that differs."""
        members = [self._up_to_date(each, gang) for each in gang.members.values()]
        short = is_short(members)
        if short:
            gang.short_since = self._clock.now() if gang.short_since is None else gang.short_since
        else:
            gang.short_since = None
            if any(each.short_since is not None for each in members):
                gang.whole_at = self._clock.now()
        before, job = gang.told, job_of(members, gang.short_since, short=short)
        if job == before:
            return
        gang.told = job
        self._submit(JobChanged(job))
        if (job.stale_since is None) != (before is None or before.stale_since is None):
            self._on_short(list(gang.members))

    def _up_to_date(self, pod: PodFacts, gang: _Gang) -> PodFacts:
        """What the pod says, with what it does not say yet, and without what is no longer so."""
        if pod.short_since is not None and pod.short_since < gang.whole_at:
            pod = replace(pod, short_since=None)
        at = self._granted.get(pod.task.id)
        return replace(pod, started=at) if at is not None and pod.task.state is TaskState.PENDING else pod
