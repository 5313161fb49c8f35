"""An eviction: the pod's `DisruptionTarget` condition, then its deletion with its own grace period (design.md 4).

The condition comes first, so that whatever ends the pod afterwards is known not to be its own failure. A process that
is killed between the two finds the condition when it starts again, and finishes: a condition of ours on a pod that is
not being deleted is an eviction that is still to be done.
"""

from collections.abc import Callable

from aliquot import log, names
from aliquot.clock import Clock, timestamp
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Pod
from aliquot.core.scheduling import Evict, EvictionFailed, EvictionStarted
from aliquot.core.scheduling.events import Event
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, NotFound
from aliquot.kube.resources import PODS

_log = log.get(__name__)


def half_evicted(pod: Pod) -> bool:
    """Whether an eviction of ours was begun and not finished."""
    return pod.metadata.deletion_timestamp is None and any(
        condition.type == names.DISRUPTION_TARGET_CONDITION
        and condition.status == "True"
        and condition.reason == names.EVICTED_BY_ALIQUOT_REASON
        for condition in pod.status.conditions
    )


class Evicter:
    """Stops pods as rounds decided.

    Args:
        client: writes.
        mirror: knows the pods.
        clock: for the time in the condition.
        submit: takes events for the scheduler.
        on_evicted: told of each pod once its deletion has begun, and why.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        submit: Callable[[Event], None],
        on_evicted: Callable[[Pod, str], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._submit = submit
        self._on_evicted = on_evicted
        self._evictions: dict[Key, tuple[str, str]] = {}

    def assume(self, evict: Evict, pod: Pod) -> Key:
        """Take a decision; returns the key under which `carry_out` does it."""
        return self._begin(pod, evict.why)

    def resume(self, pod: Pod) -> Key:
        """Take up an eviction that was begun before a restart."""
        return self._begin(pod, "")

    def _begin(self, pod: Pod, why: str) -> Key:
        key = Key(pod.metadata.namespace, pod.metadata.name)
        self._evictions[key] = (pod.metadata.uid, why)
        self._submit(EvictionStarted(task=pod.metadata.uid))
        return key

    async def carry_out(self, key: Key) -> None:
        """Mark and delete the pod.

        Raises:
            ApiProblem: the outcome is unknown, or the API server does not let us; call again.
        """
        begun = self._evictions.get(key)
        if begun is None:
            return
        uid, why = begun
        pod = self._mirror.pods.get(key)
        try:
            if pod is not None and pod.metadata.uid == uid and why and not half_evicted(pod):
                await self._mark(key, uid, why)
            await self._client.delete(PODS, key.namespace, key.name, uid=uid)
        except NotFound:
            self._mirror.pods.drop(key, uid)
        except Conflict as problem:
            _log.info("eviction forgotten", pod=str(key), why=str(problem))
            self._submit(EvictionFailed(task=uid))
        else:
            if pod is not None and why:
                self._on_evicted(pod, why)
        del self._evictions[key]

    async def _mark(self, key: Key, uid: str, why: str) -> None:
        condition = {
            "type": names.DISRUPTION_TARGET_CONDITION,
            "status": "True",
            "reason": names.EVICTED_BY_ALIQUOT_REASON,
            "message": why,
            "lastTransitionTime": timestamp(self._clock.now()),
        }
        await self._client.apply(
            PODS,
            key.namespace,
            key.name,
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
                "status": {"conditions": [condition]},
            },
            field_manager=names.SCHEDULER_MANAGER,
            subresource="status",
        )
