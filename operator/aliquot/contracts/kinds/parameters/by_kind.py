"""The parameters of each workload kind, and of the policy that governs it.

Which kind has which: crd-contract.md, Parameters of the workload kinds. `ttlAfterFinish` and `replicas` are older
spellings that only cluster-api.md 1.4 has; manifests and policies that use them exist, so they are taken.
"""

from typing import Annotated

from aliquot.contracts.kinds.parameters.pods import PodParameters
from aliquot.contracts.kinds.parameters.security import PrivilegeParameters
from aliquot.contracts.kinds.rules import IntRules, StringRules
from aliquot.contracts.kinds.shapes import Check, Shape, text, whole
from aliquot.contracts.kinds.wrappers import BoolValue, CountValue, LongText, PositiveValue, ShortText, Value, Values

PodCount = Value[Annotated[int, whole(1, 100_000)], IntRules]
Duration = Value[Annotated[str, text(32)], StringRules]


def _in_order(least: str, most: str, message: str, field: str, *, lasting: bool = False) -> Check:
    """Make the rule that one number is no more than another, where one object says both."""
    return Check(
        rule=f"!has(self.{least}) || !has(self.{least}.value) || !has(self.{most}) || !has(self.{most}.value) || "
        f"self.{least}.value <= self.{most}.value",
        message=message,
        field=field,
        lasting=lasting,
    )


class SingleJobParameters(Shape):
    """What training and interactive workloads have in common."""

    active: BoolValue = BoolValue()
    """Whether the workload should run. false suspends it: its pods end and its GPUs are free for others until it is
    true again. Left out, it runs."""
    mpi: BoolValue = BoolValue()
    """Whether the workload is an MPI job of `processes` workers."""
    processes: PositiveValue = PositiveValue()
    """Number of workers of an MPI job."""
    slots_per_worker: PositiveValue = PositiveValue()
    """MPI processes on each worker. Left out, 1."""
    terminate_after_preemption: BoolValue = BoolValue()
    """Whether a workload that loses its GPUs to others ends, rather than wait for its next turn."""


class TrainingParameters(PodParameters, PrivilegeParameters, SingleJobParameters):
    """The parameters of a training workload."""

    checks = (
        _in_order(
            "parallelism",
            "completions",
            "must be no more than completions: there is no work for more pods at a time",
            ".parallelism",
            lasting=True,
        ),
    )

    backoff_limit: CountValue = CountValue()
    """How many failed pods are replaced before the workload fails. Left out, 6. Being preempted is not a failure."""
    completions: PodCount = PodCount()
    """How many pods must succeed. Left out, 1."""
    parallelism: PodCount = PodCount()
    """How many pods may run at a time, at most completions. Left out, 1."""
    ttl_after_finish: Duration = Duration()
    """Time from its end after which a workload is deleted with all that belongs to it, such as 5s, 2m or 3h.
    Superseded by autoDeletionTimeAfterCompletionSeconds."""


class InteractiveParameters(PodParameters, PrivilegeParameters, SingleJobParameters):
    """The parameters of an interactive workload."""

    jupyter: BoolValue = BoolValue()
    """Whether the container is a Jupyter notebook, reached on port 8888."""
    notebook_token: ShortText = ShortText()
    """Token that the notebook asks for."""
    preemptible: BoolValue = BoolValue()
    """Whether the workload may use GPUs above the project's quota, which others may take back at any time."""
    tensorboard: BoolValue = BoolValue()
    """Whether TensorBoard runs beside the container."""
    tensorboard_logdir: LongText = LongText()
    """Directory from which TensorBoard reads."""


class InferenceParameters(PodParameters):
    """The parameters of an inference workload."""

    checks = (_in_order("minScale", "maxScale", "must be no less than minScale", ".maxScale", lasting=True),)

    class_: ShortText = ShortText()
    """Class of the autoscaler, as Knative names it. Left out, it goes with the metric."""
    is_private_service_url: BoolValue = BoolValue()
    """Whether the service is reached from inside the cluster only."""
    max_scale: CountValue = CountValue()
    """Number of pods at most."""
    metric: ShortText = ShortText()
    """What the number of pods follows: concurrency, throughput, latency, cpu-utilization, gpu-utilization or custom."""
    metric_name: ShortText = ShortText()
    """Exact name of the metric; wins over `metric`."""
    min_scale: CountValue = CountValue()
    """Number of pods at least; 0 lets an idle service have none."""
    mps: BoolValue = BoolValue()
    """Whether pods that share a GPU do so through NVIDIA's Multi-Process Service."""
    target: PositiveValue = PositiveValue()
    """Value of the metric, for each pod, that the autoscaler aims at."""


class MpiJobParameters(Shape):
    """Parameters of MPI jobs."""

    slots_per_worker: PositiveValue = PositiveValue()
    """MPI processes on each worker. Left out, 1."""


class PyTorchJobParameters(Shape):
    """Parameters of elastic PyTorch jobs."""

    checks = (_in_order("minReplicas", "maxReplicas", "must be no less than minReplicas", ".maxReplicas"),)

    min_replicas: PositiveValue = PositiveValue()
    """Number of pods below which the job cannot run."""
    max_replicas: PositiveValue = PositiveValue()
    """Number of pods that the job can make use of."""


class RunPolicyParameters(Shape):
    """What happens to the pods of a distributed job."""

    backoff_limit: CountValue = CountValue()
    """How many failures are borne before the job fails."""
    clean_pod_policy: ShortText = ShortText()
    """Which pods are deleted at the end: Running, All or None."""


MpiJob = Values[MpiJobParameters]
PyTorchJob = Values[PyTorchJobParameters]
RunPolicy = Values[RunPolicyParameters]


class DistributedParameters(PodParameters, PrivilegeParameters):
    """The parameters of a distributed workload and its workers."""

    mpi_job: MpiJob = MpiJob()
    """What only MPI jobs have."""
    no_master: BoolValue = BoolValue()
    """Whether there are workers only, and no master or launcher."""
    non_preemptible: BoolValue = BoolValue()
    """Whether the workload stays within its project's quota and, in return, keeps its GPUs."""
    py_torch_job: PyTorchJob = PyTorchJob()
    """What only PyTorch jobs have."""
    replicas: PodCount = PodCount()
    """Number of workers. Superseded by workers."""
    run_policy: RunPolicy = RunPolicy()
    """What happens to pods after failures and at the end."""
    workers: PodCount = PodCount()
    """Number of workers, beside the master or launcher."""


class MasterParameters(PodParameters, PrivilegeParameters):
    """What the master or launcher of a distributed workload may have otherwise than its workers."""
