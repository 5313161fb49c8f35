"""Everything that a status is made of, gathered by the reconciler."""

from dataclasses import dataclass

from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.submission import ValidSpec
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
    """

    generation: int
    created: float
    project: str | None
    job_name: str | None
    spec: ValidSpec | None
    errors: tuple[UserError, ...]
    pods: tuple[ObservedPod, ...]
    wait: Wait | None
    trouble: Wait | None
    deleting: bool
    retry: Retry | None = None
    urls: tuple[str, ...] | None = None

    @property
    def alive(self) -> tuple[ObservedPod, ...]:
        """The pods that have not ended."""
        return tuple(pod for pod in self.pods if pod.alive)
