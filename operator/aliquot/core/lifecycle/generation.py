"""Which pods of a gang belong together now, and whether they can go on.

A gang's pods are numbered by rank, and those of a rank by attempt. Those that run together are a *generation*:

    rigid      all pods are of one attempt: none can be replaced while the others run
    elastic    it goes on as long as its leader does, rank 0; the other ranks may have later attempts than it

A generation that cannot go on is broken: what is left of it ends, and the next begins with a higher attempt.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.core.lifecycle.pods import DELETED, ObservedPod, PodPhase
from aliquot.core.submission import ValidDistributed

_NOT_BEGUN: Final = (PodPhase.WAITING, PodPhase.STARTING)


@dataclass(frozen=True, slots=True)
class Generation:
    """Pods that run together.

    Attributes:
        begins: its first attempt; None: there is no generation.
        members: its pods by rank; of several of a rank, the last.
        lost: those of them that ended badly or are going, and that the others cannot do without.
    """

    begins: int | None
    members: Mapping[int, ObservedPod]
    lost: tuple[ObservedPod, ...]

    @property
    def begun(self) -> bool:
        """Whether one of its pods runs or ran."""
        return any(pod.phase not in _NOT_BEGUN for pod in self.members.values())

    @property
    def taken(self) -> bool:
        """Whether others stopped it: that its pods fail then is no failure of theirs, they wait for one another."""
        return any(pod.disrupted and pod.reason not in ("", DELETED) for pod in self.lost)

    @property
    def failures(self) -> dict[int, ObservedPod]:
        """The pods that failed by themselves, by rank."""
        return {} if self.taken else {rank: pod for rank, pod in self.members.items() if pod.own_failure}

    @property
    def done(self) -> frozenset[int]:
        """The ranks whose pods have succeeded."""
        return frozenset(rank for rank, pod in self.members.items() if pod.phase is PodPhase.SUCCEEDED)


def generation_of(spec: ValidDistributed, pods: Sequence[ObservedPod]) -> Generation:
    """Find the generation among the pods of a gang, in any order."""
    vital = vital_ranks(spec)
    attempts = [pod.attempt for pod in pods if pod.index in vital]
    begins = max(attempts) if attempts else min((pod.attempt for pod in pods if pod.alive), default=None)
    members: dict[int, ObservedPod] = {}
    if begins is not None:
        for pod in sorted(pods, key=lambda pod: (pod.attempt, pod.name)):
            if pod.attempt >= begins and pod.index < spec.size:
                members[pod.index] = pod
    lost = tuple(pod for rank, pod in sorted(members.items()) if rank in vital and _is_lost(pod))
    return Generation(begins, members, lost)


def is_broken(spec: ValidDistributed, generation: Generation, done: Collection[int]) -> bool:
    """Whether a generation cannot go on: a pod is lost, or has vanished, without which the others cannot.

    A pod that is missing before any has begun was not made yet: a gang gets its nodes when all its pods are there.

    Args:
        spec: what was asked for.
        generation: the pods.
        done: ranks that have succeeded.
    """
    if generation.lost:
        return True
    return generation.begun and any(rank not in generation.members and rank not in done for rank in vital_ranks(spec))


def vital_ranks(spec: ValidDistributed) -> range:
    """Return the ranks that the others cannot do without."""
    return range(spec.size if spec.elastic is None else 1)


def _is_lost(pod: ObservedPod) -> bool:
    return pod.phase is not PodPhase.SUCCEEDED and (not pod.alive or pod.deleting or pod.disrupted)
