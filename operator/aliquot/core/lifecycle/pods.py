"""A pod of a workload, reduced to what decides about the workload.

Life of a pod, as this room sees it; `deleting` may be true anywhere, and the object may vanish at any time:

    WAITING ──▶ STARTING ──▶ RUNNING ──▶ SUCCEEDED
       │            │           │
       └────────────┴───────────┴──────▶ FAILED        by itself, or `disrupted`: then it is nobody's failure

A pod is alive, and may hold GPUs, until the kubelet reports its end; being deleted is not an end yet.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from aliquot import names
from aliquot.contracts.kubernetes import Condition, ContainerStatus, Pod, Terminated
from aliquot.core.lifecycle.times import seconds
from aliquot.core.quantities import PERCENT_PER_DEVICE, InvalidQuantityError, parse_gpu_percent

DELETED: Final = "Deleted"
"""Reason of a pod that is deleted by whoever says not why: a person, or we ourselves."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_GIVEN: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,2})?", re.ASCII)
"""GPUs as they are written on pods that have parts of some; a person may have written something else."""
_QUIET: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Reasons for which every container waits a moment."""
CRASH_LOOP: Final = "CrashLoopBackOff"
"""Reason of a pod whose container ended, with whatever exit code, and is started again in a while."""
_OUT_OF_MEMORY: Final = "OOMKilled"
GPU_TROUBLES: Final = (names.GPUS_HEALTHY_CONDITION, names.GPU_MEMORY_KEPT_CONDITION)
_NODE_LOST: Final = "NodeLost"
"""Reason of a pod whose node is gone, where the cluster sets no `DisruptionTarget`."""


class PodPhase(Enum):
    """Where a pod is in its life."""

    WAITING = "Waiting"
    """Has no node."""
    STARTING = "Starting"
    """Has a node; not all that must run does."""
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A pod of a workload.

    Attributes:
        index: which of the workload's completions it works on, from 0.
        attempt: how many pods its index had before it.
        failed_attempts: how many earlier pods of its index failed by themselves.
        deleting: its deletion was asked for; it may run for its grace period.
        disrupted: it ends or ended because others wanted it to (eviction, deletion, loss of the node): no failure.
        gpus: devices, parts of them included.
        reason: what keeps it from running, or ended it, as one word; empty: nothing to tell.
        message: the same as a sentence; may be empty.
        exit_code: of the container that decided its end.
        created: when the object was made, in Unix seconds; so are the other times.
        started_at: when its containers began to run, or the kubelet to prepare it where that is no longer known.
        finished_at: when its last container ended.
        idle_since: since when none of its GPUs has had work; None: one works, or nobody tells.
        idle_seen: when that was last seen to be so; None: whoever tells does not say.
        preempted: we stop it so that others have its GPUs; it has not succeeded before.
        overused: we stop it as it used more of a GPU's memory than it was given: its own failure. It has not succeeded.
        gpu_troubles: what is wrong with its GPUs, or with its use of them: types of conditions, reasons and sentences.
    """

    name: str
    uid: str
    index: int
    attempt: int
    failed_attempts: int
    phase: PodPhase
    deleting: bool
    disrupted: bool
    node: str | None
    gpus: Decimal
    reason: str
    message: str
    exit_code: int | None
    created: float
    started_at: float | None
    finished_at: float | None
    idle_since: float | None = None
    idle_seen: float | None = None
    preempted: bool = False
    overused: bool = False
    gpu_troubles: tuple[tuple[str, str, str], ...] = ()

    @property
    def alive(self) -> bool:
        """Whether it has not ended: it exists to run, even if it is being deleted."""
        return self.phase is not PodPhase.SUCCEEDED and self.phase is not PodPhase.FAILED

    @property
    def own_failure(self) -> bool:
        """Whether it failed by itself, which counts against `backoffLimit`."""
        return self.overused or (self.phase is PodPhase.FAILED and not self.disrupted)

    @property
    def counts_first(self) -> bool:
        """Whether it is to be deleted only when the workload's status has counted how it ends."""
        return self.preempted or self.overused


