"""`/api/v1/workloads/{workspaces,trainings,distributed,inferences}` (control-plane-api.md 1.4.11)."""

import secrets
import string
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, Request

from aliquot.contracts.administrator_api.permissions import ResourceType
from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.administrator_api.problems import ComplianceProblem
from aliquot.contracts.administrator_api.submissions import (
    NAME_LENGTH,
    SUFFIX_LENGTH,
    Accepted,
    DistributedSubmission,
    InferenceSubmission,
    Submitted,
    SubmittedDistributed,
    TrainingSubmission,
    WorkspaceSubmission,
)
from aliquot.contracts.cluster_orders import WorkloadKind
from aliquot.controlplane.auth.gate import Gate, GateOfRequest
from aliquot.controlplane.auth.order_book import OrderBook
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.submitted import check_complies
from aliquot.controlplane.projects.queries import SHOWN
from aliquot.controlplane.refusals import BadRequest, Conflict, NotFound
from aliquot.controlplane.services import services_of
from aliquot.controlplane.settings import Workloads
from aliquot.controlplane.submissions.made import KINDS, Body, new_submission, new_workload, shown, told_of, workload_of
from aliquot.controlplane.submissions.rules import Asked

router = APIRouter(prefix="/api/v1/workloads", tags=["Workload submission"])

_TRIES: Final = 10
_NOT_COMPLIANT: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ComplianceProblem, "description": "A rule of the API is broken, or a policy does not allow it."}
}
_LETTERS: Final = string.ascii_lowercase + string.digits
_WORDS: Final[dict[WorkloadKind, PolicyType]] = {
    "InteractiveWorkload": "workspace",
    "TrainingWorkload": "training",
    "DistributedWorkload": "distributed",
    "InferenceWorkload": "inference",
}
_RESOURCES: Final[dict[WorkloadKind, ResourceType]] = {
    "InteractiveWorkload": "workspaces",
    "TrainingWorkload": "trainings",
    "DistributedWorkload": "trainings",
    "InferenceWorkload": "inferences",
}
"""What somebody needs a right to, for workloads of each kind (control-plane-api.md 2.4)."""


@router.post("/workspaces", responses=_NOT_COMPLIANT)
def create_workspace(request: Request, gate: GateOfRequest, body: WorkspaceSubmission) -> Submitted:
    """Submit a workspace."""
    return _create(request, gate, "workspaces", body)


@router.get("/workspaces/{workloadId}")
def get_workspace(gate: GateOfRequest, workloadId: str) -> Submitted:  # noqa: N803 - as it is documented
    """Show a workspace that was submitted here."""
    return _get(gate, "InteractiveWorkload", workloadId)


@router.delete("/workspaces/{workloadId}", status_code=204)
def delete_workspace(request: Request, gate: GateOfRequest, workloadId: str) -> None:  # noqa: N803
    """Delete a workspace that was submitted here."""
    _ask(request, gate, "InteractiveWorkload", workloadId, "delete")


@router.post("/workspaces/{workloadId}/suspend", status_code=202)
def suspend_workspace(request: Request, gate: GateOfRequest, workloadId: str) -> Accepted:  # noqa: N803
    """Stop a workspace, until it is resumed."""
    return _ask(request, gate, "InteractiveWorkload", workloadId, "suspend")


@router.post("/workspaces/{workloadId}/resume", status_code=202)
def resume_workspace(request: Request, gate: GateOfRequest, workloadId: str) -> Accepted:  # noqa: N803
    """Start a workspace again."""
    return _ask(request, gate, "InteractiveWorkload", workloadId, "resume")


@router.post("/trainings", responses=_NOT_COMPLIANT)
def create_training(request: Request, gate: GateOfRequest, body: TrainingSubmission) -> Submitted:
    """Submit a training."""
    return _create(request, gate, "trainings", body)


@router.get("/trainings/{workloadId}")
def get_training(gate: GateOfRequest, workloadId: str) -> Submitted:  # noqa: N803
    """Show a training that was submitted here."""
    return _get(gate, "TrainingWorkload", workloadId)


@router.delete("/trainings/{workloadId}", status_code=204)
def delete_training(request: Request, gate: GateOfRequest, workloadId: str) -> None:  # noqa: N803
    """Delete a training that was submitted here."""
    _ask(request, gate, "TrainingWorkload", workloadId, "delete")


@router.post("/trainings/{workloadId}/suspend", status_code=202)
def suspend_training(request: Request, gate: GateOfRequest, workloadId: str) -> Accepted:  # noqa: N803
    """Stop a training, until it is resumed."""
    return _ask(request, gate, "TrainingWorkload", workloadId, "suspend")


@router.post("/trainings/{workloadId}/resume", status_code=202)
def resume_training(request: Request, gate: GateOfRequest, workloadId: str) -> Accepted:  # noqa: N803
    """Start a training again."""
    return _ask(request, gate, "TrainingWorkload", workloadId, "resume")


@router.post("/distributed", responses=_NOT_COMPLIANT)
def create_distributed(request: Request, gate: GateOfRequest, body: DistributedSubmission) -> SubmittedDistributed:
    """Submit a distributed training."""
    made = _create(request, gate, "trainings", body)
    assert isinstance(made, SubmittedDistributed)
    return made


@router.get("/distributed/{workloadId}")
def get_distributed(gate: GateOfRequest, workloadId: str) -> SubmittedDistributed:  # noqa: N803
    """Show a distributed training that was submitted here."""
    found = _get(gate, "DistributedWorkload", workloadId)
    assert isinstance(found, SubmittedDistributed)
    return found


