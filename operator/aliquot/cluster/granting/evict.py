"""An eviction: the pod's `DisruptionTarget` condition, then its deletion with its own grace period (design.md 4).

The condition comes first, so that whatever ends the pod afterwards is known not to be its own failure. A process that
is killed between the two finds the condition when it starts again, and finishes: a condition of ours on a pod that is
not being deleted is an eviction that is still to be done. With it goes another one that says for which job the room is
kept (`aliquot.dev/MakesRoom`), so that a process that starts while the pod ends keeps it for the same job.

What is done to the pod is the reason of that condition. A pod of a workload of ours that is preempted, or that used
more of a GPU's memory than it was given, is deleted when the workload's status has counted it (decisions/0015): until
then the eviction waits, and the status is written at once. Where that cannot be done, somebody else's GPUs are not held
up for it for long.

A pod that has ended is left alone: its GPUs are free, and what it achieved, or that it failed by itself, would be lost.
Both writes have the version of the pod that was looked at as a precondition, so it cannot end unseen in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aliquot import log, names
from aliquot.clock import Clock, timestamp
from aliquot.cluster.granting.bind import read_again
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.conditions import write_conditions
from aliquot.cluster.mirror.mirror import Mirror, key_of, owner_of
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Condition, Pod
from aliquot.core.lifecycle import observe, observe_foreign
from aliquot.core.scheduling import Evict, EvictionFailed, EvictionStarted
from aliquot.core.scheduling.events import Event
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, NotFound
from aliquot.kube.resources import PODS

_log = log.get(__name__)
_ENDED = ("Succeeded", "Failed")
_OUR_REASONS: Final = (names.EVICTED_BY_ALIQUOT_REASON, names.GPU_OVERUSE_REASON)
_LONGEST_COUNT_SECONDS: Final = 10.0
"""For so long an eviction waits for a status that cannot be written."""


@dataclass(frozen=True, slots=True)
class _Eviction:
    """An eviction that is to be done.

    Attributes:
        uid: of the pod.
        why: what its owner is told; empty: that was told before.
        for_job: whose the room will be; empty: whose turn it is.
        done_to_it: what is done to the pod, as one word; empty: it is marked already.
        reason: of the `DisruptionTarget` condition.
    """

    uid: str
    why: str
    for_job: str
    done_to_it: str = ""
    reason: str = names.EVICTED_BY_ALIQUOT_REASON


def for_whom(pod: Pod) -> str:
    """Id of the job that the pod makes room for; empty where it says none."""
    marks = (each.message for each in pod.status.conditions if each.type == names.MAKES_ROOM_CONDITION)
    return next(marks, "")


def _marked(pod: Pod) -> bool:
    return any(
        condition.type == names.DISRUPTION_TARGET_CONDITION
        and condition.status == "True"
        and condition.reason in _OUR_REASONS
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
        count: takes the key of a workload whose status is to count a pod at once.
        go_on: takes the key of an eviction, and in how many seconds it may be carried out.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        submit: Callable[[Event], None],
        on_evicted: Callable[[Pod, str], None],
        count: Callable[[Key], None],
        go_on: Callable[[Key, float], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._submit = submit
        self._on_evicted = on_evicted
        self._count = count
        self._go_on = go_on
        self._evictions: dict[Key, _Eviction] = {}
        self._waiting: dict[Key, set[Key]] = {}
        self._asked: dict[str, float] = {}
        mirror.listeners.workload.append(self._workload_changed)

    def assume(self, evict: Evict, pod: Pod) -> Key:
        """Take a decision; returns the key under which `carry_out` does it."""
        return self._begin(pod, evict.why, evict.for_job, evict.done_to_it)

    def withdraw(self, pod: Pod, why: str, reason: str = names.EVICTED_BY_ALIQUOT_REASON) -> Key:
        """Stop a pod that cannot keep what it has, for nobody in particular; returns the key as `assume` does.

        Args:
            pod: it.
            why: what its owner is told.
            reason: `names.GPU_OVERUSE_REASON` for one that is to blame itself: that end is a failure of its own.
        """
        key = Key(pod.metadata.namespace, pod.metadata.name)
        begun = self._evictions.get(key)
        if begun is not None and begun.uid == pod.metadata.uid:
            return key
        return self._begin(pod, why, "", reason=reason)

    def take_up(self, pod: Pod) -> Key | None:
        """Take up an eviction that was begun before a restart, if the pod says that one was.

        Returns the key under which `carry_out` finishes it; None: there is nothing to be done but to keep its room.
        """
        if pod.status.phase in _ENDED or not _marked(pod):
            return None
        if pod.metadata.deletion_timestamp is None:
            return self._begin(pod, "", for_whom(pod))
        self._submit(EvictionStarted(task=pod.metadata.uid, for_job=for_whom(pod)))
        return None

    def _begin(
        self,
        pod: Pod,
        why: str,
        for_job: str,
        done_to_it: str = "",
        reason: str = names.EVICTED_BY_ALIQUOT_REASON,
    ) -> Key:
        key = Key(pod.metadata.namespace, pod.metadata.name)
        self._evictions[key] = _Eviction(pod.metadata.uid, why, for_job, done_to_it, reason)
        self._submit(EvictionStarted(task=pod.metadata.uid, for_job=for_job))
        return key

    async def carry_out(self, key: Key) -> None:
        """Mark and delete the pod.

        Raises:
            ApiProblem: the outcome is unknown, or the API server does not let us; call again.
        """
        begun = self._evictions.get(key)
        if begun is None:
            return
        uid = begun.uid
        pod = self._mirror.pods.get(key)
        if pod is None or pod.metadata.uid != uid:
            self._end(key, uid)
        elif pod.status.phase in _ENDED:
            self._forget(key, uid, "it has ended by itself")
        elif pod.metadata.deletion_timestamp is not None:
            self._done(key, pod, begun.why)
        else:
            await self._evict(key, pod, begun)

    async def _evict(self, key: Key, pod: Pod, begun: _Eviction) -> None:
        uid = pod.metadata.uid
        try:
            if not _marked(pod):
                pod = await self._mark(pod, begun)
            if self._waits(key, pod):
                return
            version = pod.metadata.resource_version
            await self._client.delete(PODS, key.namespace, key.name, uid=uid, resource_version=version)
        except NotFound:
            self._mirror.pods.drop(key, uid)
            self._end(key, uid)
        except Conflict:
            if await read_again(self._client, self._mirror, pod) is not None:
                raise  # it has changed: the next attempt looks at it anew
            self._end(key, uid)
        else:
            self._done(key, pod, begun.why)

    def _waits(self, key: Key, pod: Pod) -> bool:
        """Whether a status has to count the pod before it goes; if so it is asked to, and the eviction goes on then."""
        workload = self._mirror.workload_of(pod)
        seen = observe_foreign(pod) if owner_of(pod) is None else observe(pod)
        if workload is None or seen is None or not seen.counts_first or seen.uid in workload.status.counted_pods:
            return False
        counts, now = key_of(workload), self._clock.monotonic()
        asked = self._asked.setdefault(seen.uid, now)
        if now - asked >= _LONGEST_COUNT_SECONDS:
            _log.warning("an eviction cannot be counted in the status", workload=str(counts), pod=str(key))
            return False
        self._waiting.setdefault(counts, set()).add(key)
        self._count(counts)
        self._go_on(key, asked + _LONGEST_COUNT_SECONDS - now)
        return True

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        changed = new or old
        assert changed is not None
        for key in sorted(self._waiting.pop(key_of(changed), ())):
            self._go_on(key, 0)

    def _done(self, key: Key, pod: Pod, why: str) -> None:
        self._end(key, pod.metadata.uid)
        if why and _marked(pod):
            self._on_evicted(pod, why)

    def _forget(self, key: Key, uid: str, why: str) -> None:
        _log.info("eviction forgotten", pod=str(key), why=why)
        self._end(key, uid)
        self._submit(EvictionFailed(task=uid))

    def _end(self, key: Key, uid: str) -> None:
        begun = self._evictions.get(key)
        if begun is not None and begun.uid == uid:  # else another pod of that name is to be evicted by now
            del self._evictions[key]
            self._asked.pop(uid, None)

    async def _mark(self, pod: Pod, begun: _Eviction) -> Pod:
        now = timestamp(self._clock.now())
        conditions = [
            Condition(
                type=names.DISRUPTION_TARGET_CONDITION,
                status="True",
                reason=begun.reason,
                message=begun.why,
                last_transition_time=now,
            )
        ]
        if begun.for_job:
            conditions.append(
                Condition(
                    type=names.MAKES_ROOM_CONDITION,
                    status="True",
                    reason=begun.done_to_it,
                    message=begun.for_job,
                    last_transition_time=now,
                )
            )
        return await write_conditions(
            self._client, self._mirror, pod, conditions, names.SCHEDULER_MANAGER, unless_changed=True
        )
