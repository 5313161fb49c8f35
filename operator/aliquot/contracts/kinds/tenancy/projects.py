"""Project: a team and its share of the cluster (crd-contract.md, Project; cluster-api.md 3.1, 3.2)."""

from typing import Annotated, Final

from aliquot.contracts.kinds.shapes import NAME_LENGTH, Resource, Shape, list_of, text
from aliquot.contracts.kinds.tenancy.naming import ONE_LABEL, Names, PoolName, named
from aliquot.contracts.kinds.tenancy.quotas import (
    MAX_NODE_POOLS,
    QUOTAS_GIVEN,
    Queue,
    Seconds,
    TenantStatus,
    UnlimitedOrAmount,
)
from aliquot.contracts.kinds.texts import Name

PROJECT_NAME_LENGTH: Final = 57
"""Longest name of a project: its namespace is called runai-NAME, and a namespace's name has at most 63 characters."""


class Permissions(Shape):
    """Who may use the project; superseded by access rules."""

    groups: Names = ()
    """Groups whose members may use the project."""
    users: Names = ()
    """Users who may use the project."""


class ProjectSpec(Shape):
    """A team's share of the cluster."""

    checks = (QUOTAS_GIVEN,)

    queues: Annotated[tuple[Queue, ...], list_of(MAX_NODE_POOLS, keys=["nodepool"])] = ()
    """Quotas, one entry for each node pool."""
    department: Name | None = None
    """Department that the project belongs to; left out, default."""
    namespace: Annotated[str, text(NAME_LENGTH, ONE_LABEL)] | None = None
    """Namespace of the project, which must exist; left out, runai-NAME, which is made."""
    default_node_pools: Annotated[tuple[PoolName, ...], list_of(MAX_NODE_POOLS)] = ()
    """Node pools for workloads that name none, most wanted first."""
    node_affinity_train: Names = ()
    """Types of nodes (label run.ai/type) that training workloads may use; empty: all."""
    node_affinity_interactive: Names = ()
    """Types of nodes (label run.ai/type) that interactive workloads may use; empty: all."""
    interactive_job_time_limit_secs: Seconds | None = None
    """Seconds after which an interactive workload is ended; left out or 0: never."""
    interactive_job_max_idle_duration_secs: Seconds | None = None
    """Seconds without work on its GPUs after which an interactive workload that cannot be preempted is ended."""
    interactive_preemptible_job_max_idle_duration_secs: Seconds | None = None
    """Seconds without work on its GPUs after which a preemptible interactive workload is ended."""
    training_job_time_limit_secs: Seconds | None = None
    """Seconds after which a training workload is ended; left out or 0: never."""
    training_job_max_idle_duration_secs: Seconds | None = None
    """Seconds without work on its GPUs after which a training workload is ended."""
    permissions: Permissions | None = None
    """Who may use the project. Superseded by access rules."""
    deserved_gpus: UnlimitedOrAmount | None = None
    """GPUs that the project can count on, over all node pools. Superseded by queues."""


class ProjectStatus(TenantStatus):
    """How the project is doing."""

    namespace: Name | None = None
    """Namespace that belongs to the project."""


class Project(Resource):
    """A team and its share of the cluster's GPUs. Its workloads live in one namespace."""

    checks = (named(PROJECT_NAME_LENGTH, ', so that "runai-" and the name make a name of a namespace'),)

    spec: ProjectSpec
    """What the project may have."""
    status: ProjectStatus = ProjectStatus()
    """How the project is doing."""
