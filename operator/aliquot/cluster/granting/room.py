"""Giving and taking GPUs, wired together for a term: plans of the scheduler become bindings and evictions.

plan ─▶ assumed ─▶ granter, cards, evicter ─▶ API server ─▶ heard of? else asked (`confirm`)
        promises ─▶ nominator
GPUs that cannot be used, memory beyond a part ─▶ movers, guard ─▶ evicter
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aliquot import names
from aliquot.clock import Clock
from aliquot.cluster.announcer import Announcer
from aliquot.cluster.gpu_health import Broken, Movers
from aliquot.cluster.granting.bind import Granter
from aliquot.cluster.granting.cards import Cards
from aliquot.cluster.granting.confirm import Confirmer
from aliquot.cluster.granting.evict import Evicter
from aliquot.cluster.granting.nominate import Nominator
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.memory_guard import GuardMetrics, MemoryGuard
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.reconcilers.pod_conditions import GpuTroubles
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import PodFacts
from aliquot.core.scheduling import Bind, Plan, Promised
from aliquot.core.scheduling.events import Event
from aliquot.kube.client import ApiClient
from aliquot.settings import Settings

_PROMISE_SETTLE_SECONDS: Final = 1.0
"""Most room is free by then, and the pod has its node: nothing has to be written."""


class Granting:
    """Carries out what the scheduler plans, for a term.

    Args:
        client: reads and writes.
        mirror: what we know of the cluster.
        clock: the time.
        jobs: knows which pods belong together.
        submit: takes events for the scheduler.
        heard: a pod as the watch last told of it; None: it has not.
        announcer: tells people.
        granted: told that somebody has got GPUs.
        count_preemption: told of workloads whose status has to count the preemption of a pod before it is stopped.
        broken: knows the GPUs that cannot be used.
        facts_of: what a pod says of its job.
        verdict_changed: told of a job that waits for another reason than before.
        guarded: counts what becomes of pods with too much memory.
        add: takes work.
        settings: paces, and what is done about such GPUs and pods.

    Attributes:
        tasks: how the work is done.
        trouble: why no GPU can be held for a pod, by its uid; empty: one can, or none has to.
        of_gpus: what is wrong with a pod's GPUs, and with what it does to them.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        jobs: Jobs,
        submit: Callable[[Event], None],
        heard: Callable[[Key], Pod | None],
        announcer: Announcer,
        granted: Callable[[], None],
        count_preemption: Callable[[Key], None],
        broken: Broken,
        facts_of: Callable[[Pod], PodFacts],
        verdict_changed: Callable[[str], None],
        guarded: GuardMetrics,
        add: Add,
        settings: Settings,
    ) -> None:
        self._mirror = mirror
        self._jobs = jobs
        self._submit = submit
        self._announcer = announcer
        self._granted = granted
        self._add = add
        grants = settings.grants
        self._cards = Cards(
            client,
            mirror,
            clock,
            jobs,
            add,
            self._withdraw,
            grants,
            broken,
            lambda uid: verdict_changed(jobs.job_of(uid)),
        )
        self._movers = Movers(broken, mirror, grants.broken_gpus, facts_of, add, self._withdraw, announcer.gpus_broken)
        self._guard = MemoryGuard(
            mirror,
            clock,
            grants.memory_guard,
            grants.memory_guard_grace_seconds,
            guarded,
            add,
            self._withdraw,
        )
        self.trouble = self._cards.trouble
        self.of_gpus = GpuTroubles(self._movers.why, self._guard.why, announcer.gpu_trouble)
        self._granter = Granter(client, mirror, self._cards, self._cards.submit, self._bound)
        self._confirmer = Confirmer(
            client, mirror, heard, self._granter, self._cards, add, settings.scheduling.confirm_seconds
        )
        self._evicter = Evicter(
            client,
            mirror,
            clock,
            submit,
            announcer.evicted,
            count_preemption,
            lambda pod, seconds: add(Task.EVICT, pod, seconds),
        )
        self._nominator = Nominator(client, mirror)
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {
            Task.GRANT: self._granter.carry_out,
            Task.EVICT: self._evicter.carry_out,
            Task.SHARED_GPU: self._cards.tend,
            Task.MEMORY_GUARD: self._guard.look_at,
            Task.NOMINATE: self._nominator.write,
            Task.CONFIRM: self._confirmer.confirm,
        }

    def start(self) -> None:
        """Tell the scheduler of the cards that are shared, then of every change; it has been told of all pods."""
        self._cards.start()

    def take_up(self) -> None:
        """Go on with what an earlier term had begun, before a round looks for further victims."""
        for pod in self._mirror.pods:
            if (key := self._evicter.take_up(pod)) is not None:
                self._add(Task.EVICT, key)
        for uid, node in self._nominator.take_up().items():
            self._submit(Promised(job=self._jobs.job_of(uid), node=node))
        self._movers.start()
        self._guard.start()

    def look_at_everything(self) -> None:
        """Have every shared card looked at."""
        self._cards.look_at_everything()

    def carry_out(self, plan: Plan) -> None:
        """Take everything in a plan to be so, and have it done."""
        for bind in plan.binds:
            pod = self._mirror.pod(bind.task)
            if pod is not None:
                self._add(Task.GRANT, self._granter.assume(bind, pod))
        for evict in plan.evictions:
            pod = self._mirror.pod(evict.task)
            if pod is not None:
                self._add(Task.EVICT, self._evicter.assume(evict, pod))

    def promised(self, nodes: Mapping[str, str]) -> None:
        """Have promises of nodes written down that are still promises after a while."""
        for key in self._nominator.promised(nodes):
            self._add(Task.NOMINATE, key, _PROMISE_SETTLE_SECONDS)

    def _withdraw(self, pod: Pod, why: str, reason: str = names.EVICTED_BY_ALIQUOT_REASON) -> None:
        self._add(Task.EVICT, self._evicter.withdraw(pod, why, reason))

    def _bound(self, pod: Pod, bind: Bind) -> None:
        self._granted()
        self._confirmer.later(key_of(pod))
        self._announcer.bound(pod, bind)
