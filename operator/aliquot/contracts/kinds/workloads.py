"""The workload kinds: what users submit.

Which kind has which parameter: crd-contract.md. A workload with `usage: Template` holds values for others and runs
nothing; what a submitted one may still change is in `MUTABLE`. What must be given (an image, the port of a service) no
schema can say, as a template or a policy may give it: that is checked when they are merged.
"""

from typing import Final, Literal, TypeAlias

from aliquot.contracts.kinds.parameters import (
    DistributedParameters,
    InferenceParameters,
    InteractiveParameters,
    MasterParameters,
    TrainingParameters,
)
from aliquot.contracts.kinds.shapes import Check, Resource, Shape, outside_name
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kinds.texts import Name

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
        "ttl_after_finish",
    }
)
"""Parameters that may change after submission; the pods that exist do not depend on them."""

IDENTITY: Final = ("usage", "name", "name_prefix", "base_workload", "job_type")
"""Parameters that decide what a workload is; they never change after submission."""


class Submission(Shape):
    """What is said about a workload as a whole; plain text without a wrapper."""

    usage: Literal["Template", "Submit"] = "Submit"
    """Submit: run it. Template: keep the values for workloads that name this one as their baseWorkload; nothing
    runs."""
    base_workload: Name | None = None
    """Name of a workload of the same kind, in the same namespace or in the namespace runai, whose values hold wherever
    this one gives none."""


STAYS: Final = "cannot change after submission: delete the workload and submit another"

TEMPLATES_STAND_ALONE: Final = Check(
    rule="!has(self.baseWorkload) || self.baseWorkload == '' || self.usage != 'Template'",
    message="a Template cannot have a baseWorkload itself",
    field=".baseWorkload",
    reason="FieldValueForbidden",
)


STATUS_WRITTEN: Final = "self.?status.?lastStatusChangeTime != oldSelf.?status.?lastStatusChangeTime"
"""CEL: a status is being written. Only the status subresource can change a status, and it cannot change a spec."""


def _unchangeable(parameters: type[Shape], *further: str) -> Check:
    """Make the rule that holds a workload's parameters still once it is submitted, and further members beside them.

    It is one rule for all of them, and over the whole workload, so that it can begin with what settles most writes of
    a status without a look at the spec: each look is dear for the API server (docs/decisions/0001).
    """
    members = {*parameters.model_fields, *Submission.model_fields, *further}
    identity = [name for name in IDENTITY if name in members]
    outside = [outside_name(name) for name in (*identity, *sorted(members - MUTABLE - {*identity}))]
    new, old = "self.spec", "oldSelf.spec"
    changed = [
        f"has({new}.{name}) != has({old}.{name}) || (has({new}.{name}) && {new}.{name} != {old}.{name})"
        for name in outside
    ]
    named = " + ".join(f"({rule} ? 'spec.{name} ' : '')" for name, rule in zip(outside, changed, strict=True))
    return Check(
        rule=f"{STATUS_WRITTEN} || {old}.usage != 'Submit' || {new} == {old} || "
        f"!({' || '.join(f'({rule})' for rule in changed)})",
        message=STAYS,
        message_expression=f"{named} + '{STAYS}'",
        field=".spec",
        reason="FieldValueForbidden",
    )


SUBMITTED: Final = "oldSelf.usage == 'Submit' || self == oldSelf"
"""CEL: what was submitted stays as it is, but for what may change; and whoever writes something else, such as a status,
is not told off for what an older definition let in."""


class TrainingSpec(TrainingParameters, Submission):
    """What a training workload should do."""

    settled = SUBMITTED
    checks = (TEMPLATES_STAND_ALONE,)


class TrainingWorkload(Resource):
    """Work that runs by itself until it is done.

    Its pods must succeed a number of times. It may use GPUs above its project's quota, and gives them back when their
    owner wants them.
    """

    checks = (_unchangeable(TrainingParameters),)

    spec: TrainingSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class InteractiveSpec(InteractiveParameters, Submission):
    """What an interactive workload should do."""

    settled = SUBMITTED
    checks = (TEMPLATES_STAND_ALONE,)


class InteractiveWorkload(Resource):
    """A place to work in, such as a notebook or a shell.

    Its one pod runs until it is deleted, and keeps its GPUs unless it is preemptible.
    """

    checks = (_unchangeable(InteractiveParameters),)

    spec: InteractiveSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class InferenceSpec(InferenceParameters, Submission):
    """What an inference workload should do."""

    settled = SUBMITTED
    checks = (TEMPLATES_STAND_ALONE,)


class InferenceWorkload(Resource):
    """A model that answers requests: pods behind one address, as many as the load asks for."""

    checks = (_unchangeable(InferenceParameters),)

    spec: InferenceSpec
    """What to run, and on what."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


class DistributedSpec(DistributedParameters, Submission):
    """What a distributed workload and its workers should do."""

    settled = SUBMITTED
    checks = (TEMPLATES_STAND_ALONE,)

    job_type: Literal["MPIJob", "PyTorchJob", "TFJob", "XGBoostJob"] | None = None
    """Framework that connects the pods; it decides what kind of job is made."""


class MasterSpec(MasterParameters, Submission):
    """What the master or launcher does differently from the workers; what is left out is as in spec."""

    settled = "self == oldSelf"


class DistributedWorkload(Resource):
    """Work of many pods that run together or not at all: a master or launcher, and workers."""

    checks = (
        _unchangeable(DistributedParameters, "job_type"),
        Check(
            rule=f"{STATUS_WRITTEN} || oldSelf.spec.usage != 'Submit' || (has(self.masterSpec) == "
            "has(oldSelf.masterSpec) && (!has(self.masterSpec) || self.masterSpec == oldSelf.masterSpec))",
            message=STAYS,
            field=".masterSpec",
            reason="FieldValueForbidden",
        ),
    )

    spec: DistributedSpec
    """What to run, and on what."""
    master_spec: MasterSpec | None = None
    """What differs for the master or launcher."""
    status: WorkloadStatus = WorkloadStatus()
    """How it is doing."""


Workload: TypeAlias = TrainingWorkload | InteractiveWorkload | DistributedWorkload | InferenceWorkload
"""A workload of any kind."""
