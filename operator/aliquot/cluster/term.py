"""A term of leadership: everything of the operator that acts, from becoming the leader to not being it any more.

    sources ─▶ mirror ─▶ feed ─▶ scheduler ─▶ granter, evicter ─┐
                 │                   └─ verdicts ─▶ statuses     ├─▶ work queue ─▶ API server
                 └─▶ workloads, projects, node pools ────────────┘

A term begins knowing nothing: it lists, watches, and takes up what an earlier term left half done.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aliquot import names
from aliquot.clock import Clock
from aliquot.cluster.feed import Feed
from aliquot.cluster.granting.bind import Granter, read_again
from aliquot.cluster.granting.evict import Evicter, half_evicted
from aliquot.cluster.metrics import Metrics
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, job_name_of, key_of, owner_of
from aliquot.cluster.reconcilers.tenants import TenantReconciler
from aliquot.cluster.reconcilers.view import Views
from aliquot.cluster.reconcilers.workload import WorkloadReconciler
from aliquot.cluster.reconcilers.workload_status import WorkloadStatusWriter
from aliquot.cluster.resources import TRAINING_WORKLOADS
from aliquot.cluster.scheduler import Scheduler
from aliquot.cluster.sources import Sources
from aliquot.cluster.work import LANES, Item, Lane, Task
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import TrainingWorkload
from aliquot.contracts.kubernetes import Namespace, Node, Pod
from aliquot.core.lifecycle import Happening, Retry
from aliquot.core.scheduling import Bind, GrantFailed, Plan, explain
from aliquot.core.submission import Defaults
from aliquot.core.tenancy import department_of, in_words
from aliquot.kube.client import ApiClient
from aliquot.kube.config import Server
from aliquot.kube.recorder import ObjectReference, Recorder
from aliquot.kube.work_queue import WorkQueue
from aliquot.settings import Settings

_MIB = 1024 * 1024
_TENANT_SETTLE_SECONDS = 1.0
"""Statuses of projects, departments and pools follow every pod that comes and goes: once a second is enough."""
_ENDED = ("Succeeded", "Failed")
_EVICTED = "Evicted"


class Term:
    """Wires the rooms together and runs them.

    Args:
        client: an open client.
        server: where it speaks to, for kopf.
        settings: all settings.
        clock: the time.
        metrics: where everything is counted.
    """

    def __init__(self, client: ApiClient, server: Server, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self._client = client
        self._settings = settings
        self._mirror = mirror = Mirror()
        self._sources = Sources(client, server, mirror, settings, clock, metrics)
        self._queue = WorkQueue[Item, Lane]("operator", Lane, metrics.queue)
        self._recorder = Recorder(client, clock, metrics.events, instance=settings.identity.name)
        self._scheduler = Scheduler(
            settings.scheduling, clock, metrics.scheduler, self._carry_out, self._verdict_changed
        )
        self._feed = Feed(mirror, self._scheduler.submit)
        self._granter = Granter(client, mirror, self._scheduler.submit, self._bound)
        self._evicter = Evicter(client, mirror, clock, self._scheduler.submit, self._evicted)
        workloads = settings.workloads
        views = Views(mirror, Defaults(workloads.cpu_milli_per_gpu, workloads.memory_mib_per_gpu * _MIB))
        retry = Retry(workloads.retry_base_seconds, workloads.retry_cap_seconds)
        self._workloads = WorkloadReconciler(
            client, mirror, views, clock, retry, self._look_again, self._status_changed
        )
        self._statuses = WorkloadStatusWriter(
            client, mirror, views, clock, retry, self._scheduler.waiting, self._happened
        )
        self._tenants = TenantReconciler(client, mirror, self._feed, clock, self._scheduler.usage)
        self._tasks: dict[Task, Callable[[Key], Awaitable[None]]] = {
            Task.GRANT: self._granter.carry_out,
            Task.EVICT: self._evicter.carry_out,
            Task.CONFIRM: self._confirm,
            Task.WORKLOAD: self._workloads.reconcile,
            Task.WORKLOAD_STATUS: self._statuses.write,
            Task.PROJECT: self._tenants.reconcile_project,
            Task.PROJECT_STATUS: self._tenants.write_project_status,
            Task.DEPARTMENT_STATUS: self._tenants.write_department_status,
            Task.NODE_POOL_STATUS: self._tenants.write_node_pool_status,
        }
        self._touched: set[str] = set()
        self._touched_before: set[str] = set()
        self._started = False

    def trouble(self) -> str | None:
        """Why the work cannot be done (yet); None: all is well."""
        return self._sources.trouble() or (None if self._started else "the first lists are not complete yet")

    async def run(self) -> None:
        """Do the operator's work until cancelled."""
        async with asyncio.TaskGroup() as group:
            await self._sources.fill(group)
            self._feed.start()
            self._listen()
            self._take_up_evictions()
            group.create_task(self._scheduler.run())
            await self._scheduler.first_round.wait()  # before it nobody holds anything, which no status should say
            self._look_at_everything()
            group.create_task(self._queue.run(self._settings.work.workers, self._work))
            group.create_task(self._recorder.run(hold=lambda: len(self._queue) > 0))
            group.create_task(self._resync())
            self._started = True

    # What is to be done

    async def _work(self, item: Item) -> None:
        await self._tasks[item.task](item.key)

    def _add(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        self._queue.add_after(Item(task, key), after_seconds, LANES[task])

    def _take_up_evictions(self) -> None:
        """Go on with what an earlier term had begun, before a round looks for further victims."""
        for pod in self._mirror.pods:
            if half_evicted(pod):
                self._add(Task.EVICT, self._evicter.resume(pod))

    def _look_at_everything(self) -> None:
        for pool in (names.DEFAULT_NODE_POOL, *(pool.metadata.name for pool in self._mirror.node_pools)):
            self._add(Task.NODE_POOL_STATUS, Key("", pool))
        for department in self._mirror.departments:
            self._add(Task.DEPARTMENT_STATUS, key_of(department))
        for project in self._mirror.projects:
            self._add(Task.PROJECT, key_of(project))
        for workload in self._mirror.workloads:
            self._add(Task.WORKLOAD, key_of(workload))

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.work.resync_seconds)
            self._look_at_everything()

    # What has changed

    def _listen(self) -> None:
        listeners = self._mirror.listeners
        listeners.workload.append(self._workload_changed)
        listeners.pod.append(self._pod_changed)
        listeners.node.append(self._node_changed)
        listeners.namespace.append(self._namespace_changed)
        listeners.project.append(self._project_changed)
        listeners.department.append(self._department_changed)
        listeners.node_pool.append(self._node_pool_changed)

    def _workload_changed(self, old: TrainingWorkload | None, new: TrainingWorkload | None) -> None:
        if new is None:
            assert old is not None
            freed = job_name_of(old)
            if freed is not None:
                for namesake in self._mirror.workloads_called(old.metadata.namespace, freed):
                    self._add(Task.WORKLOAD, key_of(namesake))
            return
        if old is None or old.metadata.generation != new.metadata.generation or _outside(old) != _outside(new):
            self._add(Task.WORKLOAD, key_of(new))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        key = key_of(pod)
        if old is None and self._sources.pods.get(*key) is None:
            self._add(Task.CONFIRM, key, self._settings.scheduling.confirm_seconds)
        tenant = self._feed.tenant(key.namespace)
        if tenant is not None:
            self._touched.add(tenant.project)
        owner = owner_of(pod)
        if owner is None:
            return
        workload = Key(key.namespace, owner.name)
        relabelled = old is not None and new is not None and old.metadata.labels != new.metadata.labels
        if new is None or relabelled or new.status.phase in _ENDED or new.metadata.deletion_timestamp is not None:
            self._add(Task.WORKLOAD, workload)
        else:
            self._status_changed(workload, at_once=False)

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
        self._touch_everybody()

    def _node_pool_changed(self, old: NodePool | None, new: NodePool | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            for pool in self._feed.pools:
                self._add(Task.NODE_POOL_STATUS, Key("", pool), _TENANT_SETTLE_SECONDS)
            self._touch_everybody()

    def _touch_everybody(self) -> None:
        self._touched.update(project.metadata.name for project in self._mirror.projects)

    def _tell_tenants(self) -> None:
        """After a round, have statuses follow it that it may have changed.

        What happens while a round runs is counted by the next one: so whoever was touched is looked at after both.
        """
        due, self._touched_before, self._touched = self._touched_before | self._touched, self._touched, set()
        departments = [department.metadata.name for department in self._mirror.departments] if due else []
        for name in due:
            key = Key("", name)
            self._add(Task.PROJECT_STATUS, key, _TENANT_SETTLE_SECONDS)
            project = self._mirror.projects.get(key)
            department = department_of(project, departments) if project is not None else None
            if department is not None:
                self._add(Task.DEPARTMENT_STATUS, Key("", department), _TENANT_SETTLE_SECONDS)

    # What the rooms tell one another

    def _carry_out(self, plan: Plan) -> None:
        self._tell_tenants()
        for bind in plan.binds:
            pod = self._mirror.pod(bind.task)
            if pod is not None:
                self._add(Task.GRANT, self._granter.assume(bind, pod))
        for evict in plan.evictions:
            pod = self._mirror.pod(evict.task)
            if pod is not None:
                self._add(Task.EVICT, self._evicter.assume(evict, pod))

    def _bound(self, pod: Pod, bind: Bind) -> None:
        self._add(Task.CONFIRM, key_of(pod), self._settings.scheduling.confirm_seconds)
        workload = self._workload_of(pod)
        if workload is not None:
            self._record(workload, Happening("Normal", "Scheduled", scheduled(pod, bind)), key="Scheduled")

    def _evicted(self, pod: Pod, why: str) -> None:
        workload = self._workload_of(pod)
        if workload is not None:
            note = f"Pod {pod.metadata.name} was {why}"
            self._record(workload, Happening("Warning", _EVICTED, note), key=f"{_EVICTED} {pod.metadata.uid}")

    def _workload_of(self, pod: Pod) -> TrainingWorkload | None:
        owner = owner_of(pod)
        workload = None if owner is None else self._mirror.workloads.get(Key(pod.metadata.namespace, owner.name))
        return workload if workload is not None and owner is not None and workload.metadata.uid == owner.uid else None

    async def _confirm(self, key: Key) -> None:
        """See that what we did to a pod some time ago has been heard of; ask the API server if not."""
        pod = self._mirror.pods.get(key)
        if pod is None:
            return
        heard = self._sources.pods.get(*key)
        if heard is not None and heard.metadata.uid == pod.metadata.uid and pod.spec.node_name:
            return
        found = await read_again(self._client, self._mirror, pod)
        if found is None:
            return
        if heard is None or heard.metadata.uid != found.metadata.uid:
            # If it vanished before the pods are listed anew, no list and no watch would ever tell.
            self._add(Task.CONFIRM, key, self._settings.scheduling.confirm_seconds)
        if not found.spec.node_name and not self._granter.has(key):
            self._scheduler.submit(GrantFailed(task=found.metadata.uid))

    def _verdict_changed(self, job: str) -> None:
        pod = self._mirror.pod(job)
        if pod is None:
            return
        owner = owner_of(pod)
        if owner is not None:
            self._status_changed(Key(pod.metadata.namespace, owner.name), at_once=False)
            return
        reason = self._scheduler.waiting(job)
        if reason is not None:  # a pod of nobody's workload has no status of ours that could say it
            code = reason.code.value
            metadata = pod.metadata
            regarding = ObjectReference("v1", "Pod", metadata.namespace, metadata.name, metadata.uid)
            self._recorder.record(regarding, "Warning", code, explain(reason), "Scheduling", key=code)

    def _look_again(self, key: Key, seconds: float) -> None:
        self._add(Task.WORKLOAD, key, seconds)

    def _status_changed(self, key: Key, at_once: bool) -> None:
        self._add(Task.WORKLOAD_STATUS, key, 0 if at_once else self._settings.workloads.status_settle_seconds)

    def _happened(self, workload: TrainingWorkload, happening: Happening) -> None:
        if happening.reason == _EVICTED:  # told when it happened, with more to say
            return
        self._record(workload, happening, key=f"{happening.reason} {happening.message}")

    def _record(self, workload: TrainingWorkload, happening: Happening, *, key: str) -> None:
        metadata = workload.metadata
        regarding = ObjectReference(
            TRAINING_WORKLOADS.api_version, TRAINING_WORKLOADS.kind, metadata.namespace, metadata.name, metadata.uid
        )
        self._recorder.record(regarding, happening.type, happening.reason, happening.message, happening.reason, key=key)


def _bond(namespace: Namespace) -> tuple[object, ...]:
    """What of a namespace decides about projects and workloads."""
    return (namespace.metadata.labels, namespace.status)


def _outside(workload: TrainingWorkload) -> tuple[object, ...]:
    """What of the metadata decides about a workload's pods."""
    metadata = workload.metadata
    return (metadata.labels, metadata.annotations.get(names.JOB_NAME_ANNOTATION), metadata.deletion_timestamp is None)


def scheduled(pod: Pod, bind: Bind) -> str:
    """What the event of a grant says: where, how much, and whose share it is."""
    where = f"Pod {pod.metadata.name} runs on node {bind.node}"
    if not bind.gpu_percent:
        return f"{where}."
    gpus = in_words("gpu", bind.gpu_percent)
    holds = in_words("gpu", bind.queue_gpu_percent)
    deserved = in_words("gpu", bind.queue_deserved_gpu_percent)
    over = ", beyond its quota: they may be taken back" if bind.over_quota else ""
    return f"{where} with {gpus}. The project holds {holds} and deserves {deserved}{over}."
