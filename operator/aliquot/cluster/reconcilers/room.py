"""Everything about our own workloads, wired together for a term: what carries them out, and their statuses.

    workload ─▶ reconciler ─▶ pods, or what carries them out; what they have beside ─▶ status, when it may be written

The statuses wait while GPUs are being granted (`cluster.pace`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aliquot.clock import Clock
from aliquot.cluster.announcer import Announcer
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.pace import Pace
from aliquot.cluster.reconcilers.beside import Beside
from aliquot.cluster.reconcilers.carriers import Carriers
from aliquot.cluster.reconcilers.left_behind import LeftBehind
from aliquot.cluster.reconcilers.served import Served
from aliquot.cluster.reconcilers.upkeep import Upkeep
from aliquot.cluster.reconcilers.view import Views
from aliquot.cluster.reconcilers.workload import WorkloadReconciler
from aliquot.cluster.reconcilers.workload_status import WorkloadStatusWriter
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.core.lifecycle import Retry, Wait
from aliquot.kube.client import ApiClient
from aliquot.kube.informers import Informers
from aliquot.settings import Settings

_SHORTEST_PAUSE_SECONDS: Final = 0.1


class OwnWorkloads:
    """Our own workloads, for a term.

    Args:
        client: reads and writes.
        informers: makes the informers of what workloads own.
        mirror: what we know of the cluster.
        configuration: what the cluster's RunaiConfig says.
        retry: how failed pods are tried again.
        verdict: why a pod waits, by its uid, as of the last round.
        announcer: tells people.
        add: takes work.
        pace: says when statuses may be written.
        clock: the time.
        settings: paces, and where addresses are.

    Attributes:
        tasks: how the work is done.
        views: what is known of each.
        objects: what they own.
    """

    def __init__(
        self,
        client: ApiClient,
        informers: Informers,
        mirror: Mirror,
        configuration: Configuration,
        retry: Retry,
        verdict: Callable[[str], Wait | None],
        announcer: Announcer,
        add: Add,
        pace: Pace[Key],
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._add = add
        self._pace = pace
        self._clock = clock
        self._settle_seconds = settings.workloads.status_settle_seconds
        again, changed = self._look_again, self.status_changed
        self.views = views = Views(
            mirror, configuration, settings.identity.namespace, settings.addresses.ingress_class or None
        )
        upkeep = Upkeep(client, informers, views.note_trouble, again)
        self.objects = upkeep.objects
        beside = Beside(client, mirror, upkeep, again)
        served = Served(client, clock)
        carriers = Carriers(mirror, views, beside, upkeep, served, clock, again, changed)
        workloads = WorkloadReconciler(client, mirror, views, beside, carriers, clock, retry, again, changed)
        self._statuses = WorkloadStatusWriter(
            client, mirror, views, carriers, clock, retry, verdict, announcer.happened
        )
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {
            Task.WORKLOAD: workloads.reconcile,
            Task.WORKLOAD_STATUS: self._write_status,
            Task.LEFT_BEHIND: LeftBehind(client, mirror).clear,
        }

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watches of what workloads own, as tasks of the group; return when what can be read is known."""
        await self.objects.fill(group)

    async def run(self) -> None:
        """Have statuses looked at again that had to wait for grants, until cancelled."""
        while True:
            await asyncio.sleep(max(self._settle_seconds, _SHORTEST_PAUSE_SECONDS))
            for key in self._pace.due(self._clock.monotonic()):
                self._add(Task.WORKLOAD_STATUS, key)

    def status_changed(self, key: Key, at_once: bool) -> None:
        """The status of a workload is worth a look; `at_once`: it is not held back."""
        if at_once:
            self._pace.hurry(key)
        self._add(Task.WORKLOAD_STATUS, key, 0 if at_once else self._settle_seconds)

    def _look_again(self, key: Key, seconds: float) -> None:
        self._add(Task.WORKLOAD, key, seconds)

    async def _write_status(self, key: Key) -> None:
        if self._pace.may_write(key, self._clock.monotonic()):
            await self._statuses.write(key)
