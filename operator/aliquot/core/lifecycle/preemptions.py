"""How often a workload has lost its GPUs to others, counted once each, whatever is killed in between (decisions/0015).

    evicter marks the pod ──▶ the status counts it, and names it as counted ──▶ evicter deletes the pod
                                          └──▶ the pod is gone: it is named no longer

A pod that is preempted is gone soon, so it is deleted only when the status has counted it. What is moved, or stopped by
somebody else, or with what is left of its gang, is not counted. One that is stopped for using too much of a GPU waits
in the same way for the same status to count it, as a failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.kinds.status import MAX_COUNTED_PODS
from aliquot.core.lifecycle.pods import ObservedPod


@dataclass(frozen=True, slots=True)
class Preemptions:
    """What is counted.

    Attributes:
        count: preemptions so far; never falls.
        counted: uids of the pods that exist and need not be counted any more.
    """

    count: int = 0
    counted: tuple[str, ...] = ()


NEVER: Final = Preemptions()


def tally(before: Preemptions, pods: Sequence[ObservedPod], preempted: Iterable[Sequence[ObservedPod]]) -> Preemptions:
    """Count what is not counted yet.

    Args:
        before: as the status remembers it.
        pods: all that exist.
        preempted: of each preemption that they tell of, the pods of which it is the only one. While any of them exists
            and is named as counted, it is not counted again.
    """
    there = {pod.uid for pod in pods}
    known, count = there.intersection(before.counted), before.count
    left = {pod.uid for pod in pods if pod.counts_first}
    for together in preempted:
        uids = {pod.uid for pod in together}
        left -= uids
        if known.isdisjoint(uids):
            if len(known) >= MAX_COUNTED_PODS:
                break  # the others have to wait until some of these are gone
            count += 1
        known |= uids
    else:
        known |= left  # no preemption by itself: it need not wait
    return Preemptions(count, tuple(sorted(known)[:MAX_COUNTED_PODS]))


def uncounted(before: Preemptions, pods: Iterable[ObservedPod]) -> frozenset[str]:
    """Return the names of the pods that must not be deleted before the status has counted them; arguments as above."""
    return frozenset(pod.name for pod in pods if pod.counts_first and pod.uid not in before.counted)


def each_alone(pods: Iterable[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
    """Return the preemptions of a workload whose pods lose their places one by one."""
    return ([pod] for pod in pods if pod.preempted)
