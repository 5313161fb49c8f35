"""Work of pods that run together or not at all: distributed workloads (cluster-api.md 5.5, 6.1).

    a pod of a rigid gang ends or is lost      all others are deleted; when they have ended, all are made anew
    … the leader of an elastic one             the same
    … another pod of an elastic one            it alone is made anew
    the leader succeeds                        the workload is done, and `cleanPodPolicy` says which pods go

Indexes are ranks; there is never a second pod of a rank beside one that is alive. All pods that fail before a gang is
mended are one failure: when one goes, those that wait for it fail, too. Failures are waited for as those of training
workloads; a gang that others stopped is made anew at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.generation import Generation, generation_of, is_broken, vital_ranks
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import MOST_CREATIONS, NewPod, Steps, next_attempts, to_delete
from aliquot.core.submission import ValidDistributed


@dataclass(frozen=True, slots=True)
class Gang:
    """The `Course` of a distributed workload whose pods the operator makes itself."""

    spec: ValidDistributed

    @property
    def active(self) -> bool:
        """The kind has no parameter that suspends it (crd-contract.md)."""
        return True

    @property
    def backoff_limit(self) -> int | None:
        """See `Course`; here it counts failures of the gang."""
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
        """See `Course`. What succeeded counts for the generation in which it did, and no other."""
        generation = generation_of(self.spec, pods)
        done = generation.done
        if generation.begun:
            done |= {rank for rank in record.completed if rank < self.spec.size and rank not in generation.members}
        failures = generation.failures
        failed = max(record.failed, _told(pods, failures.values()))
        outcome = record.finished or self._outcome(done, failed)
        return Account(
            completed=done,
            failures=dict.fromkeys(failures, failed),
            failed=failed,
            last_failed=failures,
            outcome=outcome,
            ended_at=self._ended_at(generation, record, outcome),
        )

    def steps(self, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry) -> Steps:
        """See `Course`."""
        generation = generation_of(self.spec, pods)
        if is_broken(self.spec, generation, account.completed):
            return self._anew(account, pods, now, retry)
        create, look_again_at = self._missing(generation, account, pods, now, retry)
        delete = to_delete((pod for pod in pods if pod.alive), keep=generation.members.values())
        return Steps(create=create, delete=delete, look_again_at=look_again_at)

    def to_clean(self, pods: Iterable[ObservedPod], *, remembered: bool) -> Iterable[ObservedPod]:
        """See `Course`: by the `cleanPodPolicy`."""
        match self.spec.clean_pod_policy:
            case "None":
                return ()
            case "All" if remembered:
                return pods
            case _:
                return (pod for pod in pods if pod.alive)

    def wanted(self, account: Account, /) -> int:
        """See `Course`; an elastic gang may have more."""
        return max(0, self.spec.least - len(account.completed))

    def gpus(self, account: Account, /) -> Decimal:
        """See `Course`; of an elastic gang, of as many pods as it can make use of."""
        total = sum((self.spec.gpus(rank) for rank in account.completed), Decimal(0))
        leader, worker = self.spec.gpus(0), self.spec.gpus(self.spec.first_worker)
        return leader + worker * (self.spec.size - 1) - total

    def asks_for(self, index: int) -> bool:
        """See `Course`."""
        return index < self.spec.size

    def preempted(self, pods: Sequence[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
        """See `Course`: the gang as a whole, however many of its pods are marked by now.

        A pod that the others can do without is none: an elastic gang gives it up and goes on.
        """
        members = generation_of(self.spec, pods).members
        if any(rank in members and members[rank].preempted for rank in vital_ranks(self.spec)):
            yield list(members.values())

    def _to_succeed(self) -> range:
        """The ranks that must succeed: that of the leader where there is one.

        Without a chief TensorFlow is led by worker 0; an elastic gang by rank 0; plain PyTorch has no other leader than
        a master.
        """
        led = self.spec.master is not None or self.spec.job_type == "TFJob" or self.spec.elastic is not None
        return range(1 if led else self.spec.size)

    def _outcome(self, done: frozenset[int], failed: int) -> Outcome | None:
        if done.issuperset(self._to_succeed()):
            return "Completed"
        return "Failed" if failed > self.spec.backoff_limit else None

    def _ended_at(self, generation: Generation, record: Record, outcome: Outcome | None) -> float | None:
        if outcome is None:
            return None
        if record.completed_at is not None:
            return record.completed_at
        decisive = [pod for rank in self._to_succeed() if (pod := generation.members.get(rank)) is not None]
        if outcome == "Failed":
            decisive = list(generation.failures.values())
        return max((pod.finished_at for pod in decisive if pod.finished_at is not None), default=None)

    def _anew(self, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry) -> Steps:
        """End what is left of a generation, then begin another."""
        alive = [pod for pod in pods if pod.alive]
        if alive:
            return Steps(delete=to_delete(alive))
        due = max((retry.due(pod, account.failed) for pod in account.last_failed.values()), default=now)
        if due > now:
            return Steps(look_again_at=due)
        attempt = max(pod.attempt for pod in pods) + 1
        ranks = range(min(self.spec.size, MOST_CREATIONS))
        return Steps(create=tuple(NewPod(rank, attempt, account.failed) for rank in ranks))

    def _missing(
        self, generation: Generation, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry
    ) -> tuple[tuple[NewPod, ...], float | None]:
        """Return the pods that the generation lacks, and when the next rank has waited long enough."""
        busy = {pod.index for pod in pods if pod.alive}
        attempts = next_attempts(pods)
        begins = generation.begins
        if begins is None:
            # Pods that are gone had numbers, too: as many as there were failures, at least.
            begins = max(attempts.values(), default=account.failed)
        create: list[NewPod] = []
        waiting_until: list[float] = []
        for rank in range(self.spec.size):
            if len(create) == MOST_CREATIONS:
                break
            if rank in busy or rank in account.completed:
                continue
            last = account.last_failed.get(rank)
            if last is not None and (due := retry.due(last, account.failed)) > now:
                waiting_until.append(due)
                continue
            create.append(NewPod(rank, max(begins, attempts.get(rank, 0)), account.failed))
        return tuple(create), min(waiting_until, default=None)


def _told(pods: Iterable[ObservedPod], failures: Iterable[ObservedPod]) -> int:
    """Failures of the gang as pods tell of them: each carries those before it, whose objects may be gone."""
    carried = max((pod.failed_attempts for pod in pods), default=0)
    return max([carried, *(pod.failed_attempts + 1 for pod in failures)])
