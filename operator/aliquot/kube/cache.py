"""The objects of one kind as last heard of, and what changes when a list or a watch says something new.

Replace semantics: a list is the whole truth. What it does not have is gone, and an object whose name now belongs to
another uid was deleted and created. Each change is a pair (old, new) with None for "not there"; for every name the
`old` of a change is exactly the `new` of the change before, so whoever adds up changes ends with the cache's contents.

An object that no longer fits its projection keeps its last good version here, as long as its uid is the same:
forgetting a pod that we cannot read would give its GPUs away. It is named in `undecodable` until it fits again or goes.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from aliquot.kube.decoding import HasIdentity, HasMetadata, Undecodable

T = TypeVar("T", bound=HasMetadata)
Key = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""


class ObjectCache(Generic[T]):
    """Objects by namespace and name; see the module for what changes mean.

    The methods that change it are iterators: each change is carried out just before it is yielded, so they must be
    run to their end.
    """

    def __init__(self) -> None:
        self.objects: dict[Key, T] = {}
        self.undecodable: dict[Key, Undecodable] = {}

    def put(self, new: T) -> Iterator[tuple[T | None, T | None]]:
        """An object is there, in this version."""
        metadata = new.metadata
        key = (metadata.namespace, metadata.name)
        self.undecodable.pop(key, None)
        old = self.objects.get(key)
        if old is not None and old.metadata.uid != metadata.uid:
            yield from self._forget(key)
            old = None
        if old is not None and old.metadata.resource_version == metadata.resource_version:
            return
        self.objects[key] = new
        yield old, new

    def put_undecodable(self, found: Undecodable) -> Iterator[tuple[T | None, T | None]]:
        """An object is there, but does not fit the projection."""
        key = (found.identity.namespace, found.identity.name)
        self.undecodable[key] = found
        old = self.objects.get(key)
        if old is not None and old.metadata.uid != found.identity.uid:
            yield from self._forget(key)

    def remove(self, gone: HasIdentity) -> Iterator[tuple[T | None, T | None]]:
        """An object is not there any more; ignored when its name belongs to another uid by now."""
        key = (gone.namespace, gone.name)
        unfit = self.undecodable.get(key)
        if unfit is not None and unfit.identity.uid == gone.uid:
            del self.undecodable[key]
        old = self.objects.get(key)
        if old is not None and old.metadata.uid == gone.uid:
            yield from self._forget(key)

    def replace(self, items: Iterable[T], undecodable: Iterable[Undecodable]) -> Iterator[tuple[T | None, T | None]]:
        """These objects are there and no others; what is gone is reported first."""
        present = {(item.metadata.namespace, item.metadata.name): item for item in items}
        unfit = {(found.identity.namespace, found.identity.name): found for found in undecodable}
        for key in [key for key in self.undecodable if key not in unfit]:
            del self.undecodable[key]
        for key in [key for key in self.objects if key not in present and key not in unfit]:
            yield from self._forget(key)
        for found in unfit.values():
            yield from self.put_undecodable(found)
        for item in present.values():
            yield from self.put(item)

    def _forget(self, key: Key) -> Iterator[tuple[T | None, T | None]]:
        yield self.objects.pop(key), None
