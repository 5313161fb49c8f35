"""Objects that workloads own, kept as they should be: what they have beside their pods, and what carries them out.

    missing ─▶ POST ─▶ there already? read it        as it was made ─▶ nothing
                              └──▶ changed by hand ─▶ PUT           somebody else's, or going ─▶ told; looked at again

Names are deterministic: an object whose POST was carried out although its answer was lost, or whose maker was killed
after it, is found to be the workload's own by its owner reference. What is owned goes with the workload. All of ours
are watched, so that a settled workload costs no request, and what is changed or deleted by hand is put back at once.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, cast

from aliquot import log, names
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.reconcilers.object_writes import delete_whole
from aliquot.cluster.reconcilers.own_objects import Followed, OwnObjects
from aliquot.contracts.kubernetes import CarrierObject, ObjectBeside
from aliquot.core.lifecycle import Wait
from aliquot.core.rendering import Owner, Standing, as_taken, holder_of, mended, standing
from aliquot.kube.client import ApiClient
from aliquot.kube.discovery import KindName
from aliquot.kube.informers import Informers
from aliquot.kube.problems import AlreadyExists, Forbidden, Invalid, NotFound
from aliquot.kube.resources import PERSISTENT_VOLUME_CLAIMS, Resource

Manifest = dict[str, object]
_Place = tuple[KindName, str, str]

_log = log.get(__name__)
_SETTLE_SECONDS: Final = 0.5
"""Somebody who changes one of our objects by hand is not answered more often than that."""
_GOING_SECONDS: Final = 1.0
_TAKEN_SECONDS: Final = 5.0


class Upkeep:
    """Keeps objects that workloads own.

    Args:
        client: writes.
        informers: makes the informers of its kinds.
        note: takes why what a workload needs, by its uid, cannot be made.
        look_again: takes the key of a workload, and in how many seconds it is to be looked at again.

    Attributes:
        objects: those that are known.
        note: takes why what a workload needs, by its uid, cannot be made.
    """

    def __init__(
        self,
        client: ApiClient,
        informers: Informers,
        note: Callable[[str, Wait | None], None],
        look_again: Callable[[Key, float], None],
    ) -> None:
        self._client = client
        self.note = note
        self._look_again = look_again
        self._taken: dict[str, tuple[Manifest, Manifest]] = {}
        self._needed_by: dict[_Place, Key] = {}
        self.objects = OwnObjects(informers, self._heard)

    async def keep(self, workload: Key, manifest: Manifest, owner: Owner) -> ObjectBeside | None:
        """Make an object, or put back what was changed of it.

        Args:
            workload: where its owner is, as those know it who look at it again.
            manifest: the object as it should be, of a kind that is followed.
            owner: the workload.

        Returns:
            The object; None: it is not there as it should be. Then it is noted why, and the workload looked at again.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        kind = _kind(manifest)
        self._needed_by[kind, owner.namespace, name_of(manifest)] = workload
        with self.told(manifest, owner):
            found, stands = await self._stand(self.objects.of(kind), manifest, owner)
        if stands is Standing.SOUND:
            return found
        going = stands is Standing.GOING
        sentence = _trouble(manifest, found, owner, stands)
        self.note(owner.uid, Wait("BeingDeleted" if going else "NameTaken", sentence))
        self._look_again(workload, _GOING_SECONDS if going else _TAKEN_SECONDS)
        return None

    @contextmanager
    def told(self, manifest: Manifest, owner: Owner) -> Generator[None]:
        """Have refusals noted for the owner that the object meets."""
        try:
            yield
        except (Forbidden, Invalid, NotFound) as problem:
            sentence = f"its {_called(manifest)} was refused: {problem.message}"
            self.note(owner.uid, Wait("CreateRefused", sentence))
            raise

    def learn(self, resource: Resource, answer: bytes) -> None:
        """Learn of an object from the answer to somebody else's request."""
        followed = self.objects.of((resource.group, resource.kind))
        followed.known.put(followed.read(answer))

    async def remove(self, resource: Resource, name: str, owner: Owner) -> None:
        """Delete the owner's object of that kind and name, and what it owns, if it is there.

        Raises:
            ApiProblem: it could not be deleted; call again.
        """
        found = self.objects.find(resource, name, owner)
        if found is None or found.metadata.deletion_timestamp is not None:
            return
        await delete_whole(self._client, resource, owner.namespace, name, found.metadata.uid)

    async def _stand(self, followed: Followed, manifest: Manifest, owner: Owner) -> tuple[ObjectBeside, Standing]:
        """The object, made or mended if need be, and how it stands."""
        found = followed.known.get(owner.namespace, name_of(manifest))
        if found is None:
            found = await self._make(followed, manifest, owner)
        stands = self._standing(manifest, found, owner)
        if stands is Standing.CHANGED:
            found, stands = await self._mend(followed, manifest, owner)
        if stands is Standing.SOUND:  # what is not might go without our hearing of it
            followed.known.put(found)
        return found, stands

    def _standing(self, manifest: Manifest, found: ObjectBeside, owner: Owner) -> Standing:
        known = self._taken.get(found.metadata.uid)
        return standing(known[1] if known is not None and known[0] == manifest else manifest, found, owner)

    async def _make(self, followed: Followed, manifest: Manifest, owner: Owner) -> ObjectBeside:
        resource, name = followed.resource, name_of(manifest)
        if resource is PERSISTENT_VOLUME_CLAIMS:
            # It may be anybody's, without our label, and is used all the same.
            try:
                return followed.read((await self._client.get(resource, owner.namespace, name)).body)
            except NotFound:
                pass
        try:
            answer = await self._client.create(
                resource, manifest, namespace=owner.namespace, field_manager=names.BESIDE_MANAGER
            )
        except AlreadyExists:
            answer = await self._client.get(resource, owner.namespace, name)
            return followed.read(answer.body)
        return self._has_taken(manifest, followed.read(answer.body), owner)

    async def _mend(self, followed: Followed, manifest: Manifest, owner: Owner) -> tuple[ObjectBeside, Standing]:
        """Put an object back that was changed by hand; what others insist on is left to them."""
        resource, name = followed.resource, name_of(manifest)
        answer = await self._client.get(resource, owner.namespace, name)
        found = followed.read(answer.body)
        stands = self._standing(manifest, found, owner)
        if stands is not Standing.CHANGED:
            return found, stands
        _log.info("put back what was changed", kind=resource.kind, namespace=owner.namespace, name=name)
        whole = mended(manifest, answer.json())
        answer = await self._client.replace(resource, owner.namespace, name, whole, field_manager=names.BESIDE_MANAGER)
        return self._has_taken(manifest, followed.read(answer.body), owner), Standing.SOUND

    def _has_taken(self, manifest: Manifest, found: ObjectBeside, owner: Owner) -> ObjectBeside:
        """The API server has just been given the manifest: what it made of it is as it should be from now on."""
        self._taken.pop(found.metadata.uid, None)
        if standing(manifest, found, owner) is Standing.CHANGED:
            self._taken[found.metadata.uid] = (manifest, as_taken(manifest, found))
        return found

    def _heard(self, kind: KindName, old: ObjectBeside | None, new: ObjectBeside | None) -> None:
        """What was there has changed or is gone: whoever needs it is looked at."""
        if old is None or (new is not None and _made_of(old) == _made_of(new)):
            return
        place = (kind, old.metadata.namespace, old.metadata.name)
        workload = self._needed_by.get(place)
        if new is None:
            self._taken.pop(old.metadata.uid, None)
            self._needed_by.pop(place, None)
        if workload is not None:
            self._look_again(workload, _SETTLE_SECONDS)


