"""Which pods belong together, and what the scheduler is told of them: jobs and their tasks, each when it differs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aliquot.core.scheduling import JobChanged, JobRemoved, TaskChanged, TaskRemoved
from aliquot.core.scheduling.events import Event
from aliquot.core.scheduling.facts import Job, Task


@dataclass(slots=True)
class _Gang:
    """A job and its pods, which may be one.

    Attributes:
        members: the job as each of its pods says it, and the pod, by uid.
        told: the job as it was told last.
    """

    members: dict[str, tuple[Job, Task]] = field(default_factory=dict[str, tuple[Job, Task]])
    told: Job | None = None

    def job(self) -> Job:
        """The job that its pods make up: what its oldest pod says, with the minimum of the one that needs most."""
        if len(self.members) == 1:
            return next(iter(self.members.values()))[0]
        oldest, _ = min(self.members.values(), key=_age)
        most, _ = min(self.members.values(), key=lambda each: (-each[0].min_member, *_age(each)))
        return replace(oldest, min_member=most.min_member, group=most.group)


def _age(member: tuple[Job, Task]) -> tuple[float, str, str]:
    task = member[1]
    return (task.created, task.name, task.id)


class Jobs:
    """Keeps the pods of each job together.

    Args:
        submit: takes events for the scheduler.
    """

    def __init__(self, submit: Callable[[Event], None]) -> None:
        self._submit = submit
        self._gangs: dict[str, _Gang] = {}
        self._job_of: dict[str, str] = {}

    def here(self, job: Job, task: Task) -> None:
        """A pod is there, or differs from before; `job` is what it says of the job that it belongs to."""
        before = self._job_of.get(task.id)
        gang = self._gangs.setdefault(job.id, _Gang())
        known = gang.members.get(task.id)
        if known == (job, task):
            return
        self._job_of[task.id] = job.id
        gang.members[task.id] = (job, task)
        if known is None or known[0] != job:
            self._settle(gang)
        if known is None or known[1] != task:
            self._submit(TaskChanged(task))
        if before is not None and before != job.id:
            self._leave(task.id, before)

    def gone(self, uid: str) -> None:
        """A pod is gone."""
        job_id = self._job_of.pop(uid, None)
        if job_id is not None:
            if len(self._gangs[job_id].members) > 1:
                self._submit(TaskRemoved(uid))
            self._leave(uid, job_id)

    def job_of(self, uid: str) -> str:
        """Id of the job that a pod belongs to; the pod's own where it is not known."""
        return self._job_of.get(uid, uid)

    def pods_of(self, job_id: str) -> list[str]:
        """The uids of the pods of a job, oldest first."""
        gang = self._gangs.get(job_id)
        members = gang.members.values() if gang is not None else ()
        return [task.id for _, task in sorted(members, key=_age)]

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
        job = gang.job()
        if job != gang.told:
            gang.told = job
            self._submit(JobChanged(job))
