"""The balance of a workload: what has succeeded, what has failed, and whether that is the end of it.

Both doors of this room, `plan` and `status`, begin with it, so that they never disagree. Pods tell what happened; the
record tells it for the pods that are gone. How the balance is drawn, the workload's `Course` knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aliquot.core.lifecycle.limits import over_at
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.preemptions import Preemptions, tally
from aliquot.core.lifecycle.record import Outcome, Record


@dataclass(frozen=True, slots=True)
class Account:
    """What the pods of a workload have come to.

    Attributes:
        completed: indexes that have succeeded.
        failures: how many pods of an index failed by themselves, as far as its pods tell; without those that had none.
        failed: how many pods of the workload did; no less than ever recorded.
        last_failed: of an index, the last pod that failed by itself.
        outcome: how the workload ended; None: it goes on.
        ended_at: when it ended, in Unix seconds; None: it goes on, or nothing tells when.
        time_over: why it was ended before it was done, as a sentence; None: it was not.
        preemptions: how often others took its GPUs; None: nobody has reckoned that.
        preempted: why that ended it, as a sentence; None: it did not.
    """

    completed: frozenset[int]
    failures: Mapping[int, int]
    failed: int
    last_failed: Mapping[int, ObservedPod]
    outcome: Outcome | None
    ended_at: float | None
    time_over: str | None = None
    preemptions: Preemptions | None = None
    preempted: str | None = None

    @property
    def cut_short(self) -> str | None:
        """Why it was ended before it was done, whatever ended it; None: it was not."""
        return self.time_over or self.preempted

    @property
    def orphaned_failures(self) -> int:
        """Failures that are recorded, but of which no pod tells any more."""
        return self.failed - sum(self.failures.values())


def within_time(account: Account, record: Record, pods: Sequence[ObservedPod], now: float) -> Account:
    """Return the account of a workload of whatever kind that ends when its time is over, if it has not ended before.

    Args:
        account: the balance of its pods.
        record: what the workload's status remembers.
        pods: all that exist.
        now: Unix seconds.
    """
    if record.timed_out:
        return replace(account, outcome="Failed", ended_at=record.completed_at, time_over="its time was over")
    if account.outcome is not None or record.timing is None:
        return account
    over = over_at(record.timing, pods, now)
    if over is None or over[0] > now:
        return account
    return replace(account, outcome="Failed", ended_at=record.completed_at, time_over=over[1])


def with_preemptions(
    account: Account,
    record: Record,
    pods: Sequence[ObservedPod],
    preempted: Iterable[Sequence[ObservedPod]],
    limit: int | None,
) -> Account:
    """Return the account of a workload of whatever kind that ends with a preemption beyond its limit.

    Only a new preemption ends it: a limit that is lowered below what was borne already waits for the next one.

    Args:
        account: the balance of its pods.
        record: what the workload's status remembers.
        pods: all that exist.
        preempted: the preemptions that they tell of, as of `tally`.
        limit: how many it bears; None: any number.
    """
    found = tally(record.preemptions, pods, preempted)
    account = replace(account, preemptions=found)
    if record.preempted:
        return replace(account, outcome="Failed", ended_at=record.completed_at, preempted="others took its GPUs")
    if account.outcome is not None or limit is None or not max(limit, record.preemptions.count) < found.count:
        return account
    return replace(
        account,
        outcome="Failed",
        ended_at=record.completed_at,
        preempted=_preempted(found.count, limit, pods),
    )


def _preempted(count: int, limit: int, pods: Iterable[ObservedPod]) -> str:
    what = "it was preempted, and is not to wait for its next turn"
    if limit:
        what = f"preemptions: {count}, preemptionLimit: {limit}"
    last = max((pod for pod in pods if pod.preempted), key=lambda pod: (pod.index, pod.attempt), default=None)
    return what if last is None else f"{what}; pod {last.name} was {last.message}"


def unread_account(pods: Sequence[ObservedPod], record: Record) -> Account:
    """Draw the balance of a workload of which nobody can tell what it asks for: nothing ends by it."""
    completed = record.completed | succeeded_indexes(pods)
    failures, last_failed = failures_of(pods)
    failed = max(record.failed, sum(failures.values()))
    ended = ended_at(pods, record, record.finished)
    return Account(completed, failures, failed, last_failed, record.finished, ended)


def succeeded_indexes(pods: Iterable[ObservedPod]) -> frozenset[int]:
    """The indexes of which a pod has succeeded."""
    return frozenset(pod.index for pod in pods if pod.phase is PodPhase.SUCCEEDED)


def failures_of(pods: Iterable[ObservedPod]) -> tuple[dict[int, int], dict[int, ObservedPod]]:
    """Count failures by index, and return the last pod of each that failed.

    Each pod also tells of those before it, whose objects may be gone.
    """
    told: dict[int, int] = {}
    seen: dict[int, int] = {}
    last: dict[int, ObservedPod] = {}
    for pod in pods:
        index = pod.index
        told[index] = max(told.get(index, 0), pod.failed_attempts + pod.own_failure)
        if pod.own_failure:
            seen[index] = seen.get(index, 0) + 1
            if index not in last or pod.attempt > last[index].attempt:
                last[index] = pod
    counts = {index: max(count, seen.get(index, 0)) for index, count in told.items()}
    return {index: count for index, count in counts.items() if count}, last


def ended_at(pods: Iterable[ObservedPod], record: Record, outcome: Outcome | None) -> float | None:
    """When a workload ended that has that outcome: as recorded, or when the last pod did that decided it."""
    if outcome is None:
        return None
    if record.completed_at is not None:
        return record.completed_at
    decisive = (pod for pod in pods if (pod.phase is PodPhase.SUCCEEDED if outcome == "Completed" else pod.own_failure))
    return max((pod.finished_at for pod in decisive if pod.finished_at is not None), default=None)