def observe(pod: Pod) -> ObservedPod | None:
    """Read a pod; None if its labels are not those that we give: then it is none of ours."""
    labels = pod.metadata.labels
    index, attempt = _number(labels.get(names.POD_INDEX_LABEL)), _number(labels.get(names.ATTEMPT_LABEL))
    return None if index is None or attempt is None else _observed(pod, index, attempt)


def observe_foreign(pod: Pod) -> ObservedPod:
    """Read a pod that is none of ours: it works on nothing that has an index."""
    return _observed(pod, 0, 0)


def _observed(pod: Pod, index: int, attempt: int) -> ObservedPod:
    phase = _phase(pod)
    disruption = _disruption(pod.status.conditions)
    deleting = pod.metadata.deletion_timestamp is not None
    end = _end(pod) if phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) else None
    blamed = disruption is not None and disruption.reason == names.GPU_OVERUSE_REASON
    overused = blamed and phase is not PodPhase.SUCCEEDED
    disrupted = (
        phase is not PodPhase.SUCCEEDED
        and not overused
        and (disruption is not None or deleting or pod.status.reason == _NODE_LOST)
    )
    reason, message = _why(pod, phase, disruption, end, deleting=deleting)
    return ObservedPod(
        name=pod.metadata.name,
        uid=pod.metadata.uid,
        index=index,
        attempt=attempt,
        failed_attempts=_number(pod.metadata.annotations.get(names.FAILED_ATTEMPTS_ANNOTATION)) or 0,
        phase=phase,
        deleting=deleting,
        disrupted=disrupted,
        node=pod.spec.node_name or None,
        gpus=_gpus(pod),
        reason=reason,
        message=message,
        exit_code=end.exit_code if end else None,
        created=seconds(pod.metadata.creation_timestamp) or 0.0,
        started_at=_started_at(pod),
        finished_at=_finished_at(pod) if phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) else None,
        idle_since=seconds(pod.metadata.annotations.get(names.GPU_IDLE_SINCE_ANNOTATION)),
        idle_seen=seconds(pod.metadata.annotations.get(names.GPU_IDLE_SEEN_ANNOTATION)),
        preempted=phase is not PodPhase.SUCCEEDED and _is_preempted(pod),
        overused=overused,
        gpu_troubles=tuple(
            (each.type, each.reason, each.message)
            for each in pod.status.conditions
            if each.type in GPU_TROUBLES and each.status == "False"
        ),
    )


def _is_preempted(pod: Pod) -> bool:
    """Whether the pod is marked: we stop it, or are about to, so that others have its GPUs."""
    return any(
        (each.type, each.status, each.reason) == (names.MAKES_ROOM_CONDITION, "True", names.PREEMPTED_REASON)
        for each in pod.status.conditions
    )


def _number(written: str | None) -> int | None:
    return int(written) if written is not None and _NUMBER.fullmatch(written) else None


def _phase(pod: Pod) -> PodPhase:
    match pod.status.phase:
        case "Succeeded":
            return PodPhase.SUCCEEDED
        case "Failed":
            return PodPhase.FAILED
        case "Running":
            return PodPhase.STARTING if _stands_still(pod) else PodPhase.RUNNING
        case "Pending" if any(each.state.running for each in _main(pod)):
            return PodPhase.RUNNING  # it waits for a container beside the main one
        case _:  # Pending; Unknown, which says that nobody knows whether it runs; what newer versions may add
            return PodPhase.STARTING if pod.spec.node_name else PodPhase.WAITING


def _stands_still(pod: Pod) -> bool:
    """Whether a pod that has begun to run has only containers that wait: they ended, and are started again."""
    statuses = _main(pod) or pod.status.container_statuses
    return bool(statuses) and all(each.state.waiting is not None for each in statuses)


def _disruption(conditions: Iterable[Condition]) -> Condition | None:
    for condition in conditions:
        if condition.type == names.DISRUPTION_TARGET_CONDITION and condition.status == "True":
            return condition
    return None


