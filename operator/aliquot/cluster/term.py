"""A term of leadership: everything of the operator that acts, from becoming the leader to not being it any more.

    sources ─▶ mirror ─▶ feed ─▶ scheduler ─▶ granter, evicter ─┐
                 │                   └─ verdicts ─▶ statuses     ├─▶ work queue ─▶ API server
                 ├─▶ workloads, projects, node pools ────────────┤
                 └─▶ sync with the control plane ────────────────┘

A term begins knowing nothing: it lists, watches, and takes up what an earlier term left half done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from aliquot.clock import Clock
from aliquot.cluster.announcer import Announcer
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.device_problems import DeviceProblems
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.owners import Owners
from aliquot.cluster.foreign.room import ForeignWorkloads
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.gpu_health import Broken
from aliquot.cluster.granting.room import Granting
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.metrics import Metrics
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of, workload_key_of
from aliquot.cluster.node_problems import NodeProblems
from aliquot.cluster.pace import Pace
from aliquot.cluster.reconcilers.access import AccessRules
from aliquot.cluster.reconcilers.configs import Configs
from aliquot.cluster.reconcilers.pod_conditions import PodConditions
from aliquot.cluster.reconcilers.policies import PolicyStatusWriter
from aliquot.cluster.reconcilers.room import OwnWorkloads
from aliquot.cluster.reconcilers.runai_jobs import RunaiJobs
from aliquot.cluster.reconcilers.tenants import TenantReconciler
from aliquot.cluster.scheduler import Scheduler
from aliquot.cluster.sources import Sources
from aliquot.cluster.sync.kin import Kin
from aliquot.cluster.sync.push import Leading
from aliquot.cluster.sync.room import Sync
from aliquot.cluster.sync.storage_classes import StorageClasses
from aliquot.cluster.sync.workloads import Workloads
from aliquot.cluster.tenant_metrics import Reading, readings
from aliquot.cluster.triggers import Triggers
from aliquot.cluster.usage import UsageKeeper
from aliquot.cluster.verdicts import Verdicts
from aliquot.cluster.work import LANES, Item, Lane, Task
from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import MinRuntimes
from aliquot.core.lifecycle import Retry
from aliquot.core.scheduling import Plan
from aliquot.kube.client import ApiClient
from aliquot.kube.config import Server
from aliquot.kube.informers import Informers
from aliquot.kube.recorder import Recorder
from aliquot.kube.work_queue import WorkQueue
from aliquot.settings import Settings

_SHORT_SETTLE_SECONDS: Final = 2.0
"""A gang is short of pods for a moment whenever its pods are bound or stopped; that is not worth a mark."""


class Term:
    """Wires the rooms together and runs them.

    Args:
        client: an open client.
        server: where it speaks to, for kopf.
        settings: all settings.
        clock: the time.
        metrics: where everything is counted.
        leading: whether it is our term still.
    """

    def __init__(
        self,
        client: ApiClient,
        server: Server,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
        leading: Leading,
    ) -> None:
        self._settings = settings
        self._mirror = mirror = Mirror()
        informers = Informers(client, clock, metrics.watches, settings.api.watch_silence_seconds)
        self._configuration = configuration = Configuration(informers, settings)
        self._sources = Sources(client, server, informers, mirror, settings, metrics)
        self._queue = WorkQueue[Item, Lane]("operator", Lane, metrics.queue)
        self._recorder = Recorder(client, clock, metrics.events, instance=settings.identity.name)
        self._announcer = Announcer(self._recorder, mirror)
        scheduling = settings.scheduling
        self._scheduler = Scheduler(
            scheduling, clock, metrics.scheduler, self._carry_out, self._verdict_changed, self._promised
        )
        self._jobs = Jobs(self._scheduler.submit, clock, self._gang_changed)
        runtimes = MinRuntimes(scheduling.preempt_min_runtime_seconds, scheduling.reclaim_min_runtime_seconds)
        self._owners = owners = Owners(client, informers, clock, settings)
        seats = Seats(mirror, owners)
        self._broken = broken = Broken(mirror, settings.grants.broken_gpus)
        self._feed = Feed(
            mirror,
            self._scheduler.submit,
            self._scheduler.place,
            self._jobs,
            runtimes,
            seats,
            owners,
            broken.on_node,
        )
        broken.listeners.append(self._feed.look_at_node)
        self._usage = UsageKeeper(
            client, clock, scheduling, settings.identity.namespace, self._scheduler.held, self._feed.have_used
        )
        self._node_problems = NodeProblems(mirror, self._announcer.mislabelled)
        self._device_problems = DeviceProblems(mirror, self._announcer.overheld)
        self._granting = Granting(
            client,
            mirror,
            clock,
            self._jobs,
            self._scheduler.submit,
            self._heard,
            self._announcer,
            self._granted,
            self._count_preemption,
            broken,
            self._feed.facts_of,
            self._verdict_changed,
            metrics.guard,
            self._add,
            settings,
        )
        self._verdicts = Verdicts(mirror, self._jobs.job_of, self._scheduler.waiting, self._granting.trouble)
        self._triggers = Triggers(mirror, self._feed, self._heard, self._add, settings)
        workloads = settings.workloads
        self._clock = clock
        self._pace = Pace[Key](workloads.status_settle_seconds, workloads.status_longest_seconds)
        retry = Retry(workloads.retry_base_seconds, workloads.retry_cap_seconds)
        self._own = OwnWorkloads(
            client,
            informers,
            mirror,
            configuration,
            retry,
            self._verdicts.of,
            self._announcer,
            self._add,
            self._pace,
            clock,
            settings,
        )
        conditions = PodConditions(
            client, mirror, clock, self._jobs.short, self._announcer.misunderstood, self._granting.of_gpus
        )
        self._tenants = TenantReconciler(client, mirror, self._feed, clock, self._scheduler.usage, configuration)
        self._access = AccessRules(client, informers, mirror, clock, self._add, settings, configuration)
        self._configs = Configs(client, configuration, clock, self._add, self._besides)
        self._runai_jobs = RunaiJobs(client, informers, mirror, clock, retry, self._add, self._announcer.job_trouble)
        self._foreign = ForeignWorkloads(
            client,
            informers,
            owners,
            seats,
            self._feed,
            self._jobs,
            self._verdicts.of,
            self._announcer,
            self._add,
            self._pace,
            clock,
            settings,
        )
        self._sync = (
            Sync(
                client,
                mirror,
                self._access.rules,
                Workloads(
                    informers,
                    mirror,
                    self._own.views,
                    self._runai_jobs,
                    self._foreign.reports,
                    seats,
                    self._feed,
                    self._jobs,
                    Kin(owners, self._own.objects),
                    clock,
                ),
                StorageClasses(informers),
                leading,
                clock,
                self.trouble,
                self._connection_changed,
                metrics.sync,
                settings.identity.namespace,
                settings.control_plane,
            )
            if settings.control_plane.url
            else None
        )
        self._tasks: dict[Task, Callable[[Key], Awaitable[None]]] = {
            Task.POD_CONDITIONS: conditions.write,
            Task.PROJECT: self._tenants.reconcile_project,
            Task.PROJECT_STATUS: self._tenants.write_project_status,
            Task.DEPARTMENT_STATUS: self._tenants.write_department_status,
            Task.NODE_POOL_STATUS: self._tenants.write_node_pool_status,
            Task.POLICY_STATUS: PolicyStatusWriter(client, mirror, clock).write,
            **self._granting.tasks,
            **self._own.tasks,
            **self._foreign.tasks,
            **self._configs.tasks,
            **self._access.tasks,
            **self._runai_jobs.tasks,
        }
        self._started = False

    def trouble(self) -> str | None:
        """Why the work cannot be done (yet); None: all is well."""
        return self._sources.trouble() or (None if self._started else "the first lists are not complete yet")

    async def document(self, pool: str) -> dict[str, object] | None:
        """One node pool as a document that `aliquot simulate` replays; None: not all that there is is known yet."""
        return await self._scheduler.document(pool, self._owners.topologies) if self._started else None

    def readings(self) -> Iterable[Reading]:
        """What projects have, and what belongs where, for `/metrics`; nothing until a first round knows."""
        if not self._started:
            return ()
        feed = self._feed
        return readings(feed.queues.values(), self._scheduler.usage, feed.nodes.values(), self._mirror.namespaces)

    async def run(self) -> None:
        """Do the operator's work until cancelled."""
        async with asyncio.TaskGroup() as group:
            await self._configs.fill(group)
            self._configuration.changed.append(self._reconfigured)
            self._follow()
            await self._sources.fill(group)
            await self._foreign.fill(group)
            await self._own.fill(group)
            await self._access.fill(group)
            await self._runai_jobs.fill(group)
            if self._usage.wanted:
                await self._usage.load()
            self._broken.start()
            self._feed.start()
            self._granting.start()
            self._triggers.listen()
            self._node_problems.start()
            self._device_problems.start()
            self._granting.take_up()
            group.create_task(self._scheduler.run())
            await self._scheduler.first_round.wait()  # before it nobody holds anything, which no status should say
            self._look_at_everything()
            group.create_task(self._queue.run(self._settings.work.workers, self._work))
            group.create_task(self._recorder.run(hold=lambda: len(self._queue) > 0))
            group.create_task(self._own.run())
            group.create_task(self._resync())
            if self._usage.wanted:
                group.create_task(self._usage.run())
            self._started = True
            if self._sync is not None:
                self._sync.listen(self._access.listeners)
                group.create_task(self._sync.run())

    # What is to be done

    async def _work(self, item: Item) -> None:
        await self._tasks[item.task](item.key)

    def _heard(self, key: Key) -> Pod | None:
        return self._sources.pods.get(key.namespace, key.name)

    def _add(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        self._queue.add_after(Item(task, key), after_seconds, LANES[task])

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.work.resync_seconds)
            self._look_at_everything()

    def _look_at_everything(self) -> None:
        self._triggers.look_at_everything()
        self._granting.look_at_everything()
        self._foreign.look_at_everything()
        self._configs.look_at_everything()
        self._access.look_at_everything()
        self._runai_jobs.look_at_everything()

    # What the rooms tell one another

    def _reconfigured(self) -> None:
        """The cluster's RunaiConfig says something else than before."""
        self._follow()
        if self._started:
            self._look_at_everything()

    def _connection_changed(self) -> None:
        self._configs.look_at_everything()

    def _besides(self) -> Sequence[Condition]:
        return () if self._sync is None else self._sync.conditions

    def _follow(self) -> None:
        config = self._configuration.config
        self._scheduler.follow(config)
        self._feed.follow(config.node_scope)

    def _carry_out(self, plan: Plan) -> None:
        self._triggers.round_done()
        self._granting.carry_out(plan)

    def _promised(self, nodes: Mapping[str, str]) -> None:
        self._granting.promised(nodes)

    def _granted(self) -> None:
        self._pace.granted(self._clock.monotonic())

    def _verdict_changed(self, job: str) -> None:
        pods = [pod for uid in self._jobs.pods_of(job) if (pod := self._mirror.pod(uid)) is not None]
        if not pods:
            return
        workload = workload_key_of(pods[0])
        if workload is not None:
            self._own.status_changed(workload, at_once=False)
        else:
            self._foreign.verdict_changed(pods)

    def _gang_changed(self, uids: Iterable[str]) -> None:
        """A gang is short of pods, or is so no longer: its pods are marked, if that lasts."""
        for uid in uids:
            pod = self._mirror.pod(uid)
            if pod is not None:
                self._add(Task.POD_CONDITIONS, key_of(pod), _SHORT_SETTLE_SECONDS)

    def _count_preemption(self, key: Key) -> None:
        """Somebody waits for the GPUs of a pod that its workload's status has to count first."""
        self._pace.hurry(key)
        self._queue.add(Item(Task.WORKLOAD_STATUS, key), LANES[Task.EVICT])