def name_of(manifest: Manifest) -> str:
    """The name of an object."""
    return str(cast("dict[str, object]", manifest["metadata"])["name"])


def _kind(manifest: Manifest) -> KindName:
    group, slash, _ = str(manifest["apiVersion"]).partition("/")
    return (group if slash else "", str(manifest["kind"]))


def _made_of(found: ObjectBeside) -> tuple[object, ...]:
    metadata = found.metadata
    told = found.status if isinstance(found, CarrierObject) else None
    marks = metadata.labels, metadata.annotations
    return found.spec, marks, metadata.owner_references, metadata.deletion_timestamp, told


def _trouble(manifest: Manifest, found: ObjectBeside, owner: Owner, stands: Standing) -> str:
    called, holder = _called(manifest), holder_of(found)
    if stands is Standing.GOING:
        return f"the {called} is being deleted: it is made anew when it is gone"
    if holder is None:
        whose = "is not the workload's"
    elif (holder.kind, holder.name) == (owner.kind, owner.name):
        return f"the {called} belongs to an earlier workload of the same name: it is made anew when it is gone"
    else:
        whose = f"belongs to {holder.kind} {holder.name}"
    return f"a {called} exists already and {whose}: delete it, or choose another name"


def _called(manifest: Manifest) -> str:
    return f"{manifest['kind']} {name_of(manifest)}"
