"""A cache of one kind that is fed from several sides: watches, lists, and the answers to our own writes.

Whatever arrives in whatever order, the cache ends with the newest incarnation of each object:

    answer to our POST ─┐
    watch of a kind ────┼─▶ put(object) ─▶ newer than what we hold? ─▶ on_change(old, new)
    list (drift check) ─┘   drop(key, uid) ─▶ on_change(old, None); the uid never comes back

Resource versions of one resource are ordered numbers (Kubernetes ≥ 1.35 promises it, etcd always gave it), so an older
event cannot overwrite a newer answer. A deleted uid is remembered for a while: the answer to a POST may come after the
watch has told of both birth and death.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

ObjectT = TypeVar("ObjectT")

_REMEMBERED_DEAD: Final = 20_000


class Key(NamedTuple):
    """Where an object is. The namespace of cluster-wide objects is empty.

    Attributes:
        kind: of a workload or policy, as those of all kinds are in one cache; empty for all other objects.
    """

    namespace: str
    name: str
    kind: str = ""

    def __str__(self) -> str:
        """`namespace/name`, or the name alone; before it the kind of a workload or policy."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}" if self.kind else where


class Identity(NamedTuple):
    """What tells an object and its age apart from others."""

    key: Key
    uid: str
    resource_version: int


class Cache(Generic[ObjectT]):
    """The objects of one kind, newest first served.

    Args:
        identify: reads an object's identity.
        on_change: called after every change with the object before and after; None where there was or is none.
    """

    def __init__(
        self,
        identify: Callable[[ObjectT], Identity],
        on_change: Callable[[ObjectT | None, ObjectT | None], None],
    ) -> None:
        self._identify = identify
        self._on_change = on_change
        self._objects: dict[Key, tuple[Identity, ObjectT]] = {}
        self._dead: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[ObjectT]:
        return (held for _, held in self._objects.values())

    def get(self, key: Key) -> ObjectT | None:
        """The object there, or None."""
        found = self._objects.get(key)
        return found[1] if found else None

    def holds(self, identity: Identity) -> bool:
        """Whether the object is known in this version or a later one."""
        found = self._objects.get(identity.key)
        return (
            found is not None
            and found[0].uid == identity.uid
            and found[0].resource_version >= identity.resource_version
        )

    def identities(self) -> Iterable[Identity]:
        """Identities of all objects, as a snapshot."""
        return [identity for identity, _ in self._objects.values()]

    def put(self, new: ObjectT) -> bool:
        """Learn of an object. Returns whether it was news."""
        identity = self._identify(new)
        if identity.uid in self._dead:
            return False
        found = self._objects.get(identity.key)
        if found is None:
            self._objects[identity.key] = (identity, new)
            self._on_change(None, new)
            return True
        held, old = found
        if identity.resource_version <= held.resource_version:
            return False
        self._objects[identity.key] = (identity, new)
        if held.uid == identity.uid:
            self._on_change(old, new)
        else:
            self._bury(held.uid)
            self._on_change(old, None)
            self._on_change(None, new)
        return True

    def drop(self, key: Key, uid: str) -> bool:
        """Learn that an object is gone. Returns whether it was news."""
        self._bury(uid)
        found = self._objects.get(key)
        if found is None or found[0].uid != uid:
            return False
        del self._objects[key]
        self._on_change(found[1], None)
        return True

    def replace(self, listed: Iterable[ObjectT], listed_at: int, *, also_there: Iterable[str] = ()) -> tuple[int, int]:
        """Learn of a whole list made at resource version `listed_at`: what it lacks is gone, unless it came later.

        Args:
            listed: the objects of the list.
            listed_at: its resource version.
            also_there: uids of objects in it that could not be read; what is held of them stays.

        Returns:
            How many objects we had missed, and how many we held that were gone.
        """
        missed = 0
        seen: set[str] = set(also_there)
        for new in listed:
            seen.add(self._identify(new).uid)
            missed += self.put(new)
        gone = [
            identity
            for identity in self.identities()
            if identity.uid not in seen and identity.resource_version <= listed_at
        ]
        for identity in gone:
            self.drop(identity.key, identity.uid)
        return missed, len(gone)

    def _bury(self, uid: str) -> None:
        self._dead[uid] = None
        while len(self._dead) > _REMEMBERED_DEAD:
            self._dead.popitem(last=False)
