"""How long a workload may run, and leave its GPUs idle: time limits of project and department (cluster-api.md 3.2).

    it runs      time in which at least one of its pods runs; waiting, starting and being suspended do not count
    it is idle   since every pod that runs has been, as an annotation of the pods tells

The limits that hold are those of the moment when its first pod began to run, and are kept in its status with the time
that it has run: a limit that changes later concerns other workloads, and a restart of ours none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.contracts.agent_reports import IDLE_RENEWAL_SECONDS
from aliquot.contracts.kinds.status import TimeLimits
from aliquot.contracts.kinds.tenancy.departments import DepartmentSpec
from aliquot.contracts.kinds.tenancy.projects import ProjectSpec
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.times import moment
from aliquot.core.submission import Valid, ValidDistributed, ValidInference, ValidInteractive, ValidJob, ValidSpec

_BELIEVED_SECONDS: Final = 2 * IDLE_RENEWAL_SECONDS
"""For so long after it was last seen pods are believed to be idle."""
_PREEMPTIBLE: Final = frozenset({"build-preemptible", names.INTERACTIVE_PREEMPTIBLE_CLASS, names.TRAIN_PRIORITY_CLASS})
"""Priority classes of which others may take GPUs back (cluster-api.md 5.1)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a workload.

    Attributes:
        seconds: that it may run in all; None: any number.
        idle_seconds: that its GPUs may be idle at a stretch; None: any number.
    """

    seconds: int | None = None
    idle_seconds: int | None = None


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Timing:
    """The time of a workload that has limits.

    Attributes:
        limits: those that hold for it.
        ran_seconds: how long it ran before the present stretch.
        running_since: when the present stretch began, in Unix seconds; None: it does not run.
    """

    limits: Limits
    ran_seconds: int = 0
    running_since: float | None = None


def limits_of(spec: Valid | ValidJob, project: ProjectSpec, department: DepartmentSpec | None = None) -> Limits:
    """Return the limits that a project and its department have for such a workload or job now; 0 is no limit.

    A department limits interactive workloads, node pool by node pool (crd-contract.md, Department). The strictest
    holds: of the project's, and those of the department in the node pools where the workload may run.
    """
    match spec:
        case ValidInteractive():
            return _interactive(spec.pod.priority_class, spec.pod.placement.node_pools, project, department)
        case ValidJob() if spec.priority_class in names.INTERACTIVE_PRIORITY_CLASSES:
            return _interactive(spec.priority_class, spec.node_pools, project, department)
        case ValidJob() if spec.priority_class == names.INFERENCE_PRIORITY_CLASS:
            return NO_LIMITS
        case ValidSpec() | ValidDistributed() | ValidJob():
            return Limits(
                project.training_job_time_limit_secs or None, project.training_job_max_idle_duration_secs or None
            )
        case ValidInference():
            return NO_LIMITS


def _interactive(
    priority_class: str, node_pools: Sequence[str], project: ProjectSpec, department: DepartmentSpec | None
) -> Limits:
    idle = project.interactive_job_max_idle_duration_secs
    if priority_class in _PREEMPTIBLE:
        idle = project.interactive_preemptible_job_max_idle_duration_secs
    return Limits(_strictest(node_pools, project, department), idle or None)


def _strictest(node_pools: Sequence[str], project: ProjectSpec, department: DepartmentSpec | None) -> int | None:
    pools = node_pools or project.default_node_pools or (names.DEFAULT_NODE_POOL,)
    queues = () if department is None else department.queues
    bounds = [queue.interactive_job_time_limit_secs for queue in queues if queue.nodepool in pools]
    return min((each for each in (project.interactive_job_time_limit_secs, *bounds) if each), default=None)


def timing_of(written: TimeLimits | None) -> Timing | None:
    """Read what a status remembers."""
    if written is None:
        return None
    return Timing(
        limits=Limits(written.limit_seconds or None, written.idle_limit_seconds or None),
        ran_seconds=max(0, written.ran_seconds or 0),
        running_since=written.running_since.timestamp() if written.running_since is not None else None,
    )


def written(timing: Timing | None) -> TimeLimits | None:
    """Write what a status is to remember."""
    if timing is None:
        return None
    members = {
        "limit_seconds": timing.limits.seconds,
        "idle_limit_seconds": timing.limits.idle_seconds,
        "ran_seconds": timing.ran_seconds or None,
        "running_since": moment(timing.running_since) if timing.running_since is not None else None,
    }
    return TimeLimits.model_validate({name: value for name, value in members.items() if value is not None})


def kept(timing: Timing | None, pods: Sequence[ObservedPod], now: float, *, ended: bool) -> Timing | None:
    """Return what is to be remembered next: a stretch begins with the first pod that runs, and ends with the last.

    Args:
        timing: what was remembered; None: no limit holds, or it is not known yet whether one does.
        pods: all that exist.
        now: Unix seconds.
        ended: the workload is over.
    """
    if timing is None or timing.limits == NO_LIMITS:
        return timing
    running = _running(pods)
    if running and not ended:
        if timing.running_since is not None:
            return timing
        since = min(pod.started_at if pod.started_at is not None else now for pod in running)
        return replace(timing, running_since=min(since, now))
    return replace(timing, ran_seconds=int(_ran(timing, pods, now)), running_since=None)


def over_at(timing: Timing, pods: Sequence[ObservedPod], now: float) -> tuple[float, str] | None:
    """Return when the first of the limits is reached if nothing changes, and a sentence that says which; None: never.

    Args:
        timing: what is remembered.
        pods: all that exist.
        now: Unix seconds.
    """
    reached: list[tuple[float, str]] = []
    limits, since = timing.limits, timing.running_since
    if limits.seconds is not None:
        sentence = f"it has run for {limits.seconds} s, the time limit of its project or department when it started"
        if since is not None and _running(pods):
            reached.append((since + limits.seconds - timing.ran_seconds, sentence))
        elif _ran(timing, pods, now) >= limits.seconds:
            reached.append((now, sentence))
    idle_since = _idle_since(pods)
    if limits.idle_seconds is not None and idle_since is not None:
        sentence = f"its GPUs were idle for {limits.idle_seconds} s, the limit of its project when it started"
        at = idle_since + limits.idle_seconds
        if at <= _believed_until(pods):
            reached.append((at, sentence))
    return min(reached, default=None)


def _running(pods: Sequence[ObservedPod]) -> list[ObservedPod]:
    return [pod for pod in pods if pod.phase is PodPhase.RUNNING]


def _ran(timing: Timing, pods: Sequence[ObservedPod], now: float) -> float:
    """How long the workload has run so far; a stretch of which no pod runs any more ended with the last that did."""
    since = timing.running_since
    if since is None:
        return timing.ran_seconds
    end = now
    if not _running(pods):
        ends = [pod.finished_at for pod in pods if pod.finished_at is not None and pod.finished_at >= since]
        end = min(max(ends, default=now), now)
    return timing.ran_seconds + max(0.0, end - since)


def _believed_until(pods: Sequence[ObservedPod]) -> float:
    """Until when pods are believed to be idle: an agent that has fallen silent cannot say that they work again."""
    seen = [pod.idle_seen for pod in _running(pods) if pod.idle_seen is not None]
    return min(seen, default=math.inf) + _BELIEVED_SECONDS


def _idle_since(pods: Sequence[ObservedPod]) -> float | None:
    """Since when all pods that run have been idle; None: one works, or none runs."""
    idle: list[float] = []
    for pod in _running(pods):
        if pod.idle_since is None:
            return None
        idle.append(max(pod.idle_since, pod.started_at or pod.idle_since))
    return max(idle, default=None)
