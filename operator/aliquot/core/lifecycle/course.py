"""How a workload runs its course, which differs by kind; everything else in this room is the same for all."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

from aliquot.core.lifecycle.account import Account, with_preemptions, within_time
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps


class Course(Protocol):
    """What a workload asks for, as far as its life depends on it. One class for each kind, made by `course_of`."""

    @property
    def active(self) -> bool:
        """False: suspended, no pods."""
        ...

    @property
    def backoff_limit(self) -> int | None:
        """How many failed pods are replaced; None: any number."""
        ...

    @property
    def ttl_seconds(self) -> int | None:
        """Seconds from the end to the deletion of the workload; None: it stays."""
        ...

    @property
    def preemption_limit(self) -> int | None:
        """How many preemptions it bears; None: any number."""
        ...

    def seen(self, pods: Sequence[ObservedPod]) -> Sequence[ObservedPod]:
        """Return the pods as this kind takes them; all that follows is about these."""
        ...

    def reckon(self, pods: Sequence[ObservedPod], record: Record) -> Account:
        """Draw the balance.

        Args:
            pods: all that exist, in any order.
            record: what the workload's status remembers.
        """
        ...

    def steps(self, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry) -> Steps:
        """Decide what to do next while the workload goes on and is active.

        Args:
            account: the balance.
            pods: all that exist, in any order.
            now: Unix seconds.
            retry: how long failed indexes wait.
        """
        ...

    def to_clean(self, pods: Iterable[ObservedPod], *, remembered: bool) -> Iterable[ObservedPod]:
        """Return the pods that go when the workload has ended.

        Args:
            pods: all that exist.
            remembered: whether the status says how it ended, so that nothing is lost with the pods.
        """
        ...

    def wanted(self, account: Account, /) -> int:
        """Return how many pods should be alive while the workload goes on and is active."""
        ...

    def gpus(self, account: Account, /) -> Decimal:
        """Return the GPUs of these pods together; memory on a GPU counts each of its devices whole."""
        ...

    def asks_for(self, index: int) -> bool:
        """Whether there is to be a pod of that index at some time."""
        ...

    def preempted(self, pods: Sequence[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
        """Return the preemptions that the pods tell of, as of `preemptions.tally`."""
        ...


def reckoned(course: Course, pods: Sequence[ObservedPod], record: Record, now: float) -> Account:
    """Draw the balance of a workload of whatever kind, with what may end it before it is done.

    Args:
        course: of its kind.
        pods: all that exist, as the kind takes them.
        record: what the workload's status remembers.
        now: Unix seconds.
    """
    account = course.reckon(pods, record)
    account = with_preemptions(account, record, pods, course.preempted(pods), course.preemption_limit)
    return within_time(account, record, pods, now)
