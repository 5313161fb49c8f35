"""What a change leads to: which objects are to be looked at, and when.

    workload ─▶ itself; who waits for its name or       project, department ─▶ itself, statuses of both, its workloads
               is based on it                           policy ─▶ its status; workloads not yet submitted
    pod ──────▶ its workload; its project's status      node, node pool ─▶ statuses of pools and projects
    namespace ▶ projects; its workloads

Statuses of projects, departments and pools follow every pod that comes and goes: they are looked at after the round
that has counted the change, and once a second at most; more rarely where many projects are busy at once, as each of
these writes costs the API server as much as a workload's.
"""

from collections.abc import Callable
from typing import Protocol

from aliquot import names
from aliquot.cluster.feed import Feed
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, job_name_of, key_of, workload_key_of
from aliquot.cluster.reconcilers.pod_conditions import may_need_conditions
from aliquot.cluster.work import Task
from aliquot.contracts.kinds.catalogue import workload_kind
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Namespace, Node, Pod
from aliquot.core.submission import submitted
from aliquot.core.tenancy import department_named, department_of
from aliquot.settings import Settings

_TENANT_SETTLE_SECONDS = 1.0
_TENANT_LONGEST_SECONDS = 5.0
_TENANTS_PER_SECOND = 2
"""Projects whose statuses are written in a second, as long as none of them settles for longer than the longest."""
_ENDED = ("Succeeded", "Failed")


