"""Everything that a status is made of, gathered by the reconciler."""

from dataclasses import dataclass, replace

from aliquot.core.lifecycle.account import Account, unread_account, with_preemptions
from aliquot.core.lifecycle.course import Course, reckoned
from aliquot.core.lifecycle.courses import course_of
from aliquot.core.lifecycle.limits import NO_LIMITS, Limits
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.submission import Valid
from aliquot.errors import UserError


@dataclass(frozen=True, slots=True)
class Wait:
    """Why something does not go on.

    Attributes:
        code: one word for programs, such as `OverLimit` or `NoProject`.
        sentence: the same for people, with numbers.
    """

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a workload.

    Attributes:
        generation: of the object that `spec` was read from.
        created: when the workload was made, in Unix seconds.
        project: whose quota it uses; None: its namespace belongs to none.
        job_name: the name it gives, or the one chosen for it.
        spec: what it asks for; None exactly if there are `errors`, or it was not read because of `trouble`.
        errors: everything that is wrong with what it asks for.
        pods: all that exist, in any order, also those that have ended.
        wait: why its first waiting pod has no node, from the scheduler; or what keeps us from making a missing pod
            while others live on undisturbed.
        trouble: what keeps us from making its pods, curable by others: NoProject, NameTaken, CreateRefused, …; while
            pods live, the workload is degraded by it.
        deleting: the workload is being deleted.
        retry: how long failed indexes wait, to tell when the next try is; None: it is not told.
        urls: addresses outside the cluster that lead to it; None: it is not known whether it has any.
        limits: the time limits that hold if it starts now.
    """

    generation: int
    created: float
    project: str | None
    job_name: str | None
    spec: Valid | None
    errors: tuple[UserError, ...]
    pods: tuple[ObservedPod, ...]
    wait: Wait | None
    trouble: Wait | None
    deleting: bool
    retry: Retry | None = None
    urls: tuple[str, ...] | None = None
    limits: Limits = NO_LIMITS

    @property
    def alive(self) -> tuple[ObservedPod, ...]:
        """The pods that have not ended."""
        return tuple(pod for pod in self.pods if pod.alive)

    @property
    def course(self) -> Course | None:
        """How the workload runs its course; None: nobody can tell."""
        return None if self.spec is None else course_of(self.spec)

    def seen(self) -> "Facts":
        """Return the same with the pods as the workload's kind takes them."""
        return self if self.course is None else replace(self, pods=tuple(self.course.seen(self.pods)))

    def reckon(self, record: Record, now: float) -> Account:
        """Draw the balance of the pods; `record` as of `Course.reckon`, `now` in Unix seconds."""
        course = self.course
        if course is None:
            return with_preemptions(unread_account(self.pods, record), record, self.pods, (), None)
        return reckoned(course, self.pods, record, now)
