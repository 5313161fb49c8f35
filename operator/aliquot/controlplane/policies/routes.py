"""`/api/v2/policy` (control-plane-api.md 1.3)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.policies import (
    DistributedPolicyChanging,
    DistributedPolicyOverwriting,
    InferencePolicyChanging,
    InferencePolicyOverwriting,
    PlaceQuery,
    PolicyQuery,
    PolicyType,
    TrainingPolicyChanging,
    TrainingPolicyOverwriting,
    WorkspacePolicyChanging,
    WorkspacePolicyOverwriting,
)
from aliquot.contracts.administrator_api.policies.answers import Policies, PolicyShown
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.controlplane.auth.gate import Gate, GateOfRequest
from aliquot.controlplane.policies import changes
from aliquot.controlplane.policies.documents import changed, changes_of, document_of
from aliquot.controlplane.policies.queries import entry, of_type, selected, shown, where
from aliquot.controlplane.policies.status import statuses
from aliquot.controlplane.refusals import NotFound

router = APIRouter(prefix="/api/v2/policy", tags=["Policies"])

_NOT_THERE: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such scope, or no policy counts there."}
}

Overwriting = (
    WorkspacePolicyOverwriting | TrainingPolicyOverwriting | DistributedPolicyOverwriting | InferencePolicyOverwriting
)
Changing = WorkspacePolicyChanging | TrainingPolicyChanging | DistributedPolicyChanging | InferencePolicyChanging
ValidateOnly = Annotated[bool, Query(alias="validateOnly", description="Say what would be, and keep nothing.")]
Place = Annotated[PlaceQuery, Query()]


@router.get("")
def list_policies(gate: GateOfRequest, query: Annotated[PolicyQuery, Query()]) -> Policies:
    """List policies."""
    with gate.permit("policies", "read") as permit:
        rows = permit.rows(selected(permit, query))
        synced = statuses(permit, rows)
        return Policies(policies=[entry(row, synced[row.id]) for row in rows])


@router.get("/workspaces", responses=_NOT_THERE)
def get_workspace_policy(gate: GateOfRequest, query: Place) -> PolicyShown:
    """Show what counts for workspaces in a scope."""
    return _get(gate, "workspace", query)


@router.put("/workspaces")
def overwrite_workspace_policy(
    gate: GateOfRequest, body: WorkspacePolicyOverwriting, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Give a scope another workspace policy."""
    return _overwrite(gate, "workspace", body, validate_only=validate_only)


@router.patch("/workspaces")
def update_workspace_policy(
    gate: GateOfRequest, body: WorkspacePolicyChanging, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Change the workspace policy of a scope."""
    return _update(gate, "workspace", body, validate_only=validate_only)


@router.delete("/workspaces", status_code=204, responses=_NOT_THERE)
def delete_workspace_policy(gate: GateOfRequest, query: Place) -> None:
    """Delete the workspace policy of a scope."""
    _delete(gate, "workspace", query)


@router.get("/trainings", responses=_NOT_THERE)
def get_training_policy(gate: GateOfRequest, query: Place) -> PolicyShown:
    """Show what counts for trainings in a scope."""
    return _get(gate, "training", query)


@router.put("/trainings")
def overwrite_training_policy(
    gate: GateOfRequest, body: TrainingPolicyOverwriting, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Give a scope another training policy."""
    return _overwrite(gate, "training", body, validate_only=validate_only)


@router.patch("/trainings")
def update_training_policy(
    gate: GateOfRequest, body: TrainingPolicyChanging, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Change the training policy of a scope."""
    return _update(gate, "training", body, validate_only=validate_only)


@router.delete("/trainings", status_code=204, responses=_NOT_THERE)
def delete_training_policy(gate: GateOfRequest, query: Place) -> None:
    """Delete the training policy of a scope."""
    _delete(gate, "training", query)


@router.get("/distributed", responses=_NOT_THERE)
def get_distributed_policy(gate: GateOfRequest, query: Place) -> PolicyShown:
    """Show what counts for distributed trainings in a scope."""
    return _get(gate, "distributed", query)


@router.put("/distributed")
def overwrite_distributed_policy(
    gate: GateOfRequest, body: DistributedPolicyOverwriting, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Give a scope another distributed policy."""
    return _overwrite(gate, "distributed", body, validate_only=validate_only)


@router.patch("/distributed")
def update_distributed_policy(
    gate: GateOfRequest, body: DistributedPolicyChanging, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Change the distributed policy of a scope."""
    return _update(gate, "distributed", body, validate_only=validate_only)


@router.delete("/distributed", status_code=204, responses=_NOT_THERE)
def delete_distributed_policy(gate: GateOfRequest, query: Place) -> None:
    """Delete the distributed policy of a scope."""
    _delete(gate, "distributed", query)


@router.get("/inferences", responses=_NOT_THERE)
def get_inference_policy(gate: GateOfRequest, query: Place) -> PolicyShown:
    """Show what counts for inferences in a scope."""
    return _get(gate, "inference", query)


@router.put("/inferences")
def overwrite_inference_policy(
    gate: GateOfRequest, body: InferencePolicyOverwriting, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Give a scope another inference policy."""
    return _overwrite(gate, "inference", body, validate_only=validate_only)


@router.patch("/inferences")
def update_inference_policy(
    gate: GateOfRequest, body: InferencePolicyChanging, validate_only: ValidateOnly = False
) -> PolicyShown:
    """Change the inference policy of a scope."""
    return _update(gate, "inference", body, validate_only=validate_only)


@router.delete("/inferences", status_code=204, responses=_NOT_THERE)
def delete_inference_policy(gate: GateOfRequest, query: Place) -> None:
    """Delete the inference policy of a scope."""
    _delete(gate, "inference", query)


def _get(gate: Gate, workloads: PolicyType, query: PlaceQuery) -> PolicyShown:
    with gate.permit("policies", "read") as permit:
        scope = where(permit, query)
        permit.check_shown(scope.place)
        rows = of_type(permit, workloads)
        own, way = rows.of(scope), rows.on_the_way(scope.place)
        if not way:
            raise NotFound(details=f"no {workloads} policy counts in the {scope.scope} {scope.id}")
        return shown(own, way, None if own is None else statuses(permit, [own])[own.id])


def _overwrite(gate: Gate, workloads: PolicyType, body: Overwriting, *, validate_only: bool) -> PolicyShown:
    document = document_of(body.policy)
    with gate.permit("policies", "update") as permit:
        return changes.change(permit, workloads, body.meta, lambda _: document, validate_only=validate_only)


def _update(gate: Gate, workloads: PolicyType, body: Changing, *, validate_only: bool) -> PolicyShown:
    wanted, reset = changes_of(body.policy), body.reset or ()
    with gate.permit("policies", "update") as permit:
        return changes.change(
            permit, workloads, body.meta, lambda before: changed(before, wanted, reset), validate_only=validate_only
        )


def _delete(gate: Gate, workloads: PolicyType, query: PlaceQuery) -> None:
    with gate.permit("policies", "delete") as permit:
        changes.delete(permit, workloads, where(permit, query))
