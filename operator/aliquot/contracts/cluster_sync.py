"""What a cluster and its control plane say to each other; the cluster always asks (control-plane-api.md 5).

    GET  /cluster-sync/v1/CLUSTER/desired?waitSeconds=50    If-None-Match: "…" ─▶ 200 `Desired` with its ETag, or 304
    POST /cluster-sync/v1/CLUSTER/reports                   `Report` ─▶ 200 `Received`; 409: begin a new session

Both carry HTTP Basic credentials: the cluster's uuid, and the secret of its install info. Nothing else is open to them,
and they are open to nothing else.

**Down.** `Desired` is all that the cluster is to have, every time: who missed something has missed nothing. Names are
those of the custom resources, amounts are in their units. Its `orders` are about workloads that were submitted over
REST, those that the cluster has not carried out yet (`aliquot.contracts.cluster_orders`).

**Up.** Reports of a *session* are numbered from 1. A report that was taken before is acknowledged again and changes
nothing; one that does not follow the last that was taken is answered with 409, and the cluster begins a new session.
In a session every object is told once, then those that differ; when all of a kind have been told `complete` names the
kind, and what the control plane has of it from earlier sessions goes; workloads and pods are remembered as gone.
Sessions are ordered by `term`, which only grows: one of an earlier term, of a leader that does not know that it is none
any more, is answered with 409 as well. Only when no report was taken for two minutes an earlier term is believed: the
cluster was installed anew, and counts anew.

Whoever is older skips members that it does not know.
"""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer
from aliquot.contracts.cluster_orders import Order, ReportedOrder
from aliquot.contracts.cluster_shapes import Amounts, Count, Message, ObjectName, ReportedCondition, Text
from aliquot.contracts.cluster_workloads import ReportedEvent, ReportedPod, ReportedWorkload

PREFIX: Final = "/cluster-sync/v1"
LONGEST_WAIT_SECONDS: Final = 55
"""Proxies cut what is silent for a minute."""
MOST_OBJECTS: Final = 500
"""In one report, those that are there and those that are gone together."""
MOST_BYTES: Final = 1_000_000
"""Of one report's body, about."""
UNLIMITED: Final = -1
REFUSED: Final = "Refused"
"""Phase of what the API server of the cluster does not take as it is to be; the message says why."""

MOST_STORAGE_CLASSES: Final = 1000
"""Of a cluster; what comes beyond that is left out."""

