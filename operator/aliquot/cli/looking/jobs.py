"""A job as users see it, read from a workload of any kind and its pods (cluster-api.md 6, 7.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aliquot import names
from aliquot.cli.looking.requested import asked_for
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kubernetes import Pod
from aliquot.naming import label_value

STATUSES: Final[Mapping[str, str]] = {
    "Creating": "Pending",
    "Initializing": "ContainerCreating",
    "Completed": "Succeeded",
    "Stopped": "Suspended",
}
"""Phases whose status has another name (cluster-api.md 6.1, 6.2)."""
_ENDS: Final = ("TimedOut", "Preempted")
ENDED: Final = ("Completed", "Failed")
_TYPES: Final[Mapping[str, str]] = {
    "MPIJob": "Mpi",
    "PyTorchJob": "Pytorch",
    "TFJob": "Tf",
    "XGBoostJob": "Xgboost",
}
COMMAND_ANNOTATION: Final = "runai-cli-command"


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        kind: of the object.
        name: under which it is known.
        object_name: of the object.
        namespace: where it is.
        uid: of the object.
        raw: the object as it is.
        status: how it is doing.
        values: its parameters, those that it takes from template and policy among them: `gpu` → `{"value": "1"}`.
        annotations: of the object.
        created: when it was submitted.
        pods: its pods, by name.
    """

    kind: str
    name: str
    object_name: str
    namespace: str
    uid: str
    raw: Mapping[str, Any]
    status: WorkloadStatus
    values: Mapping[str, Any]
    annotations: Mapping[str, str]
    created: datetime | None
    pods: Sequence[Pod] = field(default=())

    def value(self, parameter: str) -> Any:
        """The value of a parameter; None: it has none."""
        return _value(self.values.get(parameter))

    @property
    def template(self) -> bool:
        """Whether it only keeps values for others."""
        return self.raw.get("spec", {}).get("usage") == "Template"

    @property
    def type(self) -> str:
        """What kind of job it is, in the words of lists."""
        if self.kind == "DistributedWorkload":
            job_type = str(self.raw["spec"].get("jobType") or "Distributed")
            return _TYPES.get(job_type, job_type)
        if self.kind == "InteractiveWorkload":
            return "Interactive-Preemptible" if self.value("preemptible") else "Interactive"
        if self.kind == "TrainingWorkload":
            return _TYPES["MPIJob"] if self.distributed else "Train"
        return self.kind.removesuffix("Workload")

    @property
    def distributed(self) -> bool:
        """Whether its pods work together; training does by MPI."""
        return self.kind == "DistributedWorkload" or (self.kind == "TrainingWorkload" and bool(self.value("mpi")))

    @property
    def project(self) -> str:
        """The project whose quota it uses."""
        return self.status.project or self.namespace.removeprefix(names.PROJECT_NAMESPACE_PREFIX)

    @property
    def ended(self) -> bool:
        """Whether it is over for good."""
        return self.status.phase in ENDED

    @property
    def requested(self) -> str | None:
        """GPUs that its pods together ask for, or did while it went on; None: that is not known."""
        return asked_for(self.raw) if self.ended else self.status.requested_gpu

    @property
    def going(self) -> bool:
        """Whether it is being deleted."""
        return "deletionTimestamp" in self.raw["metadata"]

    @property
    def nodes(self) -> Sequence[str]:
        """Where its pods are."""
        return sorted({pod.spec.node_name for pod in self.pods if pod.spec.node_name})


def job_of(raw: Mapping[str, Any], pods: Sequence[Pod] = ()) -> Job:
    """Read a workload.

    Args:
        raw: the object.
        pods: of its namespace; those of others are left out.
    """
    metadata: dict[str, Any] = raw["metadata"]
    spec: dict[str, Any] = raw.get("spec") or {}
    status = WorkloadStatus.model_validate(raw.get("status") or {})
    inherited = {} if status.inherited is None else status.inherited.values
    values = {**inherited, **spec}
    annotations: dict[str, str] = metadata.get("annotations") or {}
    return Job(
        kind=str(raw["kind"]),
        name=str(
            status.job_name
            or _value(spec.get("name"))
            or annotations.get(names.JOB_NAME_ANNOTATION)
            or metadata["name"]
        ),
        object_name=str(metadata["name"]),
        namespace=str(metadata["namespace"]),
        uid=str(metadata.get("uid", "")),
        raw=raw,
        status=status,
        values=values,
        annotations=annotations,
        created=_moment(metadata.get("creationTimestamp")),
        pods=sorted(
            (pod for pod in pods if _belongs(pod, str(raw["kind"]), str(metadata["name"]), metadata["namespace"])),
            key=lambda pod: pod.metadata.name,
        ),
    )


def job_status(phase: str | None, reason: str | None) -> str:
    """Say the status of a job in the words of the field: a phase, or what stands in the way of it."""
    if phase == "Failed" and reason in _ENDS:
        return reason
    if phase == "Initializing" and reason:
        return reason
    if phase == "Pending" and reason == "BackOff":
        return "Error"
    return STATUSES.get(phase or "Creating", phase or "Pending")


def pod_status(pod: Pod) -> str:
    """Say how a pod is doing, as kubectl does: what its container waits for, or why it ended, or its phase."""
    if pod.metadata.deletion_timestamp:
        return "Terminating"
    for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if container.state.waiting is not None and container.state.waiting.reason:
            return container.state.waiting.reason
        ended = container.state.terminated
        if ended is not None and ended.exit_code:
            return ended.reason or f"ExitCode:{ended.exit_code}"
    return pod.status.reason or pod.status.phase


def _value(wrapper: Any) -> Any:
    return wrapper.get("value") if hasattr(wrapper, "get") else None


def _belongs(pod: Pod, kind: str, name: str, namespace: object) -> bool:
    labels = pod.metadata.labels
    if pod.metadata.namespace != namespace or labels.get(names.WORKLOAD_KIND_LABEL) != kind:
        return False
    return labels.get(names.WORKLOAD_NAME_LABEL) == label_value(name)


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
