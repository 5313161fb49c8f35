"""What a plan says: pods to create, pods to delete, and when to look again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Outcome
from aliquot.core.lifecycle.retries import Retry

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


def to_delete(pods: Iterable[ObservedPod], keep: Iterable[ObservedPod] = ()) -> tuple[str, ...]:
    """Names of those pods that nobody deletes yet, but for those to keep, sorted."""
    kept = {pod.name for pod in keep}
    return tuple(sorted(pod.name for pod in pods if not pod.deleting and pod.name not in kept))


def oldest_of_each(pods: Iterable[ObservedPod]) -> dict[int, ObservedPod]:
    """The oldest pod of each index that is alive and stays, by index."""
    oldest: dict[int, ObservedPod] = {}
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.attempt, pod.name)):
        if pod.alive and not pod.deleting:
            oldest.setdefault(pod.index, pod)
    return oldest


def next_attempts(pods: Iterable[ObservedPod]) -> dict[int, int]:
    """The number that the next pod of an index gets which no pod that exists has; without indexes that have no pod."""
    found: dict[int, int] = {}
    for pod in pods:
        found[pod.index] = max(found.get(pod.index, 0), pod.attempt + 1)
    return found


def missing(
    indexes: Iterable[int], most: int, account: Account, pods: Sequence[ObservedPod], now: float, retry: Retry
) -> tuple[tuple[NewPod, ...], float | None]:
    """Return the pods to create, and when the next index has waited long enough.

    Args:
        indexes: that are to have a pod, most urgent first; those that have one are passed over.
        most: pods that may be alive at a time.
        account: the balance of the pods.
        pods: all that exist.
        now: Unix seconds.
        retry: how long failed indexes wait.
    """
    alive = [pod for pod in pods if pod.alive]
    free = min(most - len(alive), MOST_CREATIONS)
    if free <= 0:
        return (), None
    busy = {pod.index for pod in alive}
    attempts = next_attempts(pods)
    # Failures of pods that are gone: the first pod that begins an index anew carries them on, so that the sum stays.
    orphaned = account.orphaned_failures
    create: list[NewPod] = []
    waiting_until: list[float] = []
    for index in indexes:
        if len(create) == free:
            break
        if index in busy or index in account.completed:
            continue
        failures = account.failures.get(index, 0)
        last_failed = account.last_failed.get(index)
        if last_failed is not None and (due := retry.due(last_failed, failures)) > now:
            waiting_until.append(due)
            continue
        attempt = attempts.get(index)
        if attempt is None:
            attempt, failures, orphaned = orphaned, orphaned, 0
        create.append(NewPod(index, attempt, failures))
    return tuple(create), min(waiting_until, default=None)