Kind = Literal[
    "node",
    "storageClass",
    "nodePool",
    "department",
    "project",
    "accessRule",
    "policy",
    "workload",
    "pod",
    "event",
    "order",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""In the order in which they are told: an object comes after those that it names, and what became of an order after the
workload that it was about."""


# Down


class DesiredAmounts(Answer):
    """How much of one resource."""

    deserved: float
    """What can be counted on at any time; -1: unlimited."""
    limit: float
    """Never more than this; -1: no limit."""
    over_quota_weight: float
    """Part of what is idle, against the weights of the others."""


class DesiredQueue(Answer):
    """What a department or project may have in one node pool."""

    node_pool: str
    """Name of the pool."""
    gpu: DesiredAmounts
    """GPU devices."""
    cpu: DesiredAmounts
    """Thousandths of a core."""
    memory: DesiredAmounts
    """MB (1,000,000 bytes)."""


class DesiredNodePool(Answer):
    """A node pool; `default` has no label."""

    id: str
    name: str
    label_key: str | None = None
    label_value: str | None = None
    over_provisioning_ratio: int
    cpu_placement: Literal["spread", "binpack"]
    gpu_placement: Literal["spread", "binpack"]


class DesiredDepartment(Answer):
    """A department."""

    id: str
    name: str
    queues: tuple[DesiredQueue, ...]


class DesiredProject(Answer):
    """A project; time limits are in seconds, None: none."""

    id: str
    name: str
    department: str
    """Name of its department."""
    namespace: str | None = None
    """An existing namespace for it; None: one is made."""
    queues: tuple[DesiredQueue, ...]
    default_node_pools: tuple[str, ...] = ()
    training_types: tuple[str, ...] = ()
    interactive_types: tuple[str, ...] = ()
    interactive_time_limit_seconds: int | None = None
    interactive_idle_seconds: int | None = None
    preemptible_interactive_idle_seconds: int | None = None
    training_time_limit_seconds: int | None = None
    training_idle_seconds: int | None = None


class DesiredAccessRule(Answer):
    """Who has which role where, all by name."""

    id: str
    subject_id: str
    """E-mail address of a user, name of an application or group."""
    subject_type: Literal["user", "app", "group"]
    role_name: str
    scope_type: Literal["tenant", "cluster", "department", "project"]
    scope_name: str
    """Name of the department or project; of a tenant or cluster whatever it is called."""


PolicyKind = Literal["TrainingPolicy", "InteractivePolicy", "DistributedPolicy", "InferencePolicy"]


class DesiredPolicy(Answer):
    """What counts for workloads of a kind, in a project or wherever no project has something of its own."""

    kind: PolicyKind
    namespace: str | None = None
    """Namespace of the project; None: that of the operator."""
    spec: dict[str, Any]
    """As the custom resource has it."""


class Desired(Answer):
    """All that a cluster is to have, each kind by name."""

    revision: str
    """What the answer's ETag says."""
    node_pools: tuple[DesiredNodePool, ...]
    departments: tuple[DesiredDepartment, ...]
    projects: tuple[DesiredProject, ...]
    access_rules: tuple[DesiredAccessRule, ...]
    policies: tuple[DesiredPolicy, ...] = ()
    orders: tuple[Order, ...] = ()
    """What is to be done once with workloads, the oldest first."""


# Up


class ReportedOperand(Answer):
    """A part of the platform in the cluster."""

    ready: bool
    reasons: Annotated[tuple[Message, ...], Field(max_length=32)] = ()


class ReportedDependency(Answer):
    """Something of others that the platform needs or can use."""

    available: bool
    reason: Text = ""


_Operands = Annotated[dict[Text, ReportedOperand], Field(max_length=64)]
_Dependencies = Annotated[dict[Text, ReportedDependency], Field(max_length=64)]


class ReportedCluster(Answer):
    """How the cluster is doing as a whole."""

    version: Text
    """Of Aliquot in the cluster."""
    kube_version: Text = ""
    platform: Text = ""
    """`vanilla`, `openshift`, `rke`, `gke`, `aks` or `eks`; empty: not known."""
    domain: Text | None = None
    """Address at which people reach it."""
    conditions: Annotated[tuple[ReportedCondition, ...], Field(max_length=32)] = ()
    operands: _Operands = Field(default_factory=dict)
    required: _Dependencies = Field(default_factory=dict)
    optional: _Dependencies = Field(default_factory=dict)
    applied_revision: Text | None = None
    """The last `revision` that all custom resources were made of; None: of none that this leader knows."""
    not_managed: Count = 0
    """How many projects, departments, node pools and policies people made in the cluster by hand, which stay theirs."""


class ReportedTaint(Answer):
    """A taint of a node."""

    key: Text
    value: Text | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class ReportedNode(Answer):
    """A node, by its name."""

    kind: Literal["node"] = "node"
    name: ObjectName
    status: Literal["Ready", "NotReady", "Unknown"]
    node_pool: Text
    created_at: Text
    conditions: Annotated[tuple[ReportedCondition, ...], Field(max_length=64)] = ()
    taints: Annotated[tuple[ReportedTaint, ...], Field(max_length=64)] = ()
    gpu_type: Text | None = None
    gpu_count: Count = 0
    """GPU devices."""


class ReportedStorageClass(Answer):
    """A kind of storage that claims may ask for, by its name."""

    kind: Literal["storageClass"] = "storageClass"
    name: ObjectName
    is_default: bool = False
    """Whether claims that ask for none get this one."""


class ReportedUse(Answer):
    """What somebody has and wants: `gpu` in devices, `cpu` in thousandths of a core, `memory` in MB."""

    allocated: Amounts = Field(default_factory=dict)
    allocated_non_preemptible: Amounts = Field(default_factory=dict)
    requested: Amounts = Field(default_factory=dict)


class _Status(Answer):
    """What all statuses have in common."""

    name: ObjectName
    phase: Text = ""
    """As the custom resource has it, or `REFUSED`; empty: it has none yet."""
    message: Message = ""


class _Tenant(_Status):
    use: ReportedUse = ReportedUse()
    """Over all node pools."""
    node_pools: Annotated[dict[Text, ReportedUse], Field(max_length=200)] = Field(default_factory=dict)


class ReportedNodePool(_Status):
    """How a node pool is doing, by its name."""

    kind: Literal["nodePool"] = "nodePool"
    nodes: Annotated[tuple[Text, ...], Field(max_length=10_000)] = ()


class ReportedDepartment(_Tenant):
    """How a department is doing, by its name."""

    kind: Literal["department"] = "department"


class ReportedProject(_Tenant):
    """How a project is doing, by its name."""

    kind: Literal["project"] = "project"
    namespace: Text | None = None


class ReportedAccessRule(_Status):
    """How an access rule is doing; `name` is its id in the control plane."""

    kind: Literal["accessRule"] = "accessRule"


class ReportedPolicy(_Status):
    """How a policy is doing; `name` is what `policy_name` makes of where it is."""

    kind: Literal["policy"] = "policy"


def policy_name(kind: str, namespace: str | None) -> str:
    """What a policy is called in reports: there is one of a kind in a namespace.

    Args:
        kind: of the policy.
        namespace: of the project; None: that of the operator.
    """
    return kind if namespace is None else f"{kind}.{namespace}"


ReportedNamed = (
    ReportedNode
    | ReportedStorageClass
    | ReportedNodePool
    | ReportedDepartment
    | ReportedProject
    | ReportedAccessRule
    | ReportedPolicy
)
"""What is known by its name; all else is known by its uid (`aliquot.contracts.cluster_workloads`)."""
Reported = Annotated[
    ReportedNamed | ReportedWorkload | ReportedPod | ReportedEvent | ReportedOrder, Field(discriminator="kind")
]


class Gone(Answer):
    """An object that is not there any more."""

    kind: Kind
    name: ObjectName
    """What it is known by: its name, or its uid."""


class Report(Answer):
    """What is new in a cluster."""

    term: Count
    """Of the leader that sends it: its Lease's transitions."""
    session: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    """A UUID of the cluster's choice."""
    sequence: Annotated[int, Field(ge=1, le=2**53)]
    """1 for the first report of a session, then one more each time."""
    cluster: ReportedCluster | None = None
    """None: as before."""
    objects: Annotated[tuple[Reported, ...], Field(max_length=MOST_OBJECTS)] = ()
    gone: Annotated[tuple[Gone, ...], Field(max_length=MOST_OBJECTS)] = ()
    complete: Annotated[tuple[Kind, ...], Field(max_length=len(KINDS))] = ()
    """Kinds of which the session has told everything by now, this report included."""


class Received(Answer):
    """A report was taken, or had been before."""

    sequence: int
    """The last that was taken of this session."""
