"""Who owns how much: projects, departments, node pools and access rules.

Shapes: crd-contract.md, Objects that the control plane's agent writes; meaning: cluster-api.md 3.1-3.5. All versions of
a kind share one schema, the newest with the members that older ones had (`deservedGpus`), so that nothing has to be
converted.
"""

from typing import Annotated, Final

from pydantic import Field

from aliquot.contracts.kinds.conditions import Condition, Conditions, ObservedConditions
from aliquot.contracts.kinds.shapes import (
    DNS_LABEL,
    NAME_LENGTH,
    QUANTITY,
    Check,
    Resource,
    Shape,
    list_of,
    map_of,
    number,
    text,
    whole,
)

PROJECT_NAME_LENGTH: Final = 57
"""Longest name of a project: its namespace is called runai-NAME, and a namespace's name has at most 63 characters."""
MAX_NODE_POOLS: Final = 200
"""Most node pools that a project or department may have quotas in."""
LARGEST_AMOUNT: Final = 1e15

UNLIMITED_OR_AMOUNT = Check(rule="self >= 0.0 || self == -1.0", message="must be 0 or more, or -1 for unlimited")
ONE_LABEL = Check(
    rule=f"self.matches('{DNS_LABEL}')",
    message="must be lower-case letters, digits and '-', with a letter or digit first and last",
)
PLACEMENT = Check(
    rule="self in ['binpack', 'spread', 'Bin Packing', 'Spreading']",
    message="must be binpack or spread",
)

Name = Annotated[str, text(253)]
PoolName = Annotated[str, text(NAME_LENGTH, ONE_LABEL)]
Message = Annotated[str, text(32768)]
Seconds = Annotated[int, whole(0, 2**53)]
UnlimitedOrAmount = Annotated[float, number(-1, LARGEST_AMOUNT, UNLIMITED_OR_AMOUNT)]
Weight = Annotated[float, number(0, LARGEST_AMOUNT)]
Names = Annotated[tuple[Name, ...], list_of(1000)]
Amounts = Annotated[dict[str, Annotated[int | str, QUANTITY]], map_of(64)]


def _named(longest: int, why: str = "") -> Check:
    """Make the rule about an object's own name."""
    return Check(
        rule=f"self.metadata.name.size() <= {longest} && self.metadata.name.matches('{DNS_LABEL}')",
        message=f"metadata.name must have at most {longest} characters{why}: lower-case letters, digits and '-', "
        "with a letter or digit first and last",
        field=".metadata.name",
    )


QUOTAS_GIVEN = Check(
    rule="has(self.queues) || has(self.deservedGpus)",
    message="quotas must be given, one entry for each node pool",
    field=".queues",
    reason="FieldValueRequired",
)


class Quota(Shape):
    """How much of one resource a queue may have."""

    deserved: UnlimitedOrAmount | None = None
    """What the queue can count on at any time; -1: unlimited; left out: 0."""
    limit: UnlimitedOrAmount | None = None
    """What the queue may have at most, also of what others leave unused; -1 or left out: no limit."""
    over_quota_weight: Weight | None = None
    """Share in what others leave unused, against the weights of the others; 0: none."""


class Quotas(Shape):
    """How much of each resource a queue may have."""

    gpu: Quota = Quota()
    """GPUs, in devices; fractions such as 0.5 are fine."""
    cpu: Quota = Quota()
    """CPU, in thousandths of a core."""
    memory: Quota = Quota()
    """Memory of the nodes, in MB."""


class Queue(Shape):
    """What a project has in one node pool."""

    name: Name
    """Name of the queue."""
    nodepool: PoolName
    """Node pool that the amounts are about."""
    resources: Quotas = Quotas()
    """The amounts."""
    preempt_min_runtime_secs: Seconds | None = None
    """Seconds that a workload runs before one of its project with a higher priority may stop it; left out, as the
    department says, else as the whole cluster does."""
    reclaim_min_runtime_secs: Seconds | None = None
    """Seconds that a workload runs before others may take back what it holds beyond the quota; left out, as the
    department says, else as the whole cluster does. Between departments, that of the department counts."""


class Permissions(Shape):
    """Who may use the project; superseded by access rules."""

    groups: Names = ()
    """Groups of users."""
    users: Names = ()
    """Users."""


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


class QuotaUse(Shape):
    """What a project or department has and wants, by resource."""

    allocated: Amounts = Field(default_factory=dict)
    """What its workloads hold now."""
    allocated_non_preemptible: Amounts = Field(default_factory=dict)
    """The part of it that nobody can take back."""
    requested: Amounts = Field(default_factory=dict)
    """What its workloads ask for: what they hold and what they wait for."""


class QueueUse(QuotaUse):
    """What a project has and wants in one node pool."""

    child_queues: Names = ()
    """Queues below this one."""
    conditions: Annotated[tuple[Condition, ...], list_of(64, keys=["type"])] = ()
    """Aspects of how the queue is doing, such as OverQuota."""


