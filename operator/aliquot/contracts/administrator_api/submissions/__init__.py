"""Workloads that are submitted over REST (control-plane-api.md 1.4.11): bodies and answers.

`parts` and `storage` are what specs are made of, `specs` the specs of each kind. Members of the documented spec that no
parameter of the custom resources carries out are there as `NotCarriedOut`: refused by name, unless they say nothing.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer, Body, Flag, Id, Time
from aliquot.contracts.administrator_api.submissions.specs import (
    DistributedSpec,
    InferenceSpec,
    MasterSpec,
    PodSpec,
    TrainingSpec,
    WorkspaceSpec,
)
from aliquot.contracts.cluster_workloads import Phase

__all__ = [
    "NAME_LENGTH",
    "SUFFIX_LENGTH",
    "Accepted",
    "DesiredPhase",
    "DistributedSpec",
    "DistributedSubmission",
    "InferenceSpec",
    "InferenceSubmission",
    "MasterSpec",
    "PodSpec",
    "Submitted",
    "SubmittedDistributed",
    "TrainingSpec",
    "TrainingSubmission",
    "WorkspaceSpec",
    "WorkspaceSubmission",
]

NAME_LENGTH = 52
"""Longest name of a workload: those of its pods follow from it."""
SUFFIX_LENGTH = 6
"""Of what is added to a name that is a prefix."""
WORKLOAD_NAME = rf"^[a-z]([-a-z0-9]{{0,{NAME_LENGTH - 2}}}[a-z0-9])?$"

DesiredPhase = Literal["Running", "Stopped", "Deleted"]
WorkloadName = Annotated[str, Field(pattern=WORKLOAD_NAME)]


class _Submission(Body):
    name: WorkloadName
    """How it is to be called; unique among the workloads of the project."""
    project_id: Id
    """Project that it belongs to."""
    cluster_id: Id
    """Cluster of that project."""
    use_given_name_as_prefix: Flag = False
    """Whether something is added to the name that makes it unique."""


class WorkspaceSubmission(_Submission):
    """A workspace to be."""

    spec: WorkspaceSpec
    """What it does, and with what."""


class TrainingSubmission(_Submission):
    """A training to be."""

    spec: TrainingSpec
    """What it does, and with what."""


class DistributedSubmission(_Submission):
    """A distributed training to be."""

    spec: DistributedSpec
    """What its workers do, and with what."""
    master_spec_same_as_worker: Flag | None = None
    """Whether its master is as its workers are; left out: unless `masterSpec` is given."""
    master_spec: MasterSpec | None = None
    """What its master does otherwise."""


class InferenceSubmission(_Submission):
    """An inference workload to be."""

    spec: InferenceSpec
    """What it does, and with what."""


class Submitted(Answer):
    """A workload that was submitted over REST."""

    name: str
    """How it is called."""
    requested_name: str
    """How it was to be called."""
    workload_id: str
    """Its id, the same in all lists of workloads."""
    project_id: str
    """Project that it belongs to."""
    department_id: str
    """Department of that."""
    cluster_id: str
    """Cluster that it runs in."""
    created_by: str
    """Who submitted it."""
    created_at: Time
    """When."""
    desired_phase: DesiredPhase
    """How it is to be."""
    actual_phase: Phase
    """How it is."""
    spec: dict[str, Any]
    """What it does, as it was submitted."""


class SubmittedDistributed(Submitted):
    """The same of a distributed training."""

    master_spec_same_as_worker: bool
    """Whether its master is as its workers are."""
    master_spec: dict[str, Any] | None
    """What its master does otherwise."""


class Accepted(Answer):
    """A request will be carried out."""

    code: int = 202
    """The status of the answer."""
    message: str = "Request has been accepted."
    """The same in words."""
