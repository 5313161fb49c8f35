"""Everything about workloads of other kinds, wired together for a term.

    owners ─▶ seats ─▶ feed ─▶ scheduler                pods, owners, verdicts ─▶ reports

Filled before the scheduler hears of any pod: a pod that is there already is in its gang from the beginning.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aliquot import names
from aliquot.clock import Clock
from aliquot.cluster.announcer import Announcer
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.owners import Owners
from aliquot.cluster.foreign.reports import Reports
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.foreign.standing import Standings
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.pace import Pace
from aliquot.cluster.resources import EXTERNAL_WORKLOADS
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.lifecycle import Wait
from aliquot.kube.client import ApiClient
from aliquot.kube.informer import filled
from aliquot.kube.informers import Informers
from aliquot.settings import Settings

Verdict = Callable[[str], Wait | None]
"""Why a pod waits, by its uid, as of the last round."""


class ForeignWorkloads:
    """Workloads of other kinds, for a term.

    Args:
        client: reads and writes.
        informers: makes the informer of its own objects.
        owners: knows the workloads.
        seats: knows where their pods belong.
        feed: knows what they are to the scheduler.
        jobs: knows which pods belong together.
        verdict: why a pod waits.
        announcer: tells people.
        add: takes work.
        pace: says when reports may be written.
        clock: the time.
        settings: paces.

    Attributes:
        tasks: how the work is done.
        reports: what is said of them.
    """

    def __init__(
        self,
        client: ApiClient,
        informers: Informers,
        owners: Owners,
        seats: Seats,
        feed: Feed,
        jobs: Jobs,
        verdict: Verdict,
        announcer: Announcer,
        add: Add,
        pace: Pace[Key],
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._owners = owners
        self._seats = seats
        self._verdict = verdict
        self._announcer = announcer
        self._add = add
        self._pace = pace
        self._clock = clock
        self._settings = settings.foreign
        standings = Standings(feed, jobs, verdict)
        self.reports = Reports(client, seats, standings.of, clock, self._report_again, announcer.makes_no_sense)
        ours = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
        self._external = informers.of(EXTERNAL_WORKLOADS, Whole, label_selector=ours)
        self._external.add_handler(self.reports.heard)
        seats.on_held.append(lambda key: add(Task.OWNER, key, self._settings.owner_seconds))
        seats.on_top.append(lambda top: self._report_again(self.reports.key(top)))
        owners.tables.on_wrong.append(announcer.wrong_table)
        owners.topology_objects.on_wrong.append(announcer.wrong_topology)
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {
            Task.OWNER: self._owner_overdue,
            Task.REPORT: self._write_report,
        }

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start what keeps all of it true, as tasks of the group; return when what can be read is there."""
        await self._owners.fill(group)
        group.create_task(self._external.run())
        await filled(self._external, self._settings.fill_seconds)

    def look_at_everything(self) -> None:
        """Have every report looked at."""
        for key in self.reports:
            self._add(Task.REPORT, key)

    def verdict_changed(self, pods: Sequence[Pod]) -> None:
        """The reason has changed, come or gone for which these pods wait, all those of one job."""
        tops = {top for pod in pods if (top := self._seats.top(pod)) is not None}
        for top in tops:
            self._report_again(self.reports.key(top))
        waiting = [pod for pod in pods if not pod.spec.node_name]
        wait = self._verdict(waiting[0].metadata.uid) if waiting else None
        if wait is None:
            return
        if len(tops) == 1 and len(pods) > 1:
            self._announcer.workload_waits(tops.pop(), wait)
        else:
            for pod in waiting:
                self._announcer.waits(pod, wait)

    def _report_again(self, key: Key) -> None:
        self._add(Task.REPORT, key, self._settings.report_settle_seconds)

    async def _owner_overdue(self, key: Key) -> None:
        self._seats.overdue(key)

    async def _write_report(self, key: Key) -> None:
        paced = Key(f"report/{key.namespace}", key.name)
        if self._pace.may_write(paced, self._clock.monotonic()):
            await self.reports.write(key)
        else:
            self._report_again(key)
