"""Owners of pods that a test tells of, in the place of those that informers bring."""

from dataclasses import dataclass, field
from typing import Final

from aliquot.cluster.foreign.owners import OwnerListeners
from aliquot.contracts.kubernetes import Metadata, OwnerReference
from aliquot.core.intake import Topologies
from aliquot.core.intake.group_table import OwnerKey, OwnerObject, Table, builtin_table, owner_object

NAMESPACE: Final = "team"


@dataclass
class Known:
    """Owners that a test tells of."""

    table: Table = field(default_factory=builtin_table)
    classes: dict[str, int] = field(default_factory=lambda: {"train": 50, "inference": 125})
    listeners: OwnerListeners = field(default_factory=OwnerListeners)
    objects: dict[OwnerKey, OwnerObject] = field(default_factory=dict[OwnerKey, OwnerObject])
    objects_of_topologies: Topologies = field(default_factory=dict[str, tuple[str, ...]])
    hears_of_topologies: bool = True
    unreadable: set[str] = field(default_factory=set[str])
    looked: int = 0

    @property
    def topologies(self) -> Topologies:
        """Those that the table names, and objects."""
        return {**self.table.topologies, **self.objects_of_topologies}

    def find(self, key: OwnerKey) -> OwnerObject | None:
        """The object there."""
        return self.objects.get(key)

    def readable(self, group: str, kind: str) -> bool:
        """Whether it may be read."""
        return kind not in self.unreadable

    def follows(self, group: str, kind: str) -> bool:
        """Whether objects of the kind are heard of."""
        return any(key.kind == kind for key in self.objects)

    def look_for_kinds(self) -> None:
        """Count who asks."""
        self.looked += 1

    def put(self, group: str, kind: str, name: str, *, uid: str = "", owner: str = "", **body: object) -> None:
        entry = self.table.get(group, kind)
        assert entry is not None
        metadata = Metadata(
            name=name,
            namespace=NAMESPACE,
            uid=uid or f"{kind}/{name}",
            creation_timestamp="2026-01-01T00:00:00Z",
            owner_references=(reference(owner),) if owner else (),
        )
        found = owner_object(entry, f"{group}/v1", metadata, body)
        before = self.objects.get(found.key)
        self.objects[found.key] = found
        for listener in self.listeners.owner:
            listener(before, found)

    def drop(self, group: str, kind: str, name: str) -> None:
        gone = self.objects.pop(OwnerKey(group, kind, NAMESPACE, name))
        for listener in self.listeners.owner:
            listener(gone, None)


def reference(owner: str) -> OwnerReference:
    kind = owner.partition("/")[0]
    group = {"ReplicaSet": "apps/", "Deployment": "apps/", "StatefulSet": "apps/", "PyTorchJob": "kubeflow.org/"}
    version = "v1" if kind == "Pod" else group.get(kind, "example.com/") + "v1"
    name = owner.partition("/")[2]
    uid = name if kind == "Pod" else owner
    return OwnerReference(api_version=version, kind=kind, name=name, uid=uid, controller=True)
