"""Work that is done once a number of pods have succeeded: training (cluster-api.md 5.5, 6.1).

Every index from 0 to `completions` - 1 must succeed once. It has one pod at a time, and no more than `parallelism` pods
are alive; one that is being deleted is, until it has ended, for it still has its GPUs. Lowest indexes go first. These
are the rules of batch/v1 Jobs with indexes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from aliquot.core.lifecycle.account import Account, ended_at, failures_of, succeeded_indexes
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.preemptions import each_alone
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps, missing, oldest_of_each, to_delete
from aliquot.core.submission import ValidJob, ValidSpec


@dataclass(frozen=True, slots=True)
class Indexed:
    """The `Course` of a training workload, or of a RunaiJob."""

    spec: ValidSpec | ValidJob

    @property
    def active(self) -> bool:
        """See `Course`."""
        return self.spec.active

    @property
    def backoff_limit(self) -> int | None:
        """See `Course`."""
        return self.spec.backoff_limit

    @property
    def ttl_seconds(self) -> int | None:
        """See `Course`."""
        return self.spec.ttl_seconds

    @property
    def preemption_limit(self) -> int | None:
        """See `Course`."""
        return self.spec.preemption_limit

    def seen(self, pods: Sequence[ObservedPod]) -> Sequence[ObservedPod]:
        """Return them as they are."""
        return pods

    def reckon(self, pods: Sequence[ObservedPod], record: Record) -> Account:
        """See `Course`: only what is within `completions` counts."""
        done = record.completed | succeeded_indexes(pods)
        completed = frozenset(index for index in done if index < self.spec.completions)
        failures, last_failed = failures_of(pods)
        failed = max(record.failed, sum(failures.values()))
        outcome = record.finished or self._outcome(len(completed), failed)
        return Account(completed, failures, failed, last_failed, outcome, ended_at(pods, record, outcome))

    def steps(self, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry) -> Steps:
        """See `Course`."""
        most = self.spec.parallelism
        create, look_again_at = missing(range(self.spec.completions), most, account, pods, now, retry)
        found = oldest_of_each(pods)
        wanted = [index for index in sorted(found) if self.asks_for(index) and index not in account.completed]
        alive = (pod for pod in pods if pod.alive)
        delete = to_delete(alive, keep=(found[index] for index in wanted[:most]))
        return Steps(create=create, delete=delete, look_again_at=look_again_at)

    def to_clean(self, pods: Iterable[ObservedPod], *, remembered: bool) -> Iterable[ObservedPod]:  # noqa: ARG002
        """See `Course`: those that have ended stay for their logs."""
        return (pod for pod in pods if pod.alive)

    def wanted(self, account: Account, /) -> int:
        """See `Course`."""
        return min(self.spec.parallelism, self.spec.completions - len(account.completed))

    def gpus(self, account: Account, /) -> Decimal:
        """See `Course`."""
        return self.spec.gpus * self.wanted(account)

    def asks_for(self, index: int) -> bool:
        """See `Course`."""
        return index < self.spec.completions

    def preempted(self, pods: Sequence[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
        """See `Course`: pods are scheduled, and stopped, one by one."""
        return each_alone(pods)

    def _outcome(self, completed: int, failed: int) -> Outcome | None:
        if completed >= self.spec.completions:
            return "Completed"
        return "Failed" if failed > self.spec.backoff_limit else None
