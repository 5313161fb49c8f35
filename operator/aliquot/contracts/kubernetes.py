"""The parts of Kubernetes' own objects that Aliquot reads: msgspec projections, decoded straight from the API's bytes.

A pod of 4 KB becomes 2 KB of slotted structs in 3 µs (notes/python-operator.md 2.3). Unknown fields are skipped;
missing ones have the API's own defaults. Quantities stay text: `core.quantities` reads them.
"""

import msgspec


class Projection(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=True):
    """Base of all projections: camelCase outside, snake_case inside."""


class OwnerReference(Projection, frozen=True):
    """Who an object belongs to."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Metadata(Projection, frozen=True):
    """Identity and bookkeeping of an object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()


class Resources(Projection, frozen=True):
    """What a container asks for, by resource name."""

    requests: dict[str, str | int | float] = {}
    limits: dict[str, str | int | float] = {}


class ContainerPort(Projection, frozen=True):
    """A port of a container, and that of its node that leads there; 0: none does."""

    host_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")
    protocol: str = "TCP"


class Container(Projection, frozen=True):
    """A container or init container of a pod."""

    name: str = ""
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()
    resources: Resources = Resources()
    restart_policy: str = ""


class Toleration(Projection, frozen=True):
    """A taint that a pod bears."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class Requirement(Projection, frozen=True):
    """A condition on a label or field."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class NodeTerm(Projection, frozen=True):
    """Conditions on a node."""

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


class NodeSelector(Projection, frozen=True):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeTerm, ...] = ()


class PreferredNodeTerm(Projection, frozen=True):
    """A wish about the node."""

    weight: int = 0
    preference: NodeTerm = NodeTerm()


class NodeAffinity(Projection, frozen=True):
    """Which nodes a pod needs, and would rather have."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredNodeTerm, ...] = ()


class LabelSelector(Projection, frozen=True):
    """Conditions on the labels of an object; an empty one holds for all."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()


class PodTerm(Projection, frozen=True):
    """Pods, and which nodes count as near to them."""

    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    namespace_selector: LabelSelector | None = None
    topology_key: str = ""


class WeightedPodTerm(Projection, frozen=True):
    """A wish about which pods are near."""

    weight: int = 0
    pod_affinity_term: PodTerm = PodTerm()


class PodAffinity(Projection, frozen=True):
    """Which pods must be near (or far), and which had better be."""

    required_during_scheduling_ignored_during_execution: tuple[PodTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodTerm, ...] = ()


class Affinity(Projection, frozen=True):
    """What a pod demands of its node, and of what runs near."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class SchedulingGate(Projection, frozen=True):
    """A reason not to schedule a pod yet."""

    name: str = ""


class PodSpec(Projection, frozen=True):
    """The wishes of a pod."""

    node_name: str = ""
    scheduler_name: str = ""
    priority: int | None = None
    priority_class_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    overhead: dict[str, str | int | float] = {}
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    affinity: Affinity | None = None
    scheduling_gates: tuple[SchedulingGate, ...] = ()


class Condition(Projection, frozen=True):
    """An entry of `status.conditions`."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Waiting(Projection, frozen=True):
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Projection, frozen=True):
    """A container that runs."""

    started_at: str | None = None


class Terminated(Projection, frozen=True):
    """A container that has ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: str | None = None


class ContainerState(Projection, frozen=True):
    """Exactly one member is set once the kubelet has seen the container."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class AllocatedDevice(Projection, frozen=True):
    """A device that the kubelet has given to a container; the id is the device plugin's."""

    resource_id: str = msgspec.field(default="", name="resourceID")


class AllocatedResource(Projection, frozen=True):
    """The devices of one kind that a container has (Kubernetes 1.36 and newer)."""

    name: str = ""
    resources: tuple[AllocatedDevice, ...] = ()


class ContainerStatus(Projection, frozen=True):
    """How a container is doing."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    allocated_resources_status: tuple[AllocatedResource, ...] = ()


class PodStatus(Projection, frozen=True):
    """How a pod is doing."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    nominated_node_name: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Projection, frozen=True):
    """A pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Taint(Projection, frozen=True):
    """What keeps pods off a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Projection, frozen=True):
    """The wishes about a node."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(Projection, frozen=True):
    """What a node has, and how it is doing."""

    allocatable: dict[str, str | int | float] = {}
    capacity: dict[str, str | int | float] = {}
    conditions: tuple[Condition, ...] = ()


class Node(Projection, frozen=True):
    """A node."""

    metadata: Metadata = Metadata()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class NamespaceStatus(Projection, frozen=True):
    """Whether a namespace is going away."""

    phase: str = "Active"


class Namespace(Projection, frozen=True):
    """A namespace."""

    metadata: Metadata = Metadata()
    status: NamespaceStatus = NamespaceStatus()


class CarrierSpec(Projection, frozen=True):
    """What an object wants that carries a workload out."""

    replicas: int | None = None


class CarrierStatus(Projection, frozen=True):
    """How it is doing; each kind has some of these members."""

    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0
    completion_time: str | None = None
    url: str = ""


class Carrier(Projection, frozen=True):
    """An object of another API that carries a workload out: a Deployment, a Knative Service, an MPIJob."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata = Metadata()
    spec: CarrierSpec = CarrierSpec()
    status: CarrierStatus = CarrierStatus()


class PriorityClass(Projection, frozen=True):
    """A named priority."""

    metadata: Metadata = Metadata()
    value: int = 0


class StorageClass(Projection, frozen=True):
    """A kind of storage that claims may ask for; which is the default is an annotation."""

    metadata: Metadata = Metadata()


class ObjectBeside(Projection, frozen=True):
    """A Service, Ingress or PersistentVolumeClaim, in full but for its status."""

    metadata: Metadata = Metadata()
    spec: dict[str, object] = {}


class CarrierObject(ObjectBeside, frozen=True):
    """An object that carries a workload out, in full."""

    status: CarrierStatus = CarrierStatus()


class Regarded(Projection, frozen=True):
    """What an Event is about."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class EventSeries(Projection, frozen=True):
    """How often something has happened, and when last."""

    count: int = 0
    last_observed_time: str | None = None


class EventSource(Projection, frozen=True):
    """Who says something, where an older recorder has written it."""

    component: str = ""


class Event(Projection, frozen=True):
    """Something that happened (events.k8s.io). Older recorders, that of kubelets among them, count in `deprecated…`."""

    metadata: Metadata = Metadata()
    event_time: str | None = None
    series: EventSeries | None = None
    deprecated_count: int = 0
    deprecated_last_timestamp: str | None = None
    deprecated_source: EventSource = EventSource()
    reporting_controller: str = ""
    reason: str = ""
    type: str = ""
    note: str = ""
    regarding: Regarded = Regarded()


class RoleRef(Projection, frozen=True):
    """Which role a RoleBinding gives."""

    api_group: str = ""
    kind: str = ""
    name: str = ""


class Subject(Projection, frozen=True):
    """Whom a RoleBinding gives it."""

    api_group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class RoleBinding(Projection, frozen=True):
    """Who has which role in a namespace."""

    metadata: Metadata = Metadata()
    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] = ()
