"""What a cluster is told to do once with a workload that was submitted over REST, and what became of that.

All else that a cluster is to have is told as it is to be, for ever; a workload that somebody deletes in the cluster is
to stay deleted. So it is told what to do until it says that it did, or that it cannot (control-plane-api.md 1.4.11;
docs/decisions/0018).
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer
from aliquot.contracts.cluster_shapes import Count, Message, ObjectName

Verb = Literal["create", "suspend", "resume", "delete"]
WorkloadKind = Literal["InteractiveWorkload", "TrainingWorkload", "DistributedWorkload", "InferenceWorkload"]
Outcome = Literal["Done", "Refused"]

SUBMISSION_ID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SubmissionId = Annotated[str, Field(pattern=SUBMISSION_ID)]
"""A UUID that the control plane made."""


class OrderedWorkload(Answer):
    """A workload to be: what its custom resource says."""

    spec: dict[str, Any]
    """Parameters, as the custom resource has them."""
    master_spec: dict[str, Any] | None = None
    """What master or launcher of a distributed workload have otherwise."""
    priority_class: str | None = None
    """Of its pods; None: that of its kind."""
    submitted_by: str
    """Who submitted it."""


class Order(Answer):
    """What is to be done with a workload.

    It is the same one until its outcome is told; another number makes it another one.
    """

    id: SubmissionId
    """The workload's, in the control plane."""
    number: Count
    """Which order about it."""
    verb: Verb
    kind: WorkloadKind
    project: str
    """Name of its project, whose namespace in the cluster it is in."""
    namespace: str | None = None
    """The namespace that the cluster has told of; None: it has told of none yet."""
    name: str
    """Of the custom resource."""
    workload: OrderedWorkload | None = None
    """What is to be made; only with `create`."""


class ReportedOrder(Answer):
    """What became of an order."""

    kind: Literal["order"] = "order"
    name: ObjectName
    """The workload's id in the control plane."""
    number: Count
    """Which order about it."""
    outcome: Outcome
    """Refused: it will never be done; the message says why."""
    message: Message = ""
