"""What pods are told on themselves, as conditions. A pod to which neither applies has none of them.

    aliquot.dev/Understood     False: what the pod asks for cannot be followed, with field, value and what is allowed
    aliquot.dev/GangComplete   False: its gang has run with fewer pods than its minimum since then

The first comes with an Event, once. The second is the memory of how long a gang has been short of pods: a term that
begins later finds it on the pods (`core.intake.gangs`).

A condition that no longer holds becomes True. It is not taken away: from a pod of whose status nobody else has written
anything yet, the API server (1.36) then takes the phase as well, and no kubelet starts such a pod.
"""

from collections.abc import Callable
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
_CURED: Final = "Cured"
_OURS: Final = (names.UNDERSTOOD_CONDITION, names.GANG_COMPLETE_CONDITION)
_LONGEST_MESSAGE: Final = 1024
_ASKING: Final = frozenset(
    {
        names.GPU_FRACTION_ANNOTATION,
        names.GPU_MEMORY_ANNOTATION,
        names.GPU_DEVICES_ANNOTATION,
        names.GPU_LIMIT_ANNOTATION,
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
    return changed and bool(problems_of(new))


def _is_over(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed")


class PodConditions:
    """Keeps these conditions true.

    Args:
        client: writes.
        mirror: knows the pods.
        clock: for the times of conditions.
        short: the gang of a pod that runs, by the pod's uid, if it is short of pods.
        on_misunderstood: told of each pod whose request turns out not to make sense, and why.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        short: Callable[[str], facts.Job | None],
        on_misunderstood: Callable[[Pod, str], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._short = short
        self._on_misunderstood = on_misunderstood

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

    def _wanted(self, pod: Pod, held: dict[str, Condition]) -> list[Condition]:
        now = timestamp(self._clock.now())
        found: list[Condition] = []
        for kind, trouble in (
            (names.UNDERSTOOD_CONDITION, self._misunderstood(pod, held, now)),
            (names.GANG_COMPLETE_CONDITION, self._incomplete(pod)),
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


def _says(condition: Condition) -> tuple[str, str, str]:
    return (condition.status, condition.reason, condition.message)