class Add(Protocol):
    """Takes what is to be done, with what, and in how many seconds."""

    def __call__(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        """See the class."""
        ...


class Triggers:
    """Turns changes of the mirror into work.

    Args:
        mirror: what we know.
        feed: whose pods those of a namespace are; which pool a node belongs to.
        heard: the pod as the watch last told of it; None: it has not yet.
        add: takes the work.
        settings: how long statuses may settle.
    """

    def __init__(
        self, mirror: Mirror, feed: Feed, heard: Callable[[Key], Pod | None], add: Add, settings: Settings
    ) -> None:
        self._mirror = mirror
        self._feed = feed
        self._heard = heard
        self._add = add
        self._settings = settings
        self._touched: set[str] = set()
        self._touched_before: set[str] = set()

    def look_at_everything(self) -> None:
        """Have everything looked at once."""
        for pool in (names.DEFAULT_NODE_POOL, *(pool.metadata.name for pool in self._mirror.node_pools)):
            self._add(Task.NODE_POOL_STATUS, Key("", pool))
        for department in self._mirror.departments:
            self._add(Task.DEPARTMENT_STATUS, key_of(department))
        for project in self._mirror.projects:
            self._add(Task.PROJECT, key_of(project))
        for policy in self._mirror.policies:
            self._add(Task.POLICY_STATUS, key_of(policy))
        for workload in self._mirror.workloads:
            self._add(Task.WORKLOAD, key_of(workload))
        for pod in self._mirror.pods:
            if not self._mirror.has_its_workload(pod):
                self._left_behind(pod)
            if may_need_conditions(None, pod):
                self._add(Task.POD_CONDITIONS, key_of(pod))

    def listen(self) -> None:
        """Follow the mirror from now on."""
        listeners = self._mirror.listeners
        listeners.workload.append(self._workload_changed)
        listeners.pod.append(self._pod_changed)
        listeners.node.append(self._node_changed)
        listeners.namespace.append(self._namespace_changed)
        listeners.project.append(self._project_changed)
        listeners.department.append(self._department_changed)
        listeners.node_pool.append(self._node_pool_changed)
        listeners.policy.append(self._policy_changed)

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            self._base_changed(new or old)
        if new is None:
            assert old is not None
            freed = job_name_of(old)
            if freed is not None:
                for namesake in self._mirror.workloads_called(old.metadata.namespace, freed):
                    self._add(Task.WORKLOAD, key_of(namesake))
            for pod in self._mirror.pods_of(old):
                self._left_behind(pod)
            return
        if old is None or old.metadata.generation != new.metadata.generation or _decisive(old) != _decisive(new):
            self._add(Task.WORKLOAD, key_of(new))

    def _base_changed(self, base: Workload | None) -> None:
        assert base is not None
        for workload in self._mirror.workloads_based_on(base):
            if not submitted(workload):
                self._add(Task.WORKLOAD, key_of(workload))

    def _policy_changed(self, old: Policy | None, new: Policy | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return
        policy = new or old
        assert policy is not None
        kind = workload_kind(type(policy).__name__)
        for held in self._mirror.policies_for(kind, policy.metadata.namespace):  # which is in force may have changed
            self._add(Task.POLICY_STATUS, key_of(held), _TENANT_SETTLE_SECONDS)
        for workload in self._mirror.workloads:
            if type(workload).__name__ == kind and not submitted(workload):
                self._add(Task.WORKLOAD, key_of(workload))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        key = key_of(pod)
        if old is None and self._heard(key) is None:
            self._add(Task.CONFIRM, key, self._settings.scheduling.confirm_seconds)
        if new is not None and may_need_conditions(old, new):
            self._add(Task.POD_CONDITIONS, key)
        project = self._feed.project_of(pod)
        if project is not None:
            self._touched.add(project.metadata.name)
        workload = workload_key_of(pod)
        if workload is None:
            return
        if old is None and not self._mirror.has_its_workload(pod):
            self._left_behind(pod)
        marked = old is not None and new is not None and _marks(old) != _marks(new)
        if new is None or marked or new.status.phase in _ENDED or new.metadata.deletion_timestamp is not None:
            self._add(Task.WORKLOAD, workload)
        else:
            self._add(Task.WORKLOAD_STATUS, workload, self._settings.workloads.status_settle_seconds)

    def _left_behind(self, pod: Pod) -> None:
        self._add(Task.LEFT_BEHIND, key_of(pod), self._settings.workloads.left_behind_seconds)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        fact = self._feed.nodes.get(node.metadata.name)
        moved = old is not None and new is not None and old.metadata.labels != new.metadata.labels
        if moved:
            self._touch_everybody()
        for pool in self._feed.pools if fact is None or moved else (fact.pool,):
            self._add(Task.NODE_POOL_STATUS, Key("", pool), _TENANT_SETTLE_SECONDS)

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if old is not None and new is not None and _bond(old) == _bond(new):
            return
        namespace = new or old
        assert namespace is not None
        for project in self._mirror.projects:
            self._add(Task.PROJECT, key_of(project))
        self._touched.update(each.metadata.labels.get(names.QUEUE_LABEL, "") for each in (old, new) if each is not None)
        for workload in self._mirror.workloads_in(namespace.metadata.name):
            self._add(Task.WORKLOAD, key_of(workload))

    def _project_changed(self, old: Project | None, new: Project | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return
        project = new or old
        assert project is not None
        self._touched.add(project.metadata.name)
        if new is not None:
            self._add(Task.PROJECT, key_of(new))
        for department in self._mirror.departments:
            self._add(Task.DEPARTMENT_STATUS, key_of(department), _TENANT_SETTLE_SECONDS)
        for namespace in self._mirror.namespaces_of(project.metadata.name):
            for workload in self._mirror.workloads_in(namespace.metadata.name):
                self._add(Task.WORKLOAD, key_of(workload))

    def _department_changed(self, old: Department | None, new: Department | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return
        if new is not None:
            self._add(Task.DEPARTMENT_STATUS, key_of(new))
        for project in self._mirror.projects:
            self._add(Task.PROJECT_STATUS, key_of(project))
        department = new or old
        assert department is not None
        for workload in self._mirror.workloads:  # which types of nodes they may name may have changed
            project = None if submitted(workload) else self._mirror.project_of(workload.metadata.namespace)
            if project is not None and department_named(project) == department.metadata.name:
                self._add(Task.WORKLOAD, key_of(workload))
        self._touch_everybody()

    def _node_pool_changed(self, old: NodePool | None, new: NodePool | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            for pool in self._feed.pools:
                self._add(Task.NODE_POOL_STATUS, Key("", pool), _TENANT_SETTLE_SECONDS)
            self._touch_everybody()

    def _touch_everybody(self) -> None:
        self._touched.update(project.metadata.name for project in self._mirror.projects)

    def round_done(self) -> None:
        """After a round, have statuses follow it that it may have changed.

        What happens while a round runs is counted by the next one: so whoever was touched is looked at after both.
        """
        due, self._touched_before, self._touched = self._touched_before | self._touched, self._touched, set()
        departments = [department.metadata.name for department in self._mirror.departments] if due else []
        settle = min(max(_TENANT_SETTLE_SECONDS, len(due) / _TENANTS_PER_SECOND), _TENANT_LONGEST_SECONDS)
        for name in due:
            key = Key("", name)
            self._add(Task.PROJECT_STATUS, key, settle)
            project = self._mirror.projects.get(key)
            department = department_of(project, departments) if project is not None else None
            if department is not None:
                self._add(Task.DEPARTMENT_STATUS, Key("", department), settle)


def _bond(namespace: Namespace) -> tuple[object, ...]:
    """What of a namespace decides about projects and workloads."""
    return (namespace.metadata.labels, namespace.status)


def _decisive(workload: Workload) -> tuple[object, ...]:
    """What decides about a workload's pods, outside of its spec; of its status, what may have ended it."""
    metadata = workload.metadata
    return (
        metadata.labels,
        metadata.annotations.get(names.JOB_NAME_ANNOTATION),
        metadata.deletion_timestamp is None,
        workload.status.time_limits,
        workload.status.preemptions,
    )


def _marks(pod: Pod) -> tuple[object, ...]:
    """What of a pod's metadata decides about its workload."""
    told = pod.metadata.annotations
    return (
        pod.metadata.labels,
        told.get(names.GPU_IDLE_SINCE_ANNOTATION),
        told.get(names.GPU_IDLE_SEEN_ANNOTATION),
    )
