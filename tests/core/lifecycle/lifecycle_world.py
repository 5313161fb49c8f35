"""Builders of specs and pods for the tests of this room: each has harmless defaults, a case says what matters."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle import Facts, ObservedPod, PodPhase, Retry
from aliquot.core.submission import ValidDistributed, ValidPod, ValidSpec
from aliquot.core.submission.pod_values import Compute, Gpus, Identity, Process

NEW = WorkloadStatus()
RETRY = Retry(base_seconds=10, cap_seconds=360)

WHY_TAKEN = "stopped for b/job: project b is owed 1 of its 1 GPU"
ALIVE = (PodPhase.WAITING, PodPhase.STARTING, PodPhase.RUNNING)

_SPEC = ValidSpec(
    pod=ValidPod(
        priority_class="train",
        process=Process(image="registry.example.com/train:1"),
        identity=Identity(job_name="train"),
        compute=Compute(gpus=Gpus(devices=2), cpu_milli=1000),
    )
)


_GANG = ValidDistributed(job_type="PyTorchJob", worker=_SPEC.pod, workers=2, master=_SPEC.pod)


def spec(**changes: Any) -> ValidSpec:
    return replace(_SPEC, **changes)


def gang(**changes: Any) -> ValidDistributed:
    """Return a PyTorch gang of a master and two workers."""
    return replace(_GANG, **changes)


def pod(index: int, attempt: int, phase: PodPhase, **changes: Any) -> ObservedPod:
    placed = phase is not PodPhase.WAITING
    ended = phase not in ALIVE
    made = ObservedPod(
        name=f"train-{index}-{attempt}",
        uid=f"uid-{index}-{attempt}",
        index=index,
        attempt=attempt,
        failed_attempts=0,
        phase=phase,
        deleting=False,
        disrupted=False,
        node="n1" if placed else None,
        gpus=Decimal(2),
        reason="Error" if phase is PodPhase.FAILED else "",
        message="",
        exit_code={PodPhase.FAILED: 3, PodPhase.SUCCEEDED: 0}.get(phase),
        created=100.0 + attempt,
        started_at=110.0 if phase is PodPhase.RUNNING or ended else None,
        finished_at=200.0 if ended else None,
    )
    return replace(made, **changes)


def waiting(index: int = 0, attempt: int = 0, **changes: Any) -> ObservedPod:
    return pod(index, attempt, PodPhase.WAITING, **changes)


def starting(index: int = 0, attempt: int = 0, **changes: Any) -> ObservedPod:
    return pod(index, attempt, PodPhase.STARTING, **changes)


def running(index: int = 0, attempt: int = 0, **changes: Any) -> ObservedPod:
    return pod(index, attempt, PodPhase.RUNNING, **changes)


def succeeded(index: int = 0, attempt: int = 0, **changes: Any) -> ObservedPod:
    return pod(index, attempt, PodPhase.SUCCEEDED, **changes)


def failed(index: int = 0, attempt: int = 0, **changes: Any) -> ObservedPod:
    return pod(index, attempt, PodPhase.FAILED, **changes)


def taken(pod: ObservedPod, **changes: Any) -> ObservedPod:
    """Return a pod that is marked: others get its GPUs."""
    return replace(pod, disrupted=True, preempted=True, reason="EvictionByAliquot", message=WHY_TAKEN, **changes)


def going(given: ObservedPod, **changes: Any) -> ObservedPod:
    """Return a pod that somebody deletes."""
    return replace(given, **{"deleting": True, "disrupted": True, "reason": "Deleted", **changes})


def facts(*pods: ObservedPod, **changes: Any) -> Facts:
    made = Facts(
        generation=1,
        created=90.0,
        project="vision",
        job_name="train",
        spec=spec(),
        errors=(),
        pods=pods,
        wait=None,
        trouble=None,
        deleting=False,
        retry=RETRY,
    )
    return replace(made, **changes)
