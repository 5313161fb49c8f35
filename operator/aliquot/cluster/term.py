"""A term of leadership: everything of the operator that acts, from becoming the leader to not being it any more.

    sources ─▶ mirror ─▶ feed ─▶ scheduler ─▶ granter, evicter ─┐
                 │                   └─ verdicts ─▶ statuses     ├─▶ work queue ─▶ API server
                 └─▶ workloads, projects, node pools ────────────┘

A term begins knowing nothing: it lists, watches, and takes up what an earlier term left half done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from aliquot.clock import Clock
from aliquot.cluster.announcer import Announcer
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.device_problems import DeviceProblems
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.owners import Owners
from aliquot.cluster.foreign.room import ForeignWorkloads
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.granting.bind import Granter, read_again
from aliquot.cluster.granting.cards import Cards
from aliquot.cluster.granting.evict import Evicter
from aliquot.cluster.granting.nominate import Nominator
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.metrics import Metrics
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of, workload_key_of
from aliquot.cluster.node_problems import NodeProblems
from aliquot.cluster.pace import Pace
from aliquot.cluster.reconcilers.access import AccessRules
from aliquot.cluster.reconcilers.beside import Beside
from aliquot.cluster.reconcilers.carriers import Carriers
from aliquot.cluster.reconcilers.configs import Configs
from aliquot.cluster.reconcilers.left_behind import LeftBehind
from aliquot.cluster.reconcilers.pod_conditions import PodConditions
from aliquot.cluster.reconcilers.policies import PolicyStatusWriter
from aliquot.cluster.reconcilers.runai_jobs import RunaiJobs
from aliquot.cluster.reconcilers.served import Served
from aliquot.cluster.reconcilers.tenants import TenantReconciler
from aliquot.cluster.reconcilers.upkeep import Upkeep
from aliquot.cluster.reconcilers.view import Views
from aliquot.cluster.reconcilers.workload import WorkloadReconciler
from aliquot.cluster.reconcilers.workload_status import WorkloadStatusWriter
from aliquot.cluster.scheduler import Scheduler
from aliquot.cluster.sources import Sources
from aliquot.cluster.triggers import Triggers
from aliquot.cluster.usage import UsageKeeper
from aliquot.cluster.verdicts import Verdicts
from aliquot.cluster.work import LANES, Item, Lane, Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import MinRuntimes
from aliquot.core.lifecycle import Retry
from aliquot.core.scheduling import Bind, GrantFailed, Plan, Promised
from aliquot.kube.client import ApiClient
from aliquot.kube.config import Server
from aliquot.kube.informers import Informers
from aliquot.kube.recorder import Recorder
from aliquot.kube.work_queue import WorkQueue
from aliquot.settings import Settings

_SHORTEST_PAUSE_SECONDS: Final = 0.1
_PROMISE_SETTLE_SECONDS: Final = 1.0
"""Most room is free by then, and the pod has its node: nothing has to be written."""
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
    """

    def __init__(self, client: ApiClient, server: Server, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self._client = client
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
        self._verdicts = Verdicts(mirror, self._jobs.job_of, self._scheduler.waiting)
        runtimes = MinRuntimes(scheduling.preempt_min_runtime_seconds, scheduling.reclaim_min_runtime_seconds)
        self._owners = owners = Owners(client, informers, clock, settings)
        seats = Seats(mirror, owners)
        self._feed = Feed(mirror, self._scheduler.submit, self._scheduler.place, self._jobs, runtimes, seats, owners)
        self._usage = UsageKeeper(
            client, clock, scheduling, settings.identity.namespace, self._scheduler.held, self._feed.have_used
        )
        self._node_problems = NodeProblems(mirror, self._announcer.mislabelled)
        self._device_problems = DeviceProblems(mirror, self._announcer.overheld)
        self._cards = Cards(client, mirror, clock, self._jobs, self._add, self._withdraw, settings.grants)
        self._granter = Granter(client, mirror, self._cards, self._cards.submit, self._bound)
        self._evicter = Evicter(
            client,
            mirror,
            clock,
            self._scheduler.submit,
            self._announcer.evicted,
            self._count_preemption,
            lambda pod, seconds: self._add(Task.EVICT, pod, seconds),
        )
        self._nominator = Nominator(client, mirror)
        self._triggers = Triggers(mirror, self._feed, self._heard, self._add, settings)
        workloads = settings.workloads
        ingress_class = settings.addresses.ingress_class or None
        views = Views(mirror, configuration, settings.identity.namespace, ingress_class)
        self._upkeep = Upkeep(client, informers, views.note_trouble, self._look_again)
        beside = Beside(client, mirror, self._upkeep, self._look_again)
        carriers = Carriers(
            mirror,
            views,
            beside,
            self._upkeep,
            Served(client, clock),
            clock,
            self._look_again,
            self._status_changed,
        )
        retry = Retry(workloads.retry_base_seconds, workloads.retry_cap_seconds)
        self._workloads = WorkloadReconciler(
            client, mirror, views, beside, carriers, clock, retry, self._look_again, self._status_changed
        )
        self._statuses = WorkloadStatusWriter(
            client, mirror, views, carriers, clock, retry, self._verdicts.of, self._announcer.happened
        )
        conditions = PodConditions(client, mirror, clock, self._jobs.short, self._announcer.misunderstood)
        self._tenants = TenantReconciler(client, mirror, self._feed, clock, self._scheduler.usage, configuration)
        self._access = AccessRules(client, informers, mirror, clock, self._add, settings, configuration)
        self._configs = Configs(client, configuration, clock, self._add)
        self._clock = clock
        self._pace = Pace[Key](workloads.status_settle_seconds, workloads.status_longest_seconds)
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
        self._tasks: dict[Task, Callable[[Key], Awaitable[None]]] = {
            Task.GRANT: self._granter.carry_out,
            Task.EVICT: self._evicter.carry_out,
            Task.SHARED_GPU: self._cards.tend,
            Task.NOMINATE: self._nominator.write,
            Task.CONFIRM: self._confirm,
            Task.WORKLOAD: self._workloads.reconcile,
            Task.WORKLOAD_STATUS: self._write_status,
            Task.LEFT_BEHIND: LeftBehind(client, mirror).clear,
            Task.POD_CONDITIONS: conditions.write,
            Task.PROJECT: self._tenants.reconcile_project,
            Task.PROJECT_STATUS: self._tenants.write_project_status,
            Task.DEPARTMENT_STATUS: self._tenants.write_department_status,
            Task.NODE_POOL_STATUS: self._tenants.write_node_pool_status,
            Task.POLICY_STATUS: PolicyStatusWriter(client, mirror, clock).write,
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

    async def run(self) -> None:
        """Do the operator's work until cancelled."""
        async with asyncio.TaskGroup() as group:
            await self._configs.fill(group)
            self._configuration.changed.append(self._reconfigured)
            self._scheduler.follow(self._configuration.config)
            await self._sources.fill(group)
            await self._foreign.fill(group)
            await self._upkeep.objects.fill(group)
            await self._access.fill(group)
            await self._runai_jobs.fill(group)
            if self._usage.wanted:
                await self._usage.load()
            self._feed.start()
            self._cards.start()
            self._triggers.listen()
            self._node_problems.start()
            self._device_problems.start()
            self._take_up()
            group.create_task(self._scheduler.run())
            await self._scheduler.first_round.wait()  # before it nobody holds anything, which no status should say
            self._look_at_everything()
            group.create_task(self._queue.run(self._settings.work.workers, self._work))
            group.create_task(self._recorder.run(hold=lambda: len(self._queue) > 0))
            group.create_task(self._release_statuses())
            group.create_task(self._resync())
            if self._usage.wanted:
                group.create_task(self._usage.run())
            self._started = True

    # What is to be done

    async def _work(self, item: Item) -> None:
        await self._tasks[item.task](item.key)

    def _heard(self, key: Key) -> Pod | None:
        return self._sources.pods.get(key.namespace, key.name)

    def _add(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        self._queue.add_after(Item(task, key), after_seconds, LANES[task])

    def _take_up(self) -> None:
        """Go on with what an earlier term had begun, before a round looks for further victims."""
        for pod in self._mirror.pods:
            if (key := self._evicter.take_up(pod)) is not None:
                self._add(Task.EVICT, key)
        for uid, node in self._nominator.take_up().items():
            self._scheduler.submit(Promised(job=self._jobs.job_of(uid), node=node))

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.work.resync_seconds)
            self._look_at_everything()

    def _look_at_everything(self) -> None:
        self._triggers.look_at_everything()
        self._cards.look_at_everything()
        self._foreign.look_at_everything()
        self._configs.look_at_everything()
        self._access.look_at_everything()
        self._runai_jobs.look_at_everything()

    # What the rooms tell one another

    def _reconfigured(self) -> None:
        """The cluster's RunaiConfig says something else than before."""
        self._scheduler.follow(self._configuration.config)
        if self._started:
            self._look_at_everything()

    def _carry_out(self, plan: Plan) -> None:
        self._triggers.round_done()
        for bind in plan.binds:
            pod = self._mirror.pod(bind.task)
            if pod is not None:
                self._add(Task.GRANT, self._granter.assume(bind, pod))
        for evict in plan.evictions:
            pod = self._mirror.pod(evict.task)
            if pod is not None:
                self._add(Task.EVICT, self._evicter.assume(evict, pod))

    def _withdraw(self, pod: Pod, why: str) -> None:
        self._add(Task.EVICT, self._evicter.withdraw(pod, why))

    def _bound(self, pod: Pod, bind: Bind) -> None:
        self._pace.granted(self._clock.monotonic())
        self._add(Task.CONFIRM, key_of(pod), self._settings.scheduling.confirm_seconds)
        self._announcer.bound(pod, bind)

    async def _confirm(self, key: Key) -> None:
        """See that what we did to a pod some time ago has been heard of; ask the API server if not."""
        pod = self._mirror.pods.get(key)
        if pod is None:
            return
        heard = self._heard(key)
        if heard is not None and heard.metadata.uid == pod.metadata.uid and pod.spec.node_name:
            return
        found = await read_again(self._client, self._mirror, pod)
        if found is None:
            return
        if heard is None or heard.metadata.uid != found.metadata.uid:
            # If it vanished before the pods are listed anew, no list and no watch would ever tell.
            self._add(Task.CONFIRM, key, self._settings.scheduling.confirm_seconds)
        if not found.spec.node_name and not self._granter.has(key):
            self._cards.submit(GrantFailed(task=found.metadata.uid))

    def _promised(self, nodes: Mapping[str, str]) -> None:
        for key in self._nominator.promised(nodes):
            self._add(Task.NOMINATE, key, _PROMISE_SETTLE_SECONDS)

    def _verdict_changed(self, job: str) -> None:
        pods = [pod for uid in self._jobs.pods_of(job) if (pod := self._mirror.pod(uid)) is not None]
        if not pods:
            return
        workload = workload_key_of(pods[0])
        if workload is not None:
            self._status_changed(workload, at_once=False)
        else:
            self._foreign.verdict_changed(pods)

    def _gang_changed(self, uids: Iterable[str]) -> None:
        """A gang is short of pods, or is so no longer: its pods are marked, if that lasts."""
        for uid in uids:
            pod = self._mirror.pod(uid)
            if pod is not None:
                self._add(Task.POD_CONDITIONS, key_of(pod), _SHORT_SETTLE_SECONDS)

    def _look_again(self, key: Key, seconds: float) -> None:
        self._add(Task.WORKLOAD, key, seconds)

    def _count_preemption(self, key: Key) -> None:
        """Somebody waits for the GPUs of a pod that its workload's status has to count first."""
        self._pace.hurry(key)
        self._queue.add(Item(Task.WORKLOAD_STATUS, key), LANES[Task.EVICT])

    def _status_changed(self, key: Key, at_once: bool) -> None:
        if at_once:
            self._pace.hurry(key)
        self._add(Task.WORKLOAD_STATUS, key, 0 if at_once else self._settings.workloads.status_settle_seconds)

    async def _write_status(self, key: Key) -> None:
        if self._pace.may_write(key, self._clock.monotonic()):
            await self._statuses.write(key)

    async def _release_statuses(self) -> None:
        """Have statuses looked at again that had to wait for grants."""
        while True:
            await asyncio.sleep(max(self._settings.workloads.status_settle_seconds, _SHORTEST_PAUSE_SECONDS))
            for key in self._pace.due(self._clock.monotonic()):
                self._add(Task.WORKLOAD_STATUS, key)
