"""Departments are made, changed and deleted, for whichever surface asks."""

from collections.abc import Sequence

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange
from aliquot.contracts.administrator_api.departments import DepartmentCreation
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database.tables import AccessRule, Department
from aliquot.controlplane.departments.queries import new_row, shown, slim
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.quotas.changes import change as change_quotas
from aliquot.controlplane.refusals import BadRequest


def create(
    permit: Permit, given: DepartmentCreation, amounts: Sequence[Resources | ResourcesChange] | None = None
) -> Department:
    """Make a department.

    Args:
        permit: of the caller.
        given: what it is to be.
        amounts: what it may have; None: as `given` says.

    Raises:
        BadRequest: there is no such cluster, or the amounts are not allowed.
        Conflict: the cluster has one of this name.
    """
    cluster = cluster_of_body(permit, given.cluster_id)
    own = permit.select_whole(Department).where(Department.cluster_id == cluster.id)
    permit.check_is_new(own.where(Department.name == given.name), f"the cluster has a department {given.name}")
    row = new_row(permit, cluster.id, given.name)
    permit.add(row)
    change_quotas(permit, row, given.resources if amounts is None else amounts)
    permit.record("create", "department", row, after=document(shown(permit, row)))
    return row


def change(
    permit: Permit, row: Department, given: Sequence[Resources | ResourcesChange], *, keeps_members: bool = False
) -> None:
    """Change the amounts of a department.

    Raises:
        BadRequest: the amounts are not allowed.
    """
    with updating(permit, "department", row, slim):
        change_quotas(permit, row, given, keeps_members=keeps_members)


def delete(permit: Permit, row: Department) -> None:
    """Delete a department, and its projects.

    Raises:
        BadRequest: it is the default department.
    """
    if row.name == DEFAULT_DEPARTMENT:
        raise BadRequest(
            f"Bad request - the department {DEFAULT_DEPARTMENT} cannot be deleted: it goes with its cluster"
        )
    permit.record("delete", "department", row, before=document(shown(permit, row)))
    end_rules(permit, AccessRule.department_id == row.id)
    permit.remove(row)
