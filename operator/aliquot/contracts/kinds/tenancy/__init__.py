"""Who owns how much: projects, departments, node pools and access rules.

Shapes: crd-contract.md, Objects that the control plane's agent writes; meaning: cluster-api.md 3.1-3.5. All versions of
a kind share one schema, the newest with the members that older ones had (`deservedGpus`), so that nothing has to be
converted.
"""

from aliquot.contracts.kinds.tenancy.access_rules import AccessRule, AccessRuleSpec, AccessRuleStatus
from aliquot.contracts.kinds.tenancy.departments import Department, DepartmentQueue, DepartmentSpec
from aliquot.contracts.kinds.tenancy.node_pools import (
    NodePool,
    NodePoolSpec,
    NodePoolStatus,
    PlacementStrategy,
    PoolNode,
)
from aliquot.contracts.kinds.tenancy.projects import (
    PROJECT_NAME_LENGTH,
    Permissions,
    Project,
    ProjectSpec,
    ProjectStatus,
)
from aliquot.contracts.kinds.tenancy.quotas import (
    MAX_NODE_POOLS,
    PoolUse,
    Queue,
    QueueUse,
    Quota,
    Quotas,
    QuotaUse,
    TenantStatus,
)

__all__ = [
    "MAX_NODE_POOLS",
    "PROJECT_NAME_LENGTH",
    "AccessRule",
    "AccessRuleSpec",
    "AccessRuleStatus",
    "Department",
    "DepartmentQueue",
    "DepartmentSpec",
    "NodePool",
    "NodePoolSpec",
    "NodePoolStatus",
    "Permissions",
    "PlacementStrategy",
    "PoolNode",
    "PoolUse",
    "Project",
    "ProjectSpec",
    "ProjectStatus",
    "Queue",
    "QueueUse",
    "Quota",
    "QuotaUse",
    "Quotas",
    "TenantStatus",
]
