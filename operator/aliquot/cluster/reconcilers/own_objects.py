"""Objects of ours of the kinds that workloads own: an informer for each kind, and the answers to our own writes.

always there     PersistentVolumeClaims, Services, Ingresses, Deployments, HorizontalPodAutoscalers
when needed      Knative Services, MPIJobs: followed from when a workload needs one
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn

import msgspec

from aliquot import names
from aliquot.cluster.mirror.answered import Answered
from aliquot.contracts.kubernetes import CarrierObject, ObjectBeside, OwnerReference
from aliquot.core.rendering import Owner, holder_of
from aliquot.kube.discovery import KindName
from aliquot.kube.informer import Informer, filled
from aliquot.kube.informers import Informers
from aliquot.kube.resources import (
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    INGRESSES,
    PERSISTENT_VOLUME_CLAIMS,
    SERVICES,
    Resource,
)

_ALWAYS: Final[Mapping[Resource, type[ObjectBeside]]] = {
    PERSISTENT_VOLUME_CLAIMS: ObjectBeside,
    SERVICES: ObjectBeside,
    INGRESSES: ObjectBeside,
    DEPLOYMENTS: CarrierObject,
    HORIZONTAL_POD_AUTOSCALERS: CarrierObject,
}
"""The kinds that every cluster has, and how their objects are read."""
_FILL_SECONDS: Final = 20.0
"""The operator starts without what it may not read, or does not get in time."""

Heard = Callable[[KindName, ObjectBeside | None, ObjectBeside | None], None]
"""Told of every change of an object, with it before and after."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A kind whose objects are followed.

    Attributes:
        resource: where its objects are.
        informer: brings them.
        known: what it brought, and the answers to our writes.
        read: reads such an answer.
    """

    resource: Resource
    informer: Informer[ObjectBeside]
    known: Answered[ObjectBeside]
    read: Callable[[bytes], ObjectBeside]


class OwnObjects:
    """Knows our objects.

    Args:
        informers: makes the informers.
        heard: told of changes.
    """

    def __init__(self, informers: Informers, heard: Heard) -> None:
        self._informers = informers
        self._heard = heard
        self._followed: dict[KindName, Followed] = {}
        self._running: dict[KindName, asyncio.Task[NoReturn]] = {}
        self._group: asyncio.TaskGroup | None = None
        for resource, projection in _ALWAYS.items():
            self._add(resource, projection)

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watches, as tasks of the group; return when what can be read is known."""
        self._group = group
        for kind in self._followed:
            self._run(kind, group)
        for followed in list(self._followed.values()):
            await filled(followed.informer, _FILL_SECONDS)

    async def follow(self, resource: Resource) -> None:
        """Follow a kind whose objects carry workloads out; return when those that can be read are known."""
        assert self._group is not None, "kinds are followed while the others are"
        kind = (resource.group, resource.kind)
        known = self._followed.get(kind)
        if known is None or known.resource != resource:
            if (before := self._running.pop(kind, None)) is not None:
                before.cancel()
            self._add(resource, CarrierObject)
            self._run(kind, self._group)
        await filled(self._followed[kind].informer, _FILL_SECONDS)

    def _add(self, resource: Resource, projection: type[ObjectBeside]) -> None:
        kind = (resource.group, resource.kind)
        ours = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
        informer = self._informers.of(resource, projection, label_selector=ours)
        read = msgspec.json.Decoder(projection).decode
        followed = self._followed[kind] = Followed(resource, informer, Answered(informer), read)
        informer.add_handler(partial(self._heard, kind))
        informer.not_served.append(partial(self._kind_is_gone, followed))

    def _kind_is_gone(self, followed: Followed) -> None:
        """Objects that were made while their kind went, and that nobody tells of, are gone, too."""
        for gone in followed.known.forget():
            self._heard((followed.resource.group, followed.resource.kind), gone, None)

    def _run(self, kind: KindName, group: asyncio.TaskGroup) -> None:
        self._running[kind] = group.create_task(self._followed[kind].informer.run())

    def of(self, kind: KindName) -> Followed:
        """A kind that is followed."""
        return self._followed[kind]

    def find(self, resource: Resource, name: str, owner: Owner) -> ObjectBeside | None:
        """The owner's object of that kind and name, as far as it is known; None: there is none."""
        followed = self._followed.get((resource.group, resource.kind))
        found = None if followed is None else followed.known.get(owner.namespace, name)
        holder = None if found is None else holder_of(found)
        return found if holder is not None and holder.uid == owner.uid else None

    def holder(self, kind: KindName, namespace: str, name: str, uid: str) -> OwnerReference | None:
        """With whom one of our objects goes, as far as it is known; None: with nobody, or it is none of ours."""
        followed = self._followed.get(kind)
        found = None if followed is None else followed.known.get(namespace, name)
        return None if found is None or found.metadata.uid != uid else holder_of(found)
