"""What to create and what to delete next, so that a workload comes to its end: rules of batch/v1 Jobs with indexes.

Every index from 0 to `completions` - 1 must succeed once. It has one pod at a time, and no more than `parallelism` pods
are alive; one that is being deleted is, until it has ended, for it still has its GPUs. Lowest indexes go first.

A plan depends on nothing but what it is given: the same world again gives the same plan, and a world in which it was
carried out gives an empty one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.core.lifecycle.account import Account, reckon
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.submission import ValidSpec

MOST_CREATIONS: Final = 500
"""Pods that one plan creates, as in batch/v1; once they exist, the next plan creates more."""


@dataclass(frozen=True, slots=True)
class NewPod:
    """A pod to create.

    Attributes:
        index: which of the completions it works on.
        attempt: number of its name; no pod that exists has it.
        failed_attempts: how many earlier pods of its index failed by themselves.
    """

    index: int
    attempt: int
    failed_attempts: int


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do next, in any order.

    Attributes:
        create: pods to create, lowest index first.
        delete: names of pods to delete gracefully, sorted.
        delete_workload: the workload itself is to be deleted, and its pods with it.
        look_again_at: when the answer changes though nothing else does, in Unix seconds; None: never.
        outcome: how the workload ended; None: it goes on.
    """

    create: tuple[NewPod, ...] = ()
    delete: tuple[str, ...] = ()
    delete_workload: bool = False
    look_again_at: float | None = None
    outcome: Outcome | None = None


def plan(spec: ValidSpec, pods: Sequence[ObservedPod], record: Record, now: float, retry: Retry) -> Steps:
    """Decide what to do next.

    Args:
        spec: what was asked for.
        pods: all that exist of the workload, in any order, also those that have ended.
        record: what the workload's status remembers.
        now: Unix seconds.
        retry: how long failed indexes wait.
    """
    account = reckon(spec, pods, record)
    alive = [pod for pod in pods if pod.alive]
    if account.outcome is not None:
        return _wind_up(spec, account, account.outcome, alive, now)
    if not spec.active:
        return Steps(delete=_to_delete(alive, keep=()))
    create, look_again_at = _missing(spec, account, pods, alive, now, retry)
    delete = _to_delete(alive, keep=_wanted(spec, account, alive))
    return Steps(create=create, delete=delete, look_again_at=look_again_at)


def _wind_up(spec: ValidSpec, account: Account, outcome: Outcome, alive: Iterable[ObservedPod], now: float) -> Steps:
    """End what still runs; pods that have ended stay for their logs until the workload goes."""
    goes_at = None
    if spec.ttl_seconds is not None:
        goes_at = (now if account.ended_at is None else account.ended_at) + spec.ttl_seconds
    goes_now = goes_at is not None and now >= goes_at
    return Steps(
        delete=_to_delete(alive, keep=()),
        delete_workload=goes_now,
        look_again_at=None if goes_now else goes_at,
        outcome=outcome,
    )


def _to_delete(alive: Iterable[ObservedPod], keep: Iterable[ObservedPod]) -> tuple[str, ...]:
    kept = {pod.name for pod in keep}
    return tuple(sorted(pod.name for pod in alive if not pod.deleting and pod.name not in kept))


def _wanted(spec: ValidSpec, account: Account, alive: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Choose the pods to keep: the oldest of each index that is still to be done, lowest indexes first."""
    oldest: dict[int, ObservedPod] = {}
    for pod in sorted(alive, key=lambda pod: (pod.created, pod.attempt, pod.name)):
        if not pod.deleting and pod.index < spec.completions and pod.index not in account.completed:
            oldest.setdefault(pod.index, pod)
    return [oldest[index] for index in sorted(oldest)[: spec.parallelism]]


def _missing(
    spec: ValidSpec,
    account: Account,
    pods: Sequence[ObservedPod],
    alive: Sequence[ObservedPod],
    now: float,
    retry: Retry,
) -> tuple[tuple[NewPod, ...], float | None]:
    """Return the pods to create, and when the next index has waited long enough."""
    free = min(spec.parallelism - len(alive), MOST_CREATIONS)
    if free <= 0:
        return (), None
    busy = {pod.index for pod in alive}
    next_attempts: dict[int, int] = {}
    for pod in pods:
        next_attempts[pod.index] = max(next_attempts.get(pod.index, 0), pod.attempt + 1)
    # Failures of pods that are gone: the first pod that begins an index anew carries them on, so that the sum stays.
    orphaned = account.orphaned_failures
    create: list[NewPod] = []
    waiting_until: list[float] = []
    for index in range(spec.completions):
        if len(create) == free:
            break
        if index in busy or index in account.completed:
            continue
        failures = account.failures.get(index, 0)
        last_failed = account.last_failed.get(index)
        if last_failed is not None and (due := retry.due(last_failed, failures)) > now:
            waiting_until.append(due)
            continue
        attempt = next_attempts.get(index)
        if attempt is None:
            attempt, failures, orphaned = orphaned, orphaned, 0
        create.append(NewPod(index, attempt, failures))
    return tuple(create), min(waiting_until, default=None)
