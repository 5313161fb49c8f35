"""To which workload something belongs that an Event is about: itself, a pod, what is between them, or beside them.

    Pod ─▶ workload        ReplicaSet ─▶ Deployment        PersistentVolumeClaim ─▶ InteractiveWorkload

What belonged to a workload and is gone is remembered for a while: kubelets speak of pods after their end. Only what is
in a workload's own namespace belongs to it: whoever may make Events elsewhere can write any uid into them.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Final, Protocol

from aliquot.contracts.kubernetes import Event, OwnerReference, Regarded
from aliquot.core.intake.group_table import OwnerKey, OwnerObject, group_of
from aliquot.core.intake.group_table.owners import MOST_OWNERS
from aliquot.kube.discovery import KindName

_MOST_GONE: Final = 20_000
"""The oldest are forgotten first."""


class KnownOwners(Protocol):
    """What is asked of `foreign.owners.Owners`."""

    def find(self, key: OwnerKey) -> OwnerObject | None:
        """See there."""
        ...


class KnownObjects(Protocol):
    """What is asked of `reconcilers.own_objects.OwnObjects`."""

    def holder(self, kind: KindName, namespace: str, name: str, uid: str) -> OwnerReference | None:
        """See there."""
        ...


class Kin:
    """See the module.

    Args:
        owners: objects that own pods.
        objects: what workloads of our own have beside their pods, and what carries them out.

    Attributes:
        pods: uids of workloads, by those of the pods that say that they belong to them.
    """

    def __init__(self, owners: KnownOwners, objects: KnownObjects) -> None:
        self.pods: dict[str, str] = {}
        self._owners = owners
        self._objects = objects
        self._workloads: dict[str, str] = {}
        self._in = Counter[str]()
        self._gone: OrderedDict[str, tuple[str, str]] = OrderedDict()

    # What there is

    def workload_is_in(self, uid: str, namespace: str) -> None:
        """Learn of a workload."""
        if uid not in self._workloads:
            self._workloads[uid] = namespace
            self._in[namespace] += 1

    def workload_is_gone(self, uid: str) -> None:
        """Learn that a workload is gone."""
        namespace = self._workloads.pop(uid, None)
        if namespace is not None:
            self._in[namespace] -= 1
            if not self._in[namespace]:
                del self._in[namespace]
            self._remember(uid, uid, namespace)

    def pod_is_gone(self, uid: str, workload: str, namespace: str) -> None:
        """Learn that a pod of a workload is gone."""
        if self._namespace_of(workload) == namespace:
            self._remember(uid, workload, namespace)

    def has_workloads(self, namespace: str) -> bool:
        """Whether there are workloads in a namespace."""
        return namespace in self._in

    def knows(self, uid: str) -> bool:
        """Whether a workload is there."""
        return uid in self._workloads

    # To what something belongs

    def about(self, event: Event) -> str | None:
        """Uid of the workload that an Event is about, or to which belongs what it is about; None: it is not known."""
        for uid in self._above(event.regarding):
            workload = uid if uid in self._workloads else self.pods.get(uid) or self._gone.get(uid, ("", ""))[0]
            if workload and self._namespace_of(workload) == event.metadata.namespace:
                return workload
        return None

    def _above(self, about: Regarded) -> Iterator[str]:
        """The uid of an object, then those of its owners, the nearest first."""
        at = OwnerReference(api_version=about.api_version, kind=about.kind, name=about.name, uid=about.uid)
        for _ in range(MOST_OWNERS):
            yield at.uid
            owner = self._owner(at, about.namespace)
            if owner is None:
                return
            at = owner

    def _owner(self, at: OwnerReference, namespace: str) -> OwnerReference | None:
        kind = (group_of(at), at.kind)
        found = self._owners.find(OwnerKey(*kind, namespace, at.name))
        if found is not None and found.uid == at.uid:
            return found.owner
        return self._objects.holder(kind, namespace, at.name, at.uid)

    def _namespace_of(self, workload: str) -> str | None:
        return self._workloads.get(workload) or self._gone.get(workload, (None, None))[1]

    def _remember(self, uid: str, workload: str, namespace: str) -> None:
        self._gone[uid] = (workload, namespace)
        self._gone.move_to_end(uid)
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)