@router.delete("/distributed/{workloadId}", status_code=204)
def delete_distributed(request: Request, gate: GateOfRequest, workloadId: str) -> None:  # noqa: N803
    """Delete a distributed training that was submitted here."""
    _ask(request, gate, "DistributedWorkload", workloadId, "delete")


@router.post("/inferences", responses=_NOT_COMPLIANT)
def create_inference(request: Request, gate: GateOfRequest, body: InferenceSubmission) -> Submitted:
    """Submit an inference workload."""
    return _create(request, gate, "inferences", body)


@router.get("/inferences/{workloadId}")
def get_inference(gate: GateOfRequest, workloadId: str) -> Submitted:  # noqa: N803
    """Show an inference workload that was submitted here."""
    return _get(gate, "InferenceWorkload", workloadId)


@router.delete("/inferences/{workloadId}", status_code=204)
def delete_inference(request: Request, gate: GateOfRequest, workloadId: str) -> None:  # noqa: N803
    """Delete an inference workload that was submitted here."""
    _ask(request, gate, "InferenceWorkload", workloadId, "delete")


def _create(request: Request, gate: Gate, resource: ResourceType, body: Body) -> Submitted:
    limits = services_of(request).settings.workloads
    with gate.permit(resource, "create") as permit:
        project = _project(permit, body)
        permit.check(Place(project.cluster_id, project.department_id, project.id))
        book = permit.orders(project.cluster_id)
        _check_room(book, limits)
        if book.live_count() >= limits.live_most:
            raise Conflict("The cluster has too many workloads.", f"at most {limits.live_most}: delete some")
        made = new_submission(permit, str(uuid4()), _name(book, project, body), body, project, limits.spec_bytes)
        master = body.master_spec if isinstance(body, DistributedSubmission) else None
        check_complies(permit, _WORDS[KINDS[type(body)]], made, body.spec, master)
        permit.add(made)
        workload = new_workload(made, project)
        book.open(workload)
        permit.record("create", _WORDS[made.kind], made, after=told_of(made))  # pyright: ignore[reportArgumentType]
        return shown(made, workload)


def _get(gate: Gate, kind: WorkloadKind, workload_id: str) -> Submitted:
    with gate.permit(_RESOURCES[kind], "read") as permit:
        found = _found(permit, kind, workload_id)
        return shown(found, workload_of(permit, found))


def _ask(request: Request, gate: Gate, kind: WorkloadKind, workload_id: str, verb: Asked) -> Accepted:
    action = "delete" if verb == "delete" else "update"
    with gate.permit(_RESOURCES[kind], action) as permit:
        found = _found(permit, kind, workload_id)
        book = permit.orders(found.cluster_id)
        submission, workload = book.current(found.id)
        if workload.deleted_ms is not None:
            raise NotFound(details=f"the workload {workload_id} is gone")
        if submission.verb is None:
            _check_room(book, services_of(request).settings.workloads)
        before = told_of(submission)
        book.ask(submission, workload, verb)
        after = None if verb == "delete" else told_of(submission)
        permit.record(action, _WORDS[kind], submission, before=before, after=after)
    return Accepted()


def _found(permit: Permit, kind: WorkloadKind, workload_id: str) -> tables.Submission:
    """A submission of a kind.

    Raises:
        NotFound: the tenant has none of this kind with this id.
        Forbidden: it is out of the caller's reach.
    """
    found = permit.one(tables.Submission, workload_id)
    if found.kind != kind:
        raise NotFound(details=f"the workload {workload_id} is a {found.kind}")
    return found


def _project(permit: Permit, body: Body) -> tables.Project:
    """The project of a submission.

    Raises:
        BadRequest: there is no such cluster, or it has no such project.
    """
    cluster = cluster_of_body(permit, body.cluster_id)
    found = permit.referred(tables.Project, body.project_id, SHOWN)
    if found is None or found.cluster_id != cluster.id:
        raise BadRequest(
            f"Bad request - projectId: {body.project_id!r} is not allowed: the cluster {cluster.name} has no such "
            "project"
        )
    return found


def _check_room(book: OrderBook, limits: Workloads) -> None:
    """See that the cluster has not too much to do.

    Raises:
        Conflict: it has.
    """
    if book.waiting_count() >= limits.orders_most:
        says = f"{limits.orders_most} workloads wait for it to make, suspend, resume or delete them: try again later"
        raise Conflict("The cluster has not done yet what it was told.", says)


def _name(book: OrderBook, project: tables.Project, body: Body) -> str:
    """How a workload is called.

    Raises:
        BadRequest: the prefix is too long.
        Conflict: there is one of this name.
    """
    if not body.use_given_name_as_prefix:
        names: Sequence[str] = (body.name,)
    elif len(body.name) + SUFFIX_LENGTH > NAME_LENGTH:
        most = NAME_LENGTH - SUFFIX_LENGTH
        raise BadRequest(f"Bad request - name: {body.name!r} is not allowed: at most {most} characters of a prefix")
    else:
        names = [f"{body.name}-{_random(SUFFIX_LENGTH - 1)}" for _ in range(_TRIES)]
    for name in names:
        if not book.is_taken(project.id, name):
            return name
    raise Conflict("Resource with this name already exists", f"the project {project.name} has a workload {names[0]}")


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
