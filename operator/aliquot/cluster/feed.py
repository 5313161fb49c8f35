"""What the scheduler is told: facts made of what the mirror holds, each told once, and again only when it differs.

    node, node pool ──▶ NodeChanged              project, department, node pool ──▶ QueueChanged
    pod, its owners, namespace, project ──▶ JobChanged, TaskChanged (`jobs`)

Heartbeats and other changes that make no difference to a fact wake no round.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.cluster.foreign.seats import KnownOwners, Seats
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kubernetes import Namespace, Node, Pod
from aliquot.core.grants import reserved_gpu
from aliquot.core.intake import (
    ALL_WELL,
    EVERY_NODE,
    InTrouble,
    MinRuntimes,
    NodeScope,
    PodFacts,
    PoolRule,
    Tenant,
    Used,
    hint_in,
    node_fact,
    pod_facts,
    pool_placements,
    pool_rules,
    queue_facts,
    with_usage,
)
from aliquot.core.intake.group_table import PROJECT_LABELS, Seat, facts_in, lone_seat, priority_class_of
from aliquot.core.scheduling import (
    NodeChanged,
    NodeRemoved,
    PoolPlacement,
    QueueChanged,
    QueueRemoved,
    facts,
    unknown_in,
)
from aliquot.core.scheduling.events import Event
from aliquot.core.tenancy import department_named, node_types

_NOTHING: Final[Used] = (0.0, 0.0, 0.0)
_NOBODY: Final[Mapping[tuple[str, str], Used]] = MappingProxyType({})


class Feed:
    """Follows the mirror and tells the scheduler; `start` once the mirror is filled.

    Args:
        mirror: what we know of the cluster.
        submit: takes events for the scheduler.
        place: takes how those node pools are filled that say so, by name.
        jobs: which pods belong together.
        runtimes: how long jobs are left alone where nobody says.
        seats: where pods belong.
        owners: values of priority classes, and topologies.
        in_trouble: what pods have of those GPUs of a node that cannot be used, by its name.

    Attributes:
        nodes: the facts of all nodes, by name.
        queues: the facts of all queues, by node pool and name.
    """

    def __init__(
        self,
        mirror: Mirror,
        submit: Callable[[Event], None],
        place: Callable[[Mapping[str, PoolPlacement]], None],
        jobs: Jobs,
        runtimes: MinRuntimes,
        seats: Seats,
        owners: KnownOwners,
        in_trouble: Callable[[str], InTrouble] = lambda _: ALL_WELL,
    ) -> None:
        self.nodes: dict[str, facts.Node] = {}
        self.queues: dict[tuple[str, str], facts.Queue] = {}
        self._mirror = mirror
        self._submit = submit
        self._place = place
        self._jobs = jobs
        self._runtimes = runtimes
        self._seats = seats
        self._owners = owners
        self._in_trouble = in_trouble
        self._rules: tuple[PoolRule, ...] = ()
        self._scope = EVERY_NODE
        self._begun = False
        self._used: Mapping[tuple[str, str], Used] = _NOBODY
        self._tenants: dict[str, Tenant | None] = {}

    def start(self) -> None:
        """Tell of everything that is there, then of every change."""
        listeners = self._mirror.listeners
        self._begun = True
        self._pools_changed()
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        listeners.node_pool.append(self._node_pool_changed)
        listeners.project.append(self._project_changed)
        listeners.department.append(self._department_changed)
        listeners.namespace.append(self._namespace_changed)
        listeners.node.append(self._node_changed)
        listeners.pod.append(self._pod_changed)
        self._seats.on_again.append(self._look_at)
        self._owners.listeners.everything.append(self._topologies_changed)

    def follow(self, scope: NodeScope) -> None:
        """Use these nodes from now on; what runs on others stays."""
        before, self._scope = self._scope, scope
        if before == scope or not self._begun:
            return
        for node in self._mirror.nodes:
            self._node_changed(node, node)
        if before.by_role != scope.by_role:
            for pod in list(self._mirror.pods):
                self._look_at(pod)

    @property
    def pools(self) -> tuple[str, ...]:
        """The names of all node pools, `default` last."""
        return (*(rule.name for rule in self._rules if rule.name != names.DEFAULT_NODE_POOL), names.DEFAULT_NODE_POOL)

    # Nodes and node pools

    def _node_pool_changed(self, old: NodePool | None, new: NodePool | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            self._pools_changed()

    def _pools_changed(self) -> None:
        self._rules = pool_rules(self._mirror.node_pools)
        self._place(pool_placements(self._mirror.node_pools))
        for node in self._mirror.nodes:
            self._node_changed(None, node)
        self._queues_changed()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self.nodes.pop(old.metadata.name, None)
            self._submit(NodeRemoved(old.metadata.name))
            return
        fact = node_fact(new, self._rules, self._in_trouble(new.metadata.name), self._scope)
        if self.nodes.get(fact.name) != fact:
            self.nodes[fact.name] = fact
            self._submit(NodeChanged(fact))

    def look_at_node(self, name: str) -> None:
        """Something else than the node itself has changed that decides what it counts for."""
        node = self._mirror.nodes.get(Key("", name))
        if node is not None:
            self._node_changed(node, node)

    # Projects and departments

    def _project_changed(self, old: Project | None, new: Project | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return
        self._queues_changed()
        project = new or old
        assert project is not None
        self._pods_changed(project)

    def _pods_changed(self, project: Project) -> None:
        """What pods of a project may use may have changed."""
        for namespace in self._mirror.namespaces_of(project.metadata.name):
            self._tenant_changed(namespace.metadata.name)
        for namespace in self._mirror.namespaces:
            if project.metadata.name in projects_named(namespace) or _EVERY in projects_named(namespace):
                self._look_into(namespace.metadata.name)

    def _department_changed(self, old: Department | None, new: Department | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return
        self._queues_changed()
        department = new or old
        assert department is not None
        name = department.metadata.name
        for project in self._mirror.projects:
            if department_named(project) == name:
                self._pods_changed(project)

    def _queues_changed(self) -> None:
        found = queue_facts(
            self._mirror.projects, self._mirror.departments, self.pools, used=self._used, runtimes=self._runtimes
        )
        self._tell_queues({(queue.pool, queue.name): queue for queue in found})

    def have_used(self, used: Mapping[tuple[str, str], Used]) -> None:
        """Learn what queues have used lately, by node pool and name."""
        self._used = used
        self._tell_queues({key: with_usage(queue, used.get(key, _NOTHING)) for key, queue in self.queues.items()})

    def _tell_queues(self, queues: dict[tuple[str, str], facts.Queue]) -> None:
        for key in sorted(self.queues.keys() - queues.keys()):
            self._submit(QueueRemoved(*key))
        for key, queue in queues.items():
            if self.queues.get(key) != queue:
                self._submit(QueueChanged(queue))
        self.queues = queues

    # Namespaces and pods

    def tenant(self, namespace: str) -> Tenant | None:
        """Whose pods those of the namespace are; None: nobody's that we know."""
        if namespace not in self._tenants:
            project = self._mirror.project_of(namespace)
            self._tenants[namespace] = None if project is None else self._tenant(project)
        return self._tenants[namespace]

    def project_of(self, pod: Pod) -> Project | None:
        """Whose the pod is: its namespace's project, or the one that it names, where the namespace lets it choose."""
        seat = self._seats.known(pod)
        return self._project(pod.metadata.namespace, None if seat is None else seat.label(PROJECT_LABELS))

    def facts_of(self, pod: Pod) -> PodFacts:
        """What the pod says of its job, and what it is; as if it were alone, where it has no seat (yet)."""
        return self._facts(pod, self._seats.known(pod) or lone_seat(pod))

    def priority_class_of(self, pod: Pod) -> str | None:
        """Name of the pod's priority class; None: it has none."""
        return priority_class_of(self._seats.known(pod) or lone_seat(pod), pod, self._owners.classes)

    def _tenant(self, project: Project) -> Tenant:
        types = node_types(project, self._mirror.department_of(project))
        return Tenant(project.metadata.name, project.spec.default_node_pools, *types)

    def _project(self, namespace: str, named: str | None) -> Project | None:
        own = self._mirror.project_of(namespace)
        held = self._mirror.namespaces.get(Key("", namespace))
        if own is not None or named is None or held is None:
            return own
        return self._mirror.projects.get(Key("", named)) if projects_named(held) & {named, _EVERY} else None

    def _facts(self, pod: Pod, seat: Seat) -> PodFacts:
        namespace = pod.metadata.namespace
        tenant = self.tenant(namespace)
        if tenant is None and (named := self._project(namespace, seat.label(PROJECT_LABELS))) is not None:
            tenant = self._tenant(named)
        topologies = self._owners.topologies
        alone = pod_facts(pod, tenant, topologies, self._scope)
        job, task = facts_in(seat, alone.job, alone.task, pod, self._owners.classes, topologies)
        return replace(alone, job=job, task=task)

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        before = old.metadata.labels.get(names.QUEUE_LABEL) if old else None
        after = new.metadata.labels.get(names.QUEUE_LABEL) if new else None
        namespace = new or old
        assert namespace is not None
        if before != after:
            self._tenant_changed(namespace.metadata.name)
        if (projects_named(old) if old else None) != (projects_named(new) if new else None):
            self._look_into(namespace.metadata.name)

    def _tenant_changed(self, namespace: str) -> None:
        before = self._tenants.pop(namespace, None)
        if self.tenant(namespace) != before:
            self._look_into(namespace)

    def _look_into(self, namespace: str) -> None:
        for pod in [pod for pod in self._mirror.pods if pod.metadata.namespace == namespace]:
            self._look_at(pod)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        held_for_others = new or old
        assert held_for_others is not None
        if reserved_gpu(held_for_others):
            return  # `granting.cards` tells of it
        if new is None:
            assert old is not None
            self._jobs.gone(old.metadata.uid)
            self._seats.gone(old)
            self._seats.ripple(old)
        else:
            self._look_at(new)
            self._seats.ripple(new)

    def _look_at(self, pod: Pod) -> None:
        if reserved_gpu(pod):
            return
        seat = self._seats.find(pod)
        if seat is None:
            return
        found = self._facts(pod, seat)
        if found.job.group is not None and unknown_in(found.job.group) and not self._owners.hears_of_topologies:
            self._owners.look_for_kinds()
        self._jobs.here(found)

    def _topologies_changed(self) -> None:
        """Pods without owners that are told of have to be looked at here: of the others, `seats` says so."""
        for pod in [pod for pod in self._mirror.pods if hint_in(pod.metadata.annotations) is not None]:
            self._look_at(pod)


_EVERY: Final = "*"


def projects_named(namespace: Namespace) -> frozenset[str]:
    """The projects that pods of the namespace may choose from by label; `*` stands for all."""
    written = namespace.metadata.annotations.get(names.PROJECTS_ANNOTATION, "")
    return frozenset(name for part in written.split(",") if (name := part.strip()))