def _main(pod: Pod) -> Sequence[ContainerStatus]:
    """The container that alone says how the pod is doing; empty: the pod names none, and all of them do."""
    named = pod.metadata.annotations.get(names.MAIN_CONTAINER_ANNOTATION)
    return [each for each in pod.status.container_statuses if each.name == named]


def _containers(pod: Pod) -> Sequence[ContainerStatus]:
    return (*pod.status.init_container_statuses, *(_main(pod) or pod.status.container_statuses))


def _end(pod: Pod) -> Terminated | None:
    """Return the end of the container that decided: one out of memory, else the first that failed, else the last."""
    ends = [container.state.terminated for container in _containers(pod) if container.state.terminated]
    bad = [end for end in ends if end.exit_code != 0]
    out_of_memory = [end for end in bad if end.reason == _OUT_OF_MEMORY]
    return (out_of_memory or bad or ends[-1:] or [None])[0]


def _why(
    pod: Pod, phase: PodPhase, disruption: Condition | None, end: Terminated | None, *, deleting: bool
) -> tuple[str, str]:
    if phase is PodPhase.SUCCEEDED:
        return "", ""
    if disruption is not None:
        return disruption.reason or names.DISRUPTION_TARGET_CONDITION, disruption.message
    if phase is PodPhase.FAILED and pod.status.reason:
        return pod.status.reason, pod.status.message
    if deleting:
        return DELETED, ""
    if phase is PodPhase.FAILED:
        return (end.reason or "Error", end.message) if end else ("Error", pod.status.message)
    if phase is PodPhase.STARTING:
        return _what_keeps(pod)
    return pod.status.reason, pod.status.message


def _what_keeps(pod: Pod) -> tuple[str, str]:
    """What keeps a pod that has its node from running: a container that cannot start, or that did not stay."""
    for container in _containers(pod):
        waiting, last = container.state.waiting, container.last_state.terminated
        if waiting is not None and waiting.reason not in _QUIET:
            told = waiting.message if waiting.reason != CRASH_LOOP or last is None else _anew(last)
            return waiting.reason, told
    return pod.status.reason, pod.status.message


def _anew(end: Terminated) -> str:
    word = f" ({end.reason})" if end.reason not in ("", "Completed", "Error") else ""
    return f"its container ended with exit code {end.exit_code}{word} and is started again"


def _gpus(pod: Pod) -> Decimal:
    """Count GPUs: parts as it was given them; else those of all containers, or of the largest init container."""
    given = pod.metadata.annotations.get(names.NUMBER_OF_GPUS_ANNOTATION, "")
    if _GIVEN.fullmatch(given):
        return Decimal(given)
    together = sum(_device_count(container.resources.limits) for container in pod.spec.containers)
    apart = (_device_count(container.resources.limits) for container in pod.spec.init_containers)
    return Decimal(max([together, *apart]))


def _device_count(limits: dict[str, str | int | float]) -> int:
    amount = limits.get(names.GPU_RESOURCE)
    if amount is None:
        return 0
    try:
        return max(0, -(-parse_gpu_percent(amount) // PERCENT_PER_DEVICE))
    except InvalidQuantityError:
        return 0


def _started_at(pod: Pod) -> float | None:
    running = [
        started
        for container in _main(pod) or pod.status.container_statuses
        if container.state.running and (started := seconds(container.state.running.started_at)) is not None
    ]
    if running:
        return min(running)
    return seconds(pod.status.start_time) if pod.status.phase in ("Running", "Succeeded", "Failed") else None


def _finished_at(pod: Pod) -> float | None:
    """Return when the last container ended; where no container tells, when the pod ceased to be ready."""
    ends = [
        finished
        for container in (*pod.status.init_container_statuses, *pod.status.container_statuses)
        if container.state.terminated and (finished := seconds(container.state.terminated.finished_at)) is not None
    ]
    if ends:
        return max(ends)
    for condition in pod.status.conditions:
        if condition.type == "Ready" and condition.status != "True":
            return seconds(condition.last_transition_time)
    return None
