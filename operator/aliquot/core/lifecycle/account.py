"""The balance of a workload: what has succeeded, what has failed, and whether that is the end of it.

Both doors of this room, `plan` and `status`, begin here, so that they never disagree. Pods tell what happened; the
record tells it for the pods that are gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.submission import ValidSpec


@dataclass(frozen=True, slots=True)
class Account:
    """What the pods of a workload have come to.

    Attributes:
        completed: indexes that have succeeded, within `completions`.
        failures: how many pods of an index failed by themselves, as far as its pods tell; without those that had none.
        failed: how many pods of the workload did; no less than ever recorded.
        last_failed: of an index, the last pod that failed by itself.
        outcome: how the workload ended; None: it goes on.
        ended_at: when it ended, in Unix seconds; None: it goes on, or nothing tells when.
    """

    completed: frozenset[int]
    failures: Mapping[int, int]
    failed: int
    last_failed: Mapping[int, ObservedPod]
    outcome: Outcome | None
    ended_at: float | None

    @property
    def orphaned_failures(self) -> int:
        """Failures that are recorded, but of which no pod tells any more."""
        return self.failed - sum(self.failures.values())


def reckon(spec: ValidSpec | None, pods: Sequence[ObservedPod], record: Record) -> Account:
    """Draw the balance.

    Args:
        spec: what was asked for; None if it cannot be read: then nothing ends by it.
        pods: all that exist, in any order.
        record: what the workload's status remembers.
    """
    succeeded = {pod.index for pod in pods if pod.phase is PodPhase.SUCCEEDED}
    completed = record.completed | succeeded if succeeded else record.completed
    if spec is not None:
        completed = frozenset(index for index in completed if index < spec.completions)
    failures, last_failed = _failures(pods)
    failed = max(record.failed, sum(failures.values()))
    outcome = record.finished or _outcome(spec, len(completed), failed)
    return Account(completed, failures, failed, last_failed, outcome, _ended_at(pods, record, outcome))


def _failures(pods: Sequence[ObservedPod]) -> tuple[dict[int, int], dict[int, ObservedPod]]:
    """Count failures by index: each pod also tells of those before it, whose objects may be gone."""
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


def _outcome(spec: ValidSpec | None, completed: int, failed: int) -> Outcome | None:
    if spec is None:
        return None
    if completed >= spec.completions:
        return "Completed"
    return "Failed" if failed > spec.backoff_limit else None


def _ended_at(pods: Sequence[ObservedPod], record: Record, outcome: Outcome | None) -> float | None:
    if outcome is None:
        return None
    if record.completed_at is not None:
        return record.completed_at
    decisive = (pod for pod in pods if (pod.phase is PodPhase.SUCCEEDED if outcome == "Completed" else pod.own_failure))
    return max((pod.finished_at for pod in decisive if pod.finished_at is not None), default=None)
