"""What a scope is: its place in the tenant, its name, and the names on the way to it."""

from dataclasses import dataclass

from sqlalchemy.orm import joinedload

from aliquot.contracts.administrator_api.permissions import ScopeType
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables
from aliquot.controlplane.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a role counts.

    Attributes:
        place: the place.
        path: names from the tenant down to it.
    """

    place: Place
    path: tuple[str, ...]


def scope(permit: Permit, kind: ScopeType, written_id: str) -> Scope:
    """Find a scope.

    Raises:
        NotFound: the tenant has no such scope.
    """
    tenant = permit.holder.realm
    if kind == "tenant" and written_id == str(permit.holder.tenant_id):
        return Scope(Place(), (tenant,))
    if kind == "cluster" and (cluster := permit.referred(tables.Cluster, written_id)):
        return Scope(Place(cluster.id), (tenant, cluster.name))
    if kind == "department" and (department := permit.referred(tables.Department, written_id)):
        place = Place(department.cluster_id, department.id)
        return Scope(place, (tenant, _cluster_name(permit, department.cluster_id), department.name))
    if kind == "project" and (
        project := permit.referred(tables.Project, written_id, joinedload(tables.Project.department))
    ):
        place = Place(project.cluster_id, project.department_id, project.id)
        above = (tenant, _cluster_name(permit, project.cluster_id), project.department.name)
        return Scope(place, (*above, project.name))
    raise NotFound(details=f"scopeId: {written_id!r} is not allowed: there is no such {kind}")


def _cluster_name(permit: Permit, cluster_id: str) -> str:
    cluster = permit.referred(tables.Cluster, cluster_id)
    assert cluster is not None, "departments and projects have a cluster"
    return cluster.name
