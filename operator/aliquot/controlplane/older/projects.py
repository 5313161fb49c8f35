"""`/v1/k8s/clusters/{clusterId}/projects` (control-plane-api.md 1.4.3)."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.older.projects import (
    OlderAffinity,
    OlderPermissions,
    OlderProject,
    OlderProjectCreation,
    OlderProjectParts,
    OlderProjectQuery,
    OlderProjectsQuery,
    OlderProjectUpdate,
)
from aliquot.contracts.administrator_api.projects import ProjectCreation, ProjectUpdate
from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_time
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import written
from aliquot.controlplane.node_types.queries import Names, names_in
from aliquot.controlplane.older import amounts, quotas
from aliquot.controlplane.older.amounts import Deprecated, MemoryUnit
from aliquot.controlplane.older.named import Named, name, named, nobody
from aliquot.controlplane.older.places import all_in, check_same, cluster_of_path, in_older_words, one_in
from aliquot.controlplane.older.rights import RESEARCHER
from aliquot.controlplane.projects import changes
from aliquot.controlplane.projects.queries import SHOWN, WHOLE
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.statuses.rules import Told, pool_quota_statuses, project_phase
from aliquot.controlplane.statuses.told import told_of

router = APIRouter(prefix="/v1/k8s/clusters/{clusterId}/projects", tags=["Older: projects"])

_FIELDS: Final = {"requestedNamespace": "namespace"}
_LIMITS: Final = {
    "interactiveJobTimeLimitSecs": "interactiveJobTimeLimitSeconds",
    "interactiveJobMaxIdleDurationSecs": "interactiveJobMaxIdleDurationSeconds",
    "interactivePreemptibleJobMaxIdleDurationSecs": "interactiveJobPreemptIdleDurationSeconds",
    "trainingJobMaxIdleDurationSecs": "trainingJobMaxIdleDurationSeconds",
    "trainingJobTimeLimitSecs": "trainingJobTimeLimitSeconds",
}
"""Newer names of time limits, by older ones."""


@router.get("", response_model=list[OlderProject])
def list_projects_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803 - as it is documented
    query: Annotated[OlderProjectsQuery, Query()],
) -> Response:
    """List the projects of a cluster."""
    with gate.permit("project", "read") as permit:
        cluster_id, rows = all_in(permit, tables.Project, clusterId, SHOWN)
        unit: MemoryUnit = "MB" if query.memory_unit_mb else "Mib"
        return written(documents(permit, cluster_id, rows, unit, with_permissions=not query.exclude_permissions))


@router.post("")
def create_project_in_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    query: Annotated[OlderProjectQuery, Query()],
    body: OlderProjectCreation,
) -> OlderProject:
    """Create a project, and give those that it names the role of a researcher in it."""
    with gate.permit("project", "create") as permit:
        cluster = cluster_of_path(permit, clusterId)
        _check_department(permit, cluster, body.department_id)
        given = ProjectCreation.model_validate(
            {
                "name": body.name,
                "clusterId": cluster.id,
                "parentId": None if body.department_id is None else str(body.department_id),
                "requestedNamespace": body.namespace,
                **_parts(permit, cluster.id, body),
            }
        )
        deprecated = Deprecated(weight=body.gpu_over_quota_weight)
        resources = amounts.changes(body, quotas.held(permit, cluster.id, None), deprecated)
        with in_older_words(_FIELDS):
            row = changes.create(permit, given, resources)
        if not query.exclude_permissions:
            _name(permit, row, body.permissions)
        return _shown(permit, row, with_permissions=not query.exclude_permissions)


@router.get("/{id}")
def get_project_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    id: str,  # noqa: A002 - as it is documented
    query: Annotated[OlderProjectQuery, Query()],
) -> OlderProject:
    """Show a project."""
    with gate.permit("project", "read") as permit:
        row = one_in(permit, tables.Project, clusterId, id, SHOWN)
        return _shown(permit, row, with_permissions=not query.exclude_permissions)


@router.put("/{id}")
def replace_project_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    id: str,  # noqa: A002
    query: Annotated[OlderProjectQuery, Query()],
    body: OlderProjectUpdate,
) -> OlderProject:
    """Replace everything of a project but its name, its department and its namespace."""
    with gate.permit("project", "update") as permit:
        row = one_in(permit, tables.Project, clusterId, id, *WHOLE)
        check_same("name", body.name, row.name, "the name")
        check_same("departmentId", body.department_id, row.department_id, "the department")
        given = ProjectUpdate.model_validate(_parts(permit, row.cluster_id, body))
        deprecated = Deprecated(weight=body.gpu_over_quota_weight)
        resources = amounts.changes(body, quotas.held(permit, row.cluster_id, row), deprecated)
        changes.change(permit, row, resources, given)
        if not query.exclude_permissions:
            _name(permit, row, body.permissions)
        return _shown(permit, row, with_permissions=not query.exclude_permissions)


@router.delete("/{id}")
def delete_project_of_cluster(gate: GateOfRequest, clusterId: str, id: str) -> OlderProject:  # noqa: N803, A002
    """Delete a project; its namespace, and what runs there, stays."""
    with gate.permit("project", "delete") as permit:
        row = one_in(permit, tables.Project, clusterId, id, *WHOLE)
        shown = _shown(permit, row, with_permissions=True)
        changes.delete(permit, row)
        return shown


def documents(
    permit: Permit, cluster_id: str, rows: Sequence[tables.Project], unit: MemoryUnit, *, with_permissions: bool
) -> list[dict[str, Any]]:
    """Projects of one cluster, whose departments are loaded, as `OlderProject` is written."""
    told = told_of(permit, "project", rows)
    held = quotas.by_owner(permit.quotas(tables.Quota.project_id, [row.id for row in rows]))
    types = names_in(permit, [cluster_id])[cluster_id]
    people = named(permit, RESEARCHER, "project", cluster_id) if with_permissions else None
    return [
        {
            **_document(row, told[row.id], types, unit),
            **_quotas(quotas.document(held[row.id], unit)),
            "permissions": None if people is None else _permissions(people.get(row.id, nobody())),
        }
        for row in rows
    ]


def _shown(permit: Permit, row: tables.Project, *, with_permissions: bool) -> OlderProject:
    (shown,) = documents(permit, row.cluster_id, [row], "Mib", with_permissions=with_permissions)
    return OlderProject.model_validate(shown)


def _quotas(shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "gpuOverQuotaWeight": shown["resources"]["gpu"]["overQuotaWeight"]}


def _permissions(people: Named) -> dict[str, list[str]]:
    return {"users": people["user"], "groups": people["group"], "applications": people["app"]}


def _document(row: tables.Project, told: Told, types: Names, unit: MemoryUnit) -> dict[str, Any]:
    phase, message = project_phase(told)
    rules = row.scheduling_rules or {}
    training = [types.read(each) for each in row.training_types]
    interactive = [types.read(each) for each in row.workspace_types]
    statuses = pool_quota_statuses(told, {})
    for status in statuses:
        del status["nodePoolId"]
        for use in ("allocated", "allocatedNonPreemptible", "requested"):
            status[use]["memory"] = amounts.memory_in(status[use]["memory"], unit)
    return {
        "id": row.id,
        "name": row.name,
        "tenantId": row.tenant_id,
        "clusterUuid": row.cluster_id,
        "departmentId": row.department_id,
        "departmentName": row.department.name,
        "namespace": row.requested_namespace,
        "defaultNodePools": row.default_node_pools,
        **{older: rules.get(newer) for older, newer in _LIMITS.items()},
        "nodeAffinity": {"train": _affinity(training), "interactive": _affinity(interactive)},
        "trainNodeAffinity": ",".join(called for _, called in training),
        "interactiveNodeAffinity": ",".join(called for _, called in interactive),
        "createdAt": written_time(from_milliseconds(row.created_ms)),
        "phase": phase,
        "status": {
            "namespace": None if told.document is None else told.document["namespace"],
            "message": message,
            "quotaStatuses": statuses,
        },
    }


def _affinity(types: Sequence[tuple[int | None, str]]) -> dict[str, Any]:
    return {
        "affinityType": "only_selected" if types else "no_limit",
        "selectedTypes": [{"id": type_id, "name": called} for type_id, called in types],
    }


def _parts(permit: Permit, cluster_id: str, body: OlderProjectParts) -> dict[str, Any]:
    """What can be changed of a project beside its amounts, in newer words."""
    types = names_in(permit, [cluster_id])[cluster_id]
    sent = body.model_dump(by_alias=True)
    affinity = body.node_affinity
    return {
        "resources": [],
        "defaultNodePools": body.default_node_pools or [],
        "schedulingRules": {newer: sent[older] for older, newer in _LIMITS.items()},
        "nodeTypes": {
            "training": _types(affinity.train if affinity else None, types, "nodeAffinity.train"),
            "workspace": _types(affinity.interactive if affinity else None, types, "nodeAffinity.interactive"),
        },
    }


def _types(given: OlderAffinity | None, types: Names, at: str) -> list[str]:
    """Node types as projects keep them: by id where there is one.

    Raises:
        BadRequest: the cluster has no such node type, or none is named.
    """
    if given is None or given.affinity_type == "no_limit":
        return []
    if not given.selected_types:
        raise BadRequest(f"Bad request - {at}.selectedTypes: [] is not allowed: at least one type with only_selected")
    found: list[str] = []
    for index, each in enumerate(given.selected_types):
        field = f"{at}.selectedTypes.{index}"
        if each.id is not None:
            if each.id not in types.by_id:
                there = ", ".join(f"{number} ({called})" for number, called in sorted(types.by_id.items())[:20])
                raise BadRequest(
                    f"Bad request - {field}.id: {each.id!r} is not allowed: the cluster has the node types {there}"
                )
            check_same(f"{field}.name", each.name, types.by_id[each.id], "the node type's name")
            found.append(str(each.id))
        elif each.name:
            found.append(str(types.by_name.get(each.name, each.name)))
        else:
            raise BadRequest(f"Bad request - {field}.id: missing")
    return found


def _check_department(permit: Permit, cluster: tables.Cluster, department_id: int | None) -> None:
    """See that a cluster has a department.

    Raises:
        BadRequest: it has not.
    """
    if department_id is None:
        return
    found = permit.referred(tables.Department, department_id)
    if found is None or found.cluster_id != cluster.id:
        raise BadRequest(
            f"Bad request - departmentId: {department_id!r} is not allowed: the cluster {cluster.name} has no such "
            "department"
        )


def _name(permit: Permit, row: tables.Project, given: OlderPermissions | None) -> None:
    """Have exactly those be researchers of the project whom the request names; what it leaves out stays."""
    if given is None:
        return
    fields = {
        "user": ("users", given.users),
        "group": ("groups", given.groups),
        "app": ("applications", given.applications),
    }
    wanted: dict[Any, tuple[str, Sequence[str]]] = {
        kind: (f"permissions.{field}", people) for kind, (field, people) in fields.items() if people is not None
    }
    name(permit, RESEARCHER, "project", row.id, wanted)
