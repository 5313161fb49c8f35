"""Where the objects of each table are, for one object and for queries."""

from sqlalchemy import ColumnElement, false, or_, true

from aliquot.controlplane.auth.reach import Place, Reach
from aliquot.controlplane.database.tables import (
    AccessRule,
    Application,
    AuditRecord,
    Cluster,
    Department,
    NodePool,
    NodeType,
    Pod,
    Policy,
    Project,
    Submission,
    User,
    Workload,
)

Placed = (
    User
    | Application
    | Cluster
    | NodePool
    | NodeType
    | Department
    | Project
    | AccessRule
    | AuditRecord
    | Workload
    | Pod
    | Submission
    | Policy
)
"""What has a place in the tenant."""


def place_of(placed: Placed) -> Place:
    """Where an object is."""
    match placed:
        case Cluster():
            return Place(placed.id)
        case NodePool() | NodeType():
            return Place(placed.cluster_id)
        case Department():
            return Place(placed.cluster_id, placed.id)
        case Project():
            return Place(placed.cluster_id, placed.department_id, placed.id)
        case AccessRule() | Workload() | Pod() | Submission() | Policy():
            return Place(placed.cluster_id, placed.department_id, placed.project_id)
        case AuditRecord():
            return Place(placed.cluster_id)
        case User() | Application():
            return Place()


def is_within(placed: Placed, reach: Reach) -> bool:
    """Whether an object is shown. Those above are not that say much about others: rules, records, and workloads.

    What runs in a cluster, and in no project, is above all projects.
    """
    place = place_of(placed)
    shows_others = isinstance(placed, AccessRule | AuditRecord | Workload | Pod | Submission)
    return reach.covers(place) if shows_others else reach.shows(place)


def within(model: type[Placed], reach: Reach) -> ColumnElement[bool]:
    """Say in SQL which objects of a table are shown: for each the same as `is_within`."""
    if reach.everywhere:
        return true()
    if model is Cluster:
        return Cluster.id.in_(reach.clusters | reach.above_clusters)
    for of_cluster in (NodePool, NodeType):
        if model is of_cluster:
            return of_cluster.cluster_id.in_(reach.clusters | reach.above_clusters)
    if model is Department:
        return or_(
            Department.cluster_id.in_(reach.clusters),
            Department.id.in_(reach.departments | reach.above_departments),
        )
    if model is Project:
        return or_(
            Project.cluster_id.in_(reach.clusters),
            Project.department_id.in_(reach.departments),
            Project.id.in_(reach.projects),
        )
    for placed in (AccessRule, Workload, Pod, Submission):
        if model is placed:
            return or_(
                placed.cluster_id.in_(reach.clusters),
                placed.department_id.in_(reach.departments),
                placed.project_id.in_(reach.projects),
            )
    if model is Policy:
        return or_(
            Policy.cluster_id.in_(reach.clusters),
            Policy.department_id.in_(reach.above_departments) & Policy.project_id.is_(None),
            Policy.department_id.in_(reach.departments),
            Policy.project_id.in_(reach.projects),
            Policy.cluster_id.in_(reach.above_clusters) & Policy.department_id.is_(None),
            Policy.cluster_id.is_(None) if reach.above_all else false(),
        )
    if model is AuditRecord:
        return AuditRecord.cluster_id.in_(reach.clusters)
    return true() if reach.above_all else false()
