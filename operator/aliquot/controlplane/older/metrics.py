"""`/v1/k8s/clusters/{clusterUuid}/metrics`, and those of its departments and projects (control-plane-api.md 3.3)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.older.metrics import (
    OlderClusterMetadata,
    OlderClusterMetrics,
    OlderCurrent,
    OlderCurrentOfMany,
    OlderDepartmentMetadata,
    OlderDepartmentMetrics,
    OlderDepartmentsMetrics,
    OlderMetricsQuery,
    OlderProjectMeasures,
    OlderProjectMetadata,
    OlderProjectMetrics,
    OlderProjectsMetrics,
    OlderTimeRange,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Department, Project
from aliquot.controlplane.metrics import subjects
from aliquot.controlplane.metrics.answers import not_answered
from aliquot.controlplane.metrics.door import store_of, window_of
from aliquot.controlplane.metrics.store import NotAnsweredError, Series, Subject
from aliquot.controlplane.older.measured import Measured
from aliquot.controlplane.older.measures import SHOWN, by_pool, past, together
from aliquot.controlplane.older.places import one_in
from aliquot.controlplane.refusals import BadRequest

router = APIRouter(prefix="/v1/k8s/clusters/{clusterUuid}", tags=["Older: metrics"])

OlderQuery = Annotated[OlderMetricsQuery, Query()]


@router.get("/metrics", response_model_exclude_none=True)
def get_older_cluster_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803 - as it is documented
    query: OlderQuery,
) -> OlderClusterMetrics:
    """Show what a cluster has, and had."""
    with gate.permit("cluster", "read") as permit:
        row = permit.one(Cluster, clusterUuid)
        subject = _subject(permit, Subject("cluster", row.id), query)
        departments, projects = _departments(permit, row), _projects(permit, row)
        measured = Measured(permit, row, departments, projects, query.nodepool_name)
        own = together(measured.of_departments.values())
        current = OlderCurrentOfMany(resources=by_pool(own), project_resources=_of_projects(measured, projects))
        metadata = OlderClusterMetadata(cluster_id=row.id, cluster_name=row.name)
    return OlderClusterMetrics(metadata=metadata, current=current, time_range=_past(request, subject, query))


@router.get("/departments/metrics", response_model_exclude_none=True)
def list_older_department_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    query: OlderQuery,
) -> OlderDepartmentsMetrics:
    """Show what the departments of a cluster have, and what the cluster had."""
    with gate.permit("department", "read") as permit:
        row = permit.one(Cluster, clusterUuid)
        subject = _subject(permit, Subject("cluster", row.id), query)
        departments, projects = _departments(permit, row), _projects(permit, row)
        measured = Measured(permit, row, departments, projects, query.nodepool_name)
        data = [_department(measured, each, projects) for each in departments]
    return OlderDepartmentsMetrics(data=data, time_range=_past(request, subject, query))


@router.get("/departments/{departmentId}/metrics", response_model_exclude_none=True)
def get_older_department_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    departmentId: str,  # noqa: N803
    query: OlderQuery,
) -> OlderDepartmentMetrics:
    """Show what a department has, and had."""
    with gate.permit("department", "read") as permit:
        row = permit.one(Cluster, clusterUuid)
        own = one_in(permit, Department, row.id, departmentId)
        subject = _subject(permit, Subject("department", row.id, own.name, department=own.name), query)
        projects = [each for each in _projects(permit, row) if each.department_id == own.id]
        found = _department(Measured(permit, row, [own], projects, query.nodepool_name), own, projects)
    return found.model_copy(update={"time_range": _past(request, subject, query)})


@router.get("/projects/metrics", response_model_exclude_none=True)
def list_older_project_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    query: OlderQuery,
) -> OlderProjectsMetrics:
    """Show what the projects of a cluster have, and what the cluster had."""
    with gate.permit("project", "read") as permit:
        row = permit.one(Cluster, clusterUuid)
        subject = _subject(permit, Subject("cluster", row.id), query)
        projects = _projects(permit, row)
        measured = Measured(permit, row, (), projects, query.nodepool_name)
        data = [_project(measured, each) for each in projects]
    return OlderProjectsMetrics(data=data, time_range=_past(request, subject, query))


@router.get("/projects/{projectId}/metrics", response_model_exclude_none=True)
def get_older_project_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    projectId: str,  # noqa: N803
    query: OlderQuery,
) -> OlderProjectMetrics:
    """Show what a project has, and had."""
    with gate.permit("project", "read") as permit:
        row = permit.one(Cluster, clusterUuid)
        own = one_in(permit, Project, row.id, projectId)
        measured = Measured(permit, row, (), [own], query.nodepool_name)
        department = measured.departments[own.department_id]
        subject = _subject(permit, Subject("project", row.id, own.name, department=department, project=own.name), query)
        found = _project(measured, own)
    return found.model_copy(update={"time_range": _past(request, subject, query)})


def _departments(permit: Permit, cluster: Cluster) -> Sequence[Department]:
    own = permit.select_also(Department, "department").where(Department.cluster_id == cluster.id)
    return permit.rows(own.order_by(Department.id))


def _projects(permit: Permit, cluster: Cluster) -> Sequence[Project]:
    own = permit.select_also(Project, "project").where(Project.cluster_id == cluster.id)
    return permit.rows(own.order_by(Project.id))


def _subject(permit: Permit, subject: Subject, query: OlderMetricsQuery) -> Subject:
    """Of what samples are asked for, in the node pool that is asked for.

    Raises:
        BadRequest: the time has a begin and no end, or an end and no begin, or the end first.
        NotFound: the cluster has no such node pool.
    """
    for given, name, other in ((query.start, "start", "end"), (query.end, "end", "start")):
        if given is None and (query.start or query.end) is not None:
            raise BadRequest(f"Bad request - {name}: missing: {other} is there, which needs it")
    if query.nodepool_name is None:
        return subject
    pool = subjects.pool_of(permit, subject.cluster_id, query.nodepool_name)
    level = "nodepool" if subject.level == "cluster" else subject.level
    return replace(subject, level=level, name=subject.name or pool, node_pool=pool)


def _past(request: Request, subject: Subject, query: OlderMetricsQuery) -> OlderTimeRange | None:
    """What was; None: it was not asked for.

    Raises:
        BadRequest: the time ends before it begins.
        NotKept: nothing keeps samples.
        NotNow: what does, does not answer.
    """
    if query.start is None or query.end is None:
        return None
    window = window_of(query.start, query.end, query.number_of_samples)
    store = store_of(request)
    try:
        return past({metric: store.samples(Series(subject, metric), window) for metric in SHOWN})
    except NotAnsweredError as error:
        raise not_answered() from error


def _department(measured: Measured, row: Department, projects: Sequence[Project]) -> OlderDepartmentMetrics:
    below = [each for each in projects if each.department_id == row.id]
    return OlderDepartmentMetrics(
        metadata=OlderDepartmentMetadata(
            department_id=row.id,
            department_name=row.name,
            cluster_id=row.cluster_id,
            cluster_name=measured.cluster,
        ),
        current=OlderCurrentOfMany(
            resources=by_pool(measured.of_departments[row.id]), project_resources=_of_projects(measured, below)
        ),
    )


def _project(measured: Measured, row: Project) -> OlderProjectMetrics:
    return OlderProjectMetrics(
        metadata=OlderProjectMetadata(
            project_id=row.id,
            project_name=row.name,
            department_id=row.department_id,
            department_name=measured.departments[row.department_id],
            cluster_id=row.cluster_id,
            cluster_name=measured.cluster,
        ),
        current=OlderCurrent(resources=by_pool(measured.of_projects[row.id])),
    )


def _of_projects(measured: Measured, projects: Sequence[Project]) -> list[OlderProjectMeasures]:
    return [
        OlderProjectMeasures.model_validate(
            {
                "project_name": row.name,
                "department_name": measured.departments[row.department_id],
                "nodepool_name": pool,
                **amounts.shown(),
            }
        )
        for row in projects
        for pool, amounts in measured.of_projects[row.id].items()
    ]
