"""Departments (control-plane-api.md 1.4.2), and what they have in common with projects."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.amounts import (
    PoolQuotaStatus,
    PoolShown,
    QuotaStatus,
    Resources,
    ResourcesShown,
)
from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.shapes import AmountShown, Answer, Id, Name, Time, TolerantBody

PoolResources = Annotated[list[Resources], Field(max_length=200)]
"""Amounts, one entry for each node pool."""


class DepartmentCreation(TolerantBody):
    """A department to be."""

    name: Name
    """How it is called; unique in the cluster."""
    cluster_id: Id
    """Cluster that it belongs to."""
    resources: PoolResources
    """What it may have; pools that are left out: no GPUs of its own, idle ones may be borrowed."""


class DepartmentUpdate(TolerantBody):
    """Other amounts for a department."""

    resources: PoolResources
    """What it may have; pools that are left out stay as they are."""


class DepartmentQuery(Page):
    """Which departments, in which order."""

    sort_by: Literal["name", "clusterId", "createdAt"] | None = None
    """What they are sorted by; left out: by age."""


class DepartmentSlim(Answer):
    """A department, without what is below it."""

    id: str
    """Its id."""
    name: str
    """How it is called."""
    cluster_id: str
    """Cluster that it belongs to."""
    resources: list[ResourcesShown]
    """What it may have, one entry for each node pool."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    created_by: str
    """Who created it."""
    updated_by: str
    """Who changed it last."""


class Child(Answer):
    """A project of a department."""

    id: str
    """Its id."""
    name: str
    """How it is called."""
    children: tuple["Child", ...] = ()
    """What is below it: nothing."""


class GpuTotal(Answer):
    """A sum of GPUs."""

    deserved: AmountShown
    """What projects can count on, added up."""


class AggregatedResources(Answer):
    """What the projects of a department can count on together, in one node pool."""

    node_pool: PoolShown
    """The pool."""
    gpu: GpuTotal
    """GPUs, in devices."""


class DepartmentStatus(Answer):
    """How the department is doing."""

    quota_status: QuotaStatus
    """What it has and wants, over all node pools."""
    node_pool_quota_statuses: list[PoolQuotaStatus]
    """What it has and wants, one entry for each node pool that the cluster tells of."""


class Department(DepartmentSlim):
    """A department."""

    children: list[Child]
    """Its projects, as far as the caller may see them."""
    projects_aggregated_resources: list[AggregatedResources]
    """What all its projects can count on together, one entry for each node pool."""
    status: DepartmentStatus
    """How it is doing."""


class Departments(Answer):
    """A page of departments."""

    departments: list[DepartmentSlim]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""
