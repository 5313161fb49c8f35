"""Projects are made, changed and deleted, for whichever surface asks."""

from collections.abc import Sequence

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange
from aliquot.contracts.administrator_api.projects import ProjectCreation, ProjectUpdate
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database.tables import AccessRule, Department, Project
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.projects.queries import new_row, shown
from aliquot.controlplane.projects.rules import check_default_pools, check_name, check_namespace
from aliquot.controlplane.quotas.changes import change as change_quotas
from aliquot.controlplane.quotas.changes import pools_of
from aliquot.controlplane.refusals import BadRequest


def create(
    permit: Permit, given: ProjectCreation, amounts: Sequence[Resources | ResourcesChange] | None = None
) -> Project:
    """Make a project.

    Args:
        permit: of the caller.
        given: what it is to be.
        amounts: what it may have; None: as `given` says.

    Raises:
        BadRequest: there is no such cluster, department or node pool, or a name or an amount is not allowed.
        Conflict: the cluster has one of this name.
    """
    department = _department(permit, given)
    check_name(given.name)
    others = permit.select_whole(Project).where(Project.cluster_id == department.cluster_id)
    permit.check_is_new(others.where(Project.name == given.name), f"the cluster has a project {given.name}")
    taken = permit.count(others.where(Project.requested_namespace == given.requested_namespace))
    check_namespace(given.requested_namespace, is_taken=bool(taken))
    row = new_row(permit, department, given.name, given.requested_namespace)
    _set(permit, row, given)
    permit.add(row)
    change_quotas(permit, row, given.resources if amounts is None else amounts)
    permit.record("create", "project", row, after=document(shown(permit, row)))
    permit.take_in(row, department.name)
    return row


def change(
    permit: Permit,
    row: Project,
    given: Sequence[Resources | ResourcesChange],
    beside: ProjectUpdate | None = None,
    *,
    keeps_members: bool = False,
) -> None:
    """Change a project.

    Args:
        permit: of the caller.
        row: the project, all of which is loaded.
        given: amounts.
        beside: what else is changed; its amounts are not looked at.
        keeps_members: whether members of amounts that are left out stay (PATCH).

    Raises:
        BadRequest: there is no such node pool, or the amounts are not allowed.
    """
    with updating(permit, "project", row, lambda project: shown(permit, project)):
        if beside is not None:
            _set(permit, row, beside)
        change_quotas(permit, row, given, keeps_members=keeps_members)


def delete(permit: Permit, row: Project) -> None:
    """Delete a project; its namespace, and what runs there, stays."""
    permit.record("delete", "project", row, before=document(shown(permit, row)))
    end_rules(permit, AccessRule.project_id == row.id)
    permit.remove(row)


def _department(permit: Permit, given: ProjectCreation) -> Department:
    """The department of a new project.

    Raises:
        BadRequest: there is no such cluster, or it has no such department.
    """
    cluster = cluster_of_body(permit, given.cluster_id)
    if given.parent_id is None:
        own = permit.select_whole(Department).where(Department.cluster_id == cluster.id)
        found = permit.first(own.where(Department.name == DEFAULT_DEPARTMENT))
    else:
        found = permit.referred(Department, given.parent_id)
    if found is None or found.cluster_id != cluster.id:
        raise BadRequest(
            f"Bad request - parentId: {given.parent_id!r} is not allowed: the cluster {cluster.name} has no such "
            "department"
        )
    return found


def _set(permit: Permit, row: Project, given: ProjectUpdate) -> None:
    """Change everything but the amounts; what is left out stays, and null is none.

    Raises:
        BadRequest: there is no such node pool.
    """
    there = given.model_fields_set
    if "scheduling_rules" in there:
        rules = given.scheduling_rules
        row.scheduling_rules = rules.model_dump(by_alias=True) if rules else None
    if "default_node_pools" in there:
        pools = given.default_node_pools or []
        check_default_pools(pools, {pool.name for pool in pools_of(permit, row.cluster_id)})
        row.default_node_pools = pools
    if "node_types" in there:
        types = given.node_types
        row.training_types = (types.training or []) if types else []
        row.workspace_types = (types.workspace or []) if types else []
