"""What is kept and shown of a submission, and what its cluster is told."""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.contracts.administrator_api.submissions import (
    DistributedSubmission,
    InferenceSubmission,
    Submitted,
    SubmittedDistributed,
    TrainingSubmission,
    WorkspaceSubmission,
)
from aliquot.contracts.cluster_orders import Order, OrderedWorkload, WorkloadKind
from aliquot.contracts.cluster_workloads import ReportedWorkload
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.workload_keeper import NOT_TOLD
from aliquot.controlplane.database import tables
from aliquot.controlplane.projects.rules import namespace_of
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.submissions.rendering import rendered, rendered_master
from aliquot.controlplane.workloads.rules import Columns, ProjectPlace, workload_columns, written
from aliquot.errors import UserError

Body = WorkspaceSubmission | TrainingSubmission | DistributedSubmission | InferenceSubmission
KINDS: Final[Mapping[type[Body], WorkloadKind]] = {
    WorkspaceSubmission: "InteractiveWorkload",
    TrainingSubmission: "TrainingWorkload",
    DistributedSubmission: "DistributedWorkload",
    InferenceSubmission: "InferenceWorkload",
}
_OWN_COLUMNS: Final = {"name", "project_id", "cluster_id", "use_given_name_as_prefix"}


def new_submission(
    permit: Permit, workload_id: str, name: str, body: Body, project: tables.Project, most_bytes: int
) -> tables.Submission:
    """A submission that is not kept yet.

    Args:
        permit: of whoever submits it.
        workload_id: its id.
        name: how it is called.
        body: what was submitted.
        project: where it is.
        most_bytes: longest manifest.

    Raises:
        UserError: members of the spec contradict one another.
        BadRequest: it is too long.
    """
    manifest = _manifest(body, name, permit.holder.name)
    size = len(orjson.dumps(manifest))
    if size > most_bytes:
        raise BadRequest(f"Bad request - spec: {size} bytes is not allowed: at most {most_bytes}, as a custom resource")
    return tables.Submission(
        id=workload_id,
        tenant_id=permit.holder.tenant_id,
        cluster_id=project.cluster_id,
        department_id=project.department_id,
        project_id=project.id,
        project_name=project.name,
        kind=KINDS[type(body)],
        name=name,
        requested_name=body.name,
        body=body.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=_OWN_COLUMNS),
        manifest=manifest,
        created_ms=permit.now_ms,
        created_by=permit.holder.name,
        desired_phase="Running",
        verb="create",
        number=1,
        ordered_ms=permit.now_ms,
    )


def new_workload(submission: tables.Submission, project: tables.Project) -> tables.Workload:
    """The workload of a submission, as it is shown before its cluster has told of it."""
    manifest = submission.manifest or {}
    said = ReportedWorkload(
        id=submission.id,
        name=submission.name,
        namespace=namespace_of(project.name, project.requested_namespace),
        type=submission.kind,
        project=project.name,
        priority_class=manifest.get("priorityClass") or "",
        submitted_by=submission.created_by,
        source="Control-plane",
        phase="Creating",
        phase_message="its cluster has not made it yet",
        kubernetes_phase="Creating",
        created_at=from_milliseconds(submission.created_ms),
        images=(submission.body["spec"]["image"],),
        requested_node_pools=tuple(submission.body["spec"].get("nodePools") or ())[:64],
    )
    place = ProjectPlace(project.id, project.department_id, project.department.name)
    return tables.Workload(
        cluster_id=submission.cluster_id,
        tenant_id=submission.tenant_id,
        id=submission.id,
        session=NOT_TOLD,
        phase_ms=submission.created_ms,
        kubernetes_phase_ms=submission.created_ms,
        updated_ms=submission.created_ms,
        **workload_columns(said, written(said), place),
    )


def workload_of(permit: Permit, submission: tables.Submission) -> tables.Workload:
    """The workload of a submission; only for what is shown, as it may change at any time."""
    mine = tables.Workload.cluster_id == submission.cluster_id, tables.Workload.id == submission.id
    found = permit.first(permit.select_whole(tables.Workload).where(*mine))
    assert found is not None, "both are kept, and removed, together"
    return found


def submitted_columns(columns: Columns, submission: tables.Submission) -> Columns:
    """What is kept of a workload that was submitted here, of what its cluster says."""
    own: dict[str, Any] = {"created_ms": submission.created_ms, "submitted_by": submission.created_by}
    if submission.desired_phase == "Deleted":
        own["phase"] = "Deleting"
    document = {**columns["document"], "source": "Control-plane"}
    return {**columns, **own, "document": document}


def order(submission: tables.Submission, namespace: str | None) -> Order:
    """What a cluster is told to do."""
    return Order(
        id=submission.id,
        number=submission.number,
        verb=cast("Any", submission.verb),
        kind=cast("Any", submission.kind),
        project=submission.project_name,
        namespace=namespace,
        name=submission.name,
        workload=_ordered(submission),
    )


def shown(submission: tables.Submission, workload: tables.Workload) -> Submitted | SubmittedDistributed:
    """A submission as the API has it."""
    body = submission.body
    members: dict[str, Any] = {
        "name": submission.name,
        "requestedName": submission.requested_name,
        "workloadId": submission.id,
        "projectId": str(submission.project_id),
        "departmentId": str(submission.department_id),
        "clusterId": submission.cluster_id,
        "createdBy": submission.created_by,
        "createdAt": from_milliseconds(submission.created_ms),
        "desiredPhase": submission.desired_phase,
        "actualPhase": workload.phase,
        "spec": body["spec"],
    }
    if submission.kind != "DistributedWorkload":
        return Submitted.model_validate(members)
    master = body.get("masterSpec")
    return SubmittedDistributed.model_validate(
        {**members, "masterSpecSameAsWorker": master is None, "masterSpec": master}
    )


def told_of(submission: tables.Submission) -> dict[str, Any]:
    """A submission as audit records keep it: without its spec, which may have secrets in it."""
    return {
        "name": submission.name,
        "workloadId": submission.id,
        "projectId": str(submission.project_id),
        "kind": submission.kind,
        "desiredPhase": submission.desired_phase,
    }


def _manifest(body: Body, name: str, submitted_by: str) -> dict[str, Any]:
    master = None
    if isinstance(body, DistributedSubmission):
        if body.master_spec_same_as_worker and body.master_spec is not None:
            raise UserError("masterSpecSameAsWorker", True, "false or left out, because masterSpec is given")
        if body.master_spec_same_as_worker is False and body.master_spec is None:
            raise UserError("masterSpec", None, "what the master does, because masterSpecSameAsWorker is false")
        master = None if body.master_spec is None else rendered_master(body.master_spec)
    made = OrderedWorkload(
        spec=rendered(body.spec, name),
        master_spec=master,
        priority_class=body.spec.priority_class,
        submitted_by=submitted_by,
    )
    return made.model_dump(mode="json", by_alias=True)


def _ordered(submission: tables.Submission) -> OrderedWorkload | None:
    if submission.manifest is None:
        return None
    made = OrderedWorkload.model_validate(submission.manifest)
    if submission.desired_phase != "Stopped":
        return made
    return made.model_copy(update={"spec": {**made.spec, "active": {"value": False}}})
