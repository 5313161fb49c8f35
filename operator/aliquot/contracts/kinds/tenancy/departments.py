"""Department: several projects that share a quota (crd-contract.md, Department; cluster-api.md 3.3)."""

from typing import Annotated

from aliquot.contracts.kinds.shapes import NAME_LENGTH, Resource, Shape, list_of
from aliquot.contracts.kinds.tenancy.naming import Names, named
from aliquot.contracts.kinds.tenancy.quotas import (
    MAX_NODE_POOLS,
    QUOTAS_GIVEN,
    Queue,
    Quotas,
    Seconds,
    TenantStatus,
    UnlimitedOrAmount,
)


class DepartmentQueue(Queue):
    """What a department has in one node pool."""

    interactive_job_time_limit_secs: Seconds | None = None
    """Seconds after which an interactive workload is ended; left out or 0: never."""
    node_affinity_train: Names = ()
    """Types of nodes that training workloads may use; empty: all."""
    node_affinity_interactive: Names = ()
    """Types of nodes that interactive workloads may use; empty: all."""
    swap_enabled: bool | None = None
    """Whether GPU memory may be moved to the node's memory."""


class DepartmentSpec(Shape):
    """The share of several projects together."""

    checks = (QUOTAS_GIVEN,)

    queues: Annotated[tuple[DepartmentQueue, ...], list_of(MAX_NODE_POOLS, keys=["nodepool"])] = ()
    """Quotas, one entry for each node pool."""
    resources: Quotas | None = None
    """Quotas over all node pools."""
    deserved_gpus: UnlimitedOrAmount | None = None
    """GPUs that the department can count on, over all node pools. Superseded by queues."""
    max_allowed_gpus: UnlimitedOrAmount | None = None
    """GPUs that the department may have at most, over all node pools. Superseded by queues."""
    department_admins: Names = ()
    """Users who administer the department. Superseded by access rules."""


class Department(Resource):
    """Several projects that share a quota."""

    checks = (named(NAME_LENGTH),)

    spec: DepartmentSpec
    """What the department may have."""
    status: TenantStatus = TenantStatus()
    """How the department is doing."""
