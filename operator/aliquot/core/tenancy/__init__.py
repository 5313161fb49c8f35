"""Projects, departments, node pools and access rules: who is entitled to what, where they live, how they are doing.

`namespace_plan` says what a project's namespace still needs, `project_quotas` and `department_quotas` what each may
have in which pool, `access_plan` which RoleBindings an access rule needs, and the `…_status` functions make the
statuses of all of that: the same input again gives the status that is there. Amounts are hundredths of a GPU, milli-CPU
and bytes; `now` is in Unix seconds. The reconcilers and `core.intake` call.
"""

from aliquot.core.tenancy.access import (
    AccessPlan,
    Binding,
    Prefixes,
    access_errors,
    access_plan,
    access_status,
    binding_manifest,
    reached_by,
)
from aliquot.core.tenancy.amounts import in_words, resource_amounts
from aliquot.core.tenancy.department import department_status, department_warnings
from aliquot.core.tenancy.namespaces import (
    NamespacePlan,
    Problem,
    namespace_name,
    namespace_plan,
    not_a_projects,
)
from aliquot.core.tenancy.node_pools import node_pool_status, with_same_label, without_label
from aliquot.core.tenancy.node_types import (
    ALL_TYPES,
    NodeTypes,
    node_types,
    types_outside,
)
from aliquot.core.tenancy.project import project_status, project_warnings
from aliquot.core.tenancy.quotas import (
    BYTES_PER_MB,
    NO_QUOTA,
    Amount,
    PoolQuota,
    department_named,
    department_of,
    department_quotas,
    project_quotas,
)
from aliquot.core.tenancy.usage import Usage

__all__ = [
    "ALL_TYPES",
    "BYTES_PER_MB",
    "NO_QUOTA",
    "AccessPlan",
    "Amount",
    "Binding",
    "NamespacePlan",
    "NodeTypes",
    "PoolQuota",
    "Prefixes",
    "Problem",
    "Usage",
    "access_errors",
    "access_plan",
    "access_status",
    "binding_manifest",
    "department_named",
    "department_of",
    "department_quotas",
    "department_status",
    "department_warnings",
    "in_words",
    "namespace_name",
    "namespace_plan",
    "node_pool_status",
    "node_types",
    "not_a_projects",
    "project_quotas",
    "project_status",
    "project_warnings",
    "reached_by",
    "resource_amounts",
    "types_outside",
    "with_same_label",
    "without_label",
]
