"""Work that never finishes by itself: interactive workloads (cluster-api.md 2.1, 6.1).

There is one pod. When its container ends, with whatever exit code, its node starts it again, with a back-off. When the
pod itself is gone, was evicted or has failed as a whole, the next one is made: at once, or after the wait of a failed
pod. That goes on until the workload is deleted or suspended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from aliquot.core.lifecycle.account import Account, failures_of
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.preemptions import each_alone
from aliquot.core.lifecycle.record import Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps, missing, oldest_of_each, to_delete
from aliquot.core.submission import ValidInteractive

_INDEX: Final = 0
"""Of the only pod."""
_KEPT: Final = 1
"""Pods that have ended and stay, for their logs: the latest."""


@dataclass(frozen=True, slots=True)
class Endless:
    """The `Course` of an interactive workload."""

    spec: ValidInteractive

    @property
    def active(self) -> bool:
        """See `Course`."""
        return self.spec.active

    @property
    def backoff_limit(self) -> int | None:
        """Any number of pods is replaced."""
        return None

    @property
    def ttl_seconds(self) -> int | None:
        """See `Course`; there is no end that it could follow."""
        return self.spec.ttl_seconds

    @property
    def preemption_limit(self) -> int | None:
        """See `Course`."""
        return self.spec.preemption_limit

    def seen(self, pods: Sequence[ObservedPod]) -> Sequence[ObservedPod]:
        """Take a pod that has ended well for one that has failed: it was not to end."""
        return [
            replace(pod, phase=PodPhase.FAILED, disrupted=pod.deleting) if pod.phase is PodPhase.SUCCEEDED else pod
            for pod in pods
        ]

    def reckon(self, pods: Sequence[ObservedPod], record: Record) -> Account:
        """See `Course`: whatever fails, it goes on."""
        failures, last_failed = failures_of(pods)
        failed = max(record.failed, sum(failures.values()))
        return Account(frozenset(), failures, failed, last_failed, None, None)

    def steps(self, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry) -> Steps:
        """See `Course`. Of the pods that have ended the latest stays, or they would gather without end."""
        create, look_again_at = missing((_INDEX,), 1, account, pods, now, retry)
        kept = oldest_of_each(pods).get(_INDEX)
        ended = sorted((pod for pod in pods if not pod.alive), key=lambda pod: (pod.attempt, pod.created, pod.name))
        keep = [*([kept] if kept is not None else []), *ended[-_KEPT:]]
        return Steps(create=create, delete=to_delete(pods, keep), look_again_at=look_again_at)

    def to_clean(self, pods: Iterable[ObservedPod], *, remembered: bool) -> Iterable[ObservedPod]:  # noqa: ARG002
        """See `Course`: those that have ended stay for their logs."""
        return (pod for pod in pods if pod.alive)

    def wanted(self, _account: Account, /) -> int:
        """See `Course`."""
        return 1

    def gpus(self, _account: Account, /) -> Decimal:
        """See `Course`."""
        return self.spec.pod.compute.gpus.together

    def asks_for(self, index: int) -> bool:
        """See `Course`."""
        return index == _INDEX

    def preempted(self, pods: Sequence[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
        """See `Course`: there is one pod."""
        return each_alone(pods)