class PoolUse(Shape):
    """What a project has and wants in one node pool."""

    node_pool_name: PoolName | None = None
    """The node pool."""
    queue_status: QueueUse
    """What it has and wants there."""


class TenantStatus(Shape):
    """How a project or department is doing."""

    phase: Annotated[str, text(64)] | None = None
    """Ready once everything is in place, or what stands in the way."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    conditions: Conditions = ()
    """Aspects of how it is doing, one entry for each type."""
    quota_status: QuotaUse | None = None
    """What it has and wants, over all node pools."""
    node_pools_quota_statuses: Annotated[tuple[PoolUse, ...], list_of(MAX_NODE_POOLS)] = ()
    """What it has and wants, by node pool."""


class ProjectStatus(TenantStatus):
    """How the project is doing."""

    namespace: Name | None = None
    """Namespace that belongs to the project."""


class Project(Resource):
    """A team and its share of the cluster's GPUs. Its workloads live in one namespace."""

    checks = (_named(PROJECT_NAME_LENGTH, ', so that "runai-" and the name make a name of a namespace'),)

    spec: ProjectSpec
    """What the project may have."""
    status: ProjectStatus = ProjectStatus()
    """How the project is doing."""


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

    checks = (_named(NAME_LENGTH),)

    spec: DepartmentSpec
    """What the department may have."""
    status: TenantStatus = TenantStatus()
    """How the department is doing."""


class PlacementStrategy(Shape):
    """Where pods go first."""

    cpu: Annotated[str, text(32, PLACEMENT)] | None = None
    """For pods without GPUs: binpack fills nodes one after the other, spread uses all evenly."""
    gpu: Annotated[str, text(32, PLACEMENT)] | None = None
    """For pods with GPUs: binpack fills GPUs and nodes one after the other, spread uses all evenly."""


class NodePoolSpec(Shape):
    """Which nodes belong to the pool, and how they are used."""

    checks = (
        Check(
            rule="(has(self.labelKey) && self.labelKey != '') == (has(self.labelValue) && self.labelValue != '')",
            message="labelKey and labelValue belong together: give both or neither",
            field=".labelValue",
        ),
    )

    label_key: (
        Annotated[
            str,
            text(
                317,
                Check(
                    rule="self.matches('^(([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
                    message="must be the key of a label of nodes, such as run.ai/type",
                ),
            ),
        ]
        | None
    ) = None
    """Key of the label that the pool's nodes have."""
    label_value: (
        Annotated[
            str,
            text(
                NAME_LENGTH,
                Check(
                    rule="self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
                    message="must be the value of a label: letters, digits, '-', '_' and '.', with a letter or digit "
                    "first and last",
                ),
            ),
        ]
        | None
    ) = None
    """Value of that label."""
    over_provisioning_ratio: Annotated[int, whole(1, 100)] | None = None
    """How many workloads may be on one GPU at a time; left out: 1."""
    placement_strategy: PlacementStrategy | None = None
    """Where pods go first; left out, as the whole cluster does."""


class PoolNode(Shape):
    """A node of the pool."""

    name: Name | None = None
    """Name of the node."""
    status: Annotated[str, text(253)] | None = None
    """How the node is doing."""


class NodePoolStatus(Shape):
    """How the pool is doing."""

    phase: Annotated[str, text(64)] | None = None
    """Ready, or what stands in the way."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    nodes: Annotated[tuple[PoolNode, ...], list_of(10_000)] = ()
    """The nodes that belong to the pool."""


class NodePool(Resource):
    """Nodes that are shared out on their own.

    Every project has a quota in each pool. Nodes of no pool belong to the pool default.
    """

    checks = (_named(NAME_LENGTH),)

    spec: NodePoolSpec
    """Which nodes belong to the pool, and how they are used."""
    status: NodePoolStatus = NodePoolStatus()
    """How the pool is doing."""


class AccessRuleSpec(Shape):
    """Who may do what, and where."""

    subject_id: Name | None = None
    """User, group or application, by the name that its token gives."""
    subject_type: Annotated[str, text(64)] | None = None
    """What the subject is: user, group or app."""
    role_name: Name | None = None
    """Role that the subject has."""
    scope_name: Name | None = None
    """Project or department in which it has the role."""
    scope_type: Annotated[str, text(64)] | None = None
    """What the scope is: project, department, cluster or tenant."""


class AccessRuleStatus(Shape):
    """Whether the rule is in force."""

    phase: Annotated[str, text(64)] | None = None
    """Ready once the rule is in force."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    conditions: ObservedConditions = ()
    """Aspects of how the rule is doing, one entry for each type."""


class AccessRule(Resource):
    """Gives a user, group or application a role in a project or department."""

    spec: AccessRuleSpec
    """Who may do what, and where."""
    status: AccessRuleStatus = AccessRuleStatus()
    """Whether the rule is in force."""
