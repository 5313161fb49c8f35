"""The Events of the cluster, heard of by one watch that keeps none, and told as `happenings` says."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from aliquot.clock import Clock
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.resources import WORKLOADS
from aliquot.cluster.sync.happenings import Happenings
from aliquot.cluster.sync.kin import Kin
from aliquot.contracts.cluster_workloads import ReportedEvent
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kubernetes import Event
from aliquot.kube.informers import Informers
from aliquot.kube.resources import EVENTS

_SWEEP_SECONDS: Final = 2.0
_OWN_KINDS: Final = frozenset((*WORKLOADS, RunaiJob.__name__))


class Events:
    """See the module.

    Args:
        informers: makes the watch.
        mirror: knows the pods, and the namespaces of projects.
        kin: knows to which workload something belongs.
        clock: for the pace at which they are told.
        changed: called with the uid of an Event that is to be told, or need not be any more.
    """

    def __init__(
        self, informers: Informers, mirror: Mirror, kin: Kin, clock: Clock, changed: Callable[[str], None]
    ) -> None:
        self._informers = informers
        self._mirror = mirror
        self._kin = kin
        self._happenings = Happenings(kin.about, self._concerns, self._is_gone, changed, clock)
        self._anew = asyncio.Event()

    def begin(self) -> None:
        """Have all told once more that there are: the other side may have lost them."""
        self._happenings.begin()
        self._anew.set()

    def there(self) -> Iterable[str]:
        """The uids of those that may be told now."""
        return self._happenings.there()

    def look(self, uid: str) -> ReportedEvent | None:
        """One as it is reported; None: it is not to be told, or not yet."""
        return self._happenings.look(uid)

    def taken(self, uid: str) -> None:
        """Learn that the control plane has one."""
        self._happenings.taken(uid)

    async def run(self) -> None:
        """Follow them, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep())
            while True:
                self._anew.clear()
                watch = self._informers.passing(EVENTS, Event)
                watch.add_handler(self._heard)
                following = group.create_task(watch.run())
                await self._anew.wait()
                following.cancel()

    async def _sweep(self) -> NoReturn:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._happenings.sweep()

    def _heard(self, _: Event | None, event: Event | None) -> None:
        assert event is not None
        self._happenings.heard(event)

    def _concerns(self, namespace: str) -> bool:
        return self._kin.has_workloads(namespace) or self._mirror.project_of(namespace) is not None

    def _is_gone(self, event: Event) -> bool:
        """Whether an Event is about a pod, or a workload of ours, of which nobody here knows any more."""
        about = event.regarding
        if about.kind == "Pod":
            return self._mirror.pod(about.uid) is None
        return about.kind in _OWN_KINDS and not self._kin.knows(about.uid)
