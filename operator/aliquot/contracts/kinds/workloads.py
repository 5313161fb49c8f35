"""The workload kinds: what users submit.

Which kind has which parameter: crd-contract.md. A workload with `usage: Template` holds values for others and runs
nothing; what a submitted one may still change is in `MUTABLE`.
"""

from typing import Annotated, Final, Literal

from aliquot.contracts.kinds.parameters import (
    InferenceParameters,
    InteractiveParameters,
    PodParameters,
    Privileges,
    TrainingParameters,
)
from aliquot.contracts.kinds.shapes import Check, Resource, Shape, outside_name, text, whole
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kinds.wrappers import BoolValue, CountValue, IntRules, PositiveValue, ShortText, Value, Values

MUTABLE: Final = frozenset(
    {
        "active",
        "auto_deletion_time_after_completion_seconds",
        "max_scale",
        "min_scale",
        "parallelism",
        "preemption_limit",
        "target",
        "terminate_after_preemption",
    }
)
"""Parameters that may change after submission; the pods that exist do not depend on them."""

IDENTITY: Final = ("usage", "name", "name_prefix", "base_workload")
"""Parameters that decide what a workload is; they never change after submission."""


class Submission(Shape):
    """What is said about a workload as a whole; plain text without a wrapper."""

    usage: Literal["Template", "Submit"] = "Submit"
    """Submit: run it. Template: keep the values for workloads that name this one as their baseWorkload; nothing
    runs."""
    base_workload: Annotated[str, text(253, pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")] | None = None
    """Name of a workload of the same kind, in the same namespace or in the namespace runai, whose values hold wherever
    this one gives none."""


def _required(parameter: str, value: str, message: str, unless: str = "false") -> Check:
    return Check(
        rule=f"self.usage == 'Template' || has(self.baseWorkload) || {unless} || (has(self.{parameter}) && {value})",
        message=message,
        field=f".{parameter}",
        reason="FieldValueRequired",
    )


IMAGE_REQUIRED: Final = "has(self.image.value) && self.image.value != ''"
A_NOTEBOOK: Final = "has(self.jupyter) && has(self.jupyter.value) && self.jupyter.value"
"""CEL: notebooks have an image of their own (cluster-api.md 1.4)."""
IMAGE_MESSAGE: Final = "a container image must be given, here or by a baseWorkload"
PORTS_MESSAGE: Final = "a service needs a port, such as ports: {items: {http: {value: {container: 8000}}}}"

STAYS: Final = "cannot change after submission: delete the workload and submit another"

TEMPLATES_STAND_ALONE: Final = Check(
    rule="self.usage != 'Template' || !has(self.baseWorkload)",
    message="a Template cannot have a baseWorkload itself",
    field=".baseWorkload",
    reason="FieldValueForbidden",
)


def _unchangeable(parameters: type[Shape]) -> Check:
    """Make the rule that holds a workload's parameters still once it is submitted.

    It is one rule for all of them, and begins with the comparison that settles every change of a status: a rule for
    each parameter costs the API server several times what all the rest of a status write does (docs/decisions/0001).
    """
    names = [name for name in parameters.model_fields if name not in MUTABLE and name not in IDENTITY]
    outside = [outside_name(name) for name in (*IDENTITY, *names)]
    changed = [
        f"has(self.{name}) != has(oldSelf.{name}) || (has(self.{name}) && self.{name} != oldSelf.{name})"
        for name in outside
    ]
    named = " + ".join(f"({rule} ? 'spec.{name} ' : '')" for name, rule in zip(outside, changed, strict=True))
    return Check(
        rule=f"oldSelf.usage != 'Submit' || self == oldSelf || !({' || '.join(f'({rule})' for rule in changed)})",
        message=STAYS,
        message_expression=f"{named} + '{STAYS}'",
        reason="FieldValueForbidden",
        lasting=True,
    )


SUBMITTED: Final = "oldSelf.usage == 'Submit'"
"""CEL: what was submitted before stays as it is, but for what may change."""


class TrainingSpec(TrainingParameters, Submission):
    """What a training workload should do."""

    settled = SUBMITTED
    checks = (
        TEMPLATES_STAND_ALONE,
        _required("image", IMAGE_REQUIRED, IMAGE_MESSAGE),
        _unchangeable(TrainingParameters),
    )


class TrainingWorkload(Resource):
    """Work that runs by itself until it is done.

    Its pods must succeed a number of times. It may use GPUs above its project's quota, and gives them back when their
    owner wants them.
    """

    spec: TrainingSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class InteractiveSpec(InteractiveParameters, Submission):
    """What an interactive workload should do."""

    settled = SUBMITTED
    checks = (
        TEMPLATES_STAND_ALONE,
        _required(
            "image", IMAGE_REQUIRED, IMAGE_MESSAGE, "has(self.jupyter) && has(self.jupyter.value) && self.jupyter.value"
        ),
        _unchangeable(InteractiveParameters),
    )


class InteractiveWorkload(Resource):
    """A place to work in, such as a notebook or a shell.

    Its one pod runs until it is deleted, and keeps its GPUs unless it is preemptible.
    """

    spec: InteractiveSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class InferenceSpec(InferenceParameters, Submission):
    """What an inference workload should do."""

    settled = SUBMITTED
    checks = (
        TEMPLATES_STAND_ALONE,
        _required("image", IMAGE_REQUIRED, IMAGE_MESSAGE),
        _required(
            "ports",
            "has(self.ports.items) && size(self.ports.items) > 0",
            PORTS_MESSAGE,
        ),
        _unchangeable(InferenceParameters),
    )


class InferenceWorkload(Resource):
    """A model that answers requests: pods behind one address, as many as the load asks for."""

    spec: InferenceSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class MpiJobParameters(Shape):
    """Parameters of MPI jobs."""

    slots_per_worker: PositiveValue = PositiveValue()
    """MPI processes on each worker. Left out, 1."""


class PyTorchJobParameters(Shape):
    """Parameters of elastic PyTorch jobs."""

    checks = (
        Check(
            rule="!has(self.minReplicas) || !has(self.minReplicas.value) || !has(self.maxReplicas) || "
            "!has(self.maxReplicas.value) || self.minReplicas.value <= self.maxReplicas.value",
            message="must be no less than minReplicas",
            field=".maxReplicas",
        ),
    )

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
Workers = Value[Annotated[int, whole(1, 100_000)], IntRules]


class DistributedParameters(PodParameters, Privileges):
    """The parameters of a distributed workload and its workers."""

    mpi_job: MpiJob = MpiJob()
    """What only MPI jobs have."""
    no_master: BoolValue = BoolValue()
    """Whether there are workers only, and no master or launcher."""
    non_preemptible: BoolValue = BoolValue()
    """Whether the workload stays within its project's quota and, in return, keeps its GPUs."""
    py_torch_job: PyTorchJob = PyTorchJob()
    """What only PyTorch jobs have."""
    run_policy: RunPolicy = RunPolicy()
    """What happens to pods after failures and at the end."""
    workers: Workers = Workers()
    """Number of workers."""


class DistributedSpec(DistributedParameters, Submission):
    """What a distributed workload and its workers should do."""

    settled = SUBMITTED
    checks = (
        TEMPLATES_STAND_ALONE,
        _required("image", IMAGE_REQUIRED, IMAGE_MESSAGE),
        _unchangeable(DistributedParameters),
    )

    job_type: Literal["MPIJob", "PyTorchJob", "TFJob", "XGBoostJob"] | None = None
    """Framework that connects the pods; it decides what kind of job is made."""


class MasterSpec(PodParameters, Privileges, Submission):
    """What the master or launcher does differently from the workers; what is left out is as in spec."""


class DistributedWorkload(Resource):
    """Work of many pods that run together or not at all: a master or launcher, and workers."""

    spec: DistributedSpec
    """What to run, and on what."""
    master_spec: MasterSpec | None = None
    """What differs for the master or launcher."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""
