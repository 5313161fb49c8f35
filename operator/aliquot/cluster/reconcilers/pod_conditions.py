"""What pods are told on themselves, as conditions. A pod to which none applies has none of them.

    aliquot.dev/Understood      False: what the pod asks for cannot be followed, with field, value and what is allowed
    aliquot.dev/GangComplete    False: its gang has run with fewer pods than its minimum since then
    aliquot.dev/GpusHealthy     False: a GPU that it has cannot be used, and why
    aliquot.dev/GpuMemoryKept   False: it uses more memory of a GPU than it was given, with the numbers when it began

All but the second come with an Event, once. The second is the memory of how long a gang has been short of pods: a term
that begins later finds it on the pods (`core.intake.gangs`).

A condition that no longer holds becomes True. It is not taken away: from a pod of whose status nobody else has written
anything yet, the API server (1.36) then takes the phase as well, and no kubelet starts such a pod.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.clock import Clock, timestamp
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.conditions import write_conditions
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Condition, Pod
from aliquot.core.intake import pod_problems
from aliquot.core.scheduling import facts
from aliquot.core.scheduling.state.gangs import minimum_of
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound

INVALID_REQUEST: Final = "InvalidRequest"
"""Why a pod is not understood, as one word."""
_TOO_FEW_PODS: Final = "TooFewPods"
_GPU_BROKEN: Final = "GpuBroken"
_CURED: Final = "Cured"
_OF_GPUS: Final = (names.GPUS_HEALTHY_CONDITION, names.GPU_MEMORY_KEPT_CONDITION)
_OURS: Final = (names.UNDERSTOOD_CONDITION, names.GANG_COMPLETE_CONDITION, *_OF_GPUS)
_LONGEST_MESSAGE: Final = 1024
_ASKING: Final = frozenset(
    {
        names.GPU_FRACTION_ANNOTATION,
        names.GPU_MEMORY_ANNOTATION,
        names.GPU_DEVICES_ANNOTATION,
        names.GPU_LIMIT_ANNOTATION,
        names.MPS_ANNOTATION,
        names.POD_GROUP_ANNOTATION,
        names.MIN_MEMBER_ANNOTATION,
    }
)
"""Annotations that may ask for what cannot be. What else a pod asks for, the API server has checked."""


def problems_of(pod: Pod) -> str:
    """What of a pod that waits for a node cannot be followed, as a text; empty: all can be, or it has its node."""
    asks = pod.spec.affinity is not None or not _ASKING.isdisjoint(pod.metadata.annotations)
    if pod.spec.node_name or not asks or _is_over(pod):
        return ""
    text = "; ".join(pod_problems(pod))
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def may_need_conditions(old: Pod | None, new: Pod) -> bool:
    """Whether what has changed may call for other conditions."""
    if any(condition.type in _OURS for condition in new.status.conditions):
        return True
    changed = old is None or old.metadata.annotations != new.metadata.annotations
    return changed and (names.GPU_OVERUSE_ANNOTATION in new.metadata.annotations or bool(problems_of(new)))


def _is_over(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class GpuTroubles:
    """Who knows what is wrong with the GPUs that pods have, a sentence each; empty: nothing.

    Attributes:
        broken: which of them cannot be used.
        overuse: of which it uses too much memory.
        tell: told of each pod of which one of this has become so, with the condition's reason, and what.
    """

    broken: Callable[[Pod], str]
    overuse: Callable[[Pod], str]
    tell: Callable[[Pod, str, str], None]


class PodConditions:
    """Keeps these conditions true.

    Args:
        client: writes.
        mirror: knows the pods.
        clock: for the times of conditions.
        short: the gang of a pod that runs, by the pod's uid, if it is short of pods.
        on_misunderstood: told of each pod whose request turns out not to make sense, and why.
        gpus: what is wrong with the GPUs that pods have.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        short: Callable[[str], facts.Job | None],
        on_misunderstood: Callable[[Pod, str], None],
        gpus: GpuTroubles,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._short = short
        self._on_misunderstood = on_misunderstood
        self._gpus = gpus

    async def write(self, key: Key) -> None:
        """Write the pod's conditions if they differ.

        Raises:
            ApiProblem: they could not be written; call again.
        """
        pod = self._mirror.pods.get(key)
        if pod is None or _is_over(pod):
            return
        held = {each.type: each for each in pod.status.conditions if each.type in _OURS}
        wanted = self._wanted(pod, held)
        if {each.type: _says(each) for each in wanted} == {kind: _says(each) for kind, each in held.items()}:
            return
        try:
            await write_conditions(self._client, self._mirror, pod, wanted, names.CONDITIONS_MANAGER)
        except NotFound:  # the watch will tell
            return
        for each in wanted:
            before = held.get(each.type)
            if each.reason == INVALID_REQUEST and (before is None or before.message != each.message):
                self._on_misunderstood(pod, each.message)
            if each.type in _OF_GPUS and each.status == "False" and (before is None or before.status != "False"):
                self._gpus.tell(pod, each.reason, each.message)

    def _wanted(self, pod: Pod, held: dict[str, Condition]) -> list[Condition]:
        now = timestamp(self._clock.now())
        found: list[Condition] = []
        for kind, trouble in (
            (names.UNDERSTOOD_CONDITION, self._misunderstood(pod, held, now)),
            (names.GANG_COMPLETE_CONDITION, self._incomplete(pod)),
            (names.GPUS_HEALTHY_CONDITION, self._of_gpus(pod, names.GPUS_HEALTHY_CONDITION, held, now)),
            (names.GPU_MEMORY_KEPT_CONDITION, self._of_gpus(pod, names.GPU_MEMORY_KEPT_CONDITION, held, now)),
        ):
            before = held.get(kind)
            if trouble is None and before is None:
                continue
            now_is = trouble or Condition(type=kind, status="True", reason=_CURED, last_transition_time=now)
            found.append(before if before is not None and _says(before) == _says(now_is) else now_is)
        return found

    @staticmethod
    def _misunderstood(pod: Pod, held: dict[str, Condition], now: str) -> Condition | None:
        if pod.spec.node_name:  # what was said while it waited stays
            return held.get(names.UNDERSTOOD_CONDITION)
        message = problems_of(pod)
        if not message:
            return None
        return Condition(
            type=names.UNDERSTOOD_CONDITION,
            status="False",
            reason=INVALID_REQUEST,
            message=message,
            last_transition_time=now,
        )

    def _incomplete(self, pod: Pod) -> Condition | None:
        gang = self._short(pod.metadata.uid)
        if gang is None or gang.stale_since is None:
            return None
        return Condition(
            type=names.GANG_COMPLETE_CONDITION,
            status="False",
            reason=_TOO_FEW_PODS,
            message=f"fewer pods of {gang.name} run than the {minimum_of(gang)} that it needs at least",
            last_transition_time=timestamp(gang.stale_since),
        )

    def _of_gpus(self, pod: Pod, kind: str, held: dict[str, Condition], now: str) -> Condition | None:
        """What the agent measures changes all the time: a sentence stays as long as the trouble does."""
        broken = kind == names.GPUS_HEALTHY_CONDITION
        message = (self._gpus.broken if broken else self._gpus.overuse)(pod)
        before = held.get(kind)
        if not message:
            return None
        if before is not None and before.status == "False" and not broken:
            return before
        reason = _GPU_BROKEN if broken else names.GPU_OVERUSE_REASON
        text = message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
        return Condition(type=kind, status="False", reason=reason, message=text, last_transition_time=now)


def _says(condition: Condition) -> tuple[str, str, str]:
    return (condition.status, condition.reason, condition.message)
