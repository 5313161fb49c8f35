"""What workloads have beside their pods: Services, Ingresses and PersistentVolumeClaims (cluster-api.md 1.5, 11).

    missing ─▶ POST ─▶ there already? read it        as it was made ─▶ nothing
                              └──▶ changed by hand ─▶ PUT           somebody else's, or going ─▶ told; looked at again

They are there before the first pod. Names are deterministic: an object whose POST was carried out although its answer
was lost, or whose maker was killed after it, is found to be the workload's own by its owner reference. What is owned
goes with the workload; nothing here deletes anything. All of ours are watched, so that a settled workload costs no
request, and what is changed or deleted by hand is put back at once.

A volume that waits for its first pod (`WaitForFirstConsumer`) is told by us where that pod is, as kube-scheduler would.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import msgspec

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.cluster.mirror.answered import Answered
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, owner_of
from aliquot.contracts.kubernetes import ObjectBeside, Pod
from aliquot.core.lifecycle import Wait
from aliquot.core.rendering import Context, Owner, Standing, holder_of, mended, objects_of, standing
from aliquot.core.submission import Valid
from aliquot.kube.client import ApiClient
from aliquot.kube.informer import Informer, filled
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.problems import AlreadyExists, Forbidden, Invalid, NotFound
from aliquot.kube.resources import INGRESSES, PERSISTENT_VOLUME_CLAIMS, SERVICES, Resource

Manifest = dict[str, object]
_Place = tuple[str, str, str]

_log = log.get(__name__)
_OBJECT = msgspec.json.Decoder(ObjectBeside)
_KINDS: Final = {resource.kind: resource for resource in (PERSISTENT_VOLUME_CLAIMS, SERVICES, INGRESSES)}
_FILL_SECONDS: Final = 20.0
"""The operator starts without what it may not read, or does not get in time."""
_SETTLE_SECONDS: Final = 0.5
"""Somebody who changes one of our objects by hand is not answered more often than that."""
_GOING_SECONDS: Final = 1.0
_TAKEN_SECONDS: Final = 5.0


class Beside:
    """Keeps what workloads have beside their pods.

    Args:
        client: writes.
        mirror: knows when pods get their nodes.
        clock: for watches.
        metrics: where events of watches are counted.
        silence_seconds: a watch that brings nothing for so long is opened anew.
        note: takes why what a workload needs, by its uid, cannot be made.
        look_again: takes the key of a workload, and in how many seconds it is to be looked at again.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        metrics: WatchMetrics,
        silence_seconds: float,
        note: Callable[[str, Wait | None], None],
        look_again: Callable[[Key, float], None],
    ) -> None:
        self._client = client
        self._note = note
        self._look_again = look_again
        self._informers = {
            kind: Informer(
                client,
                resource,
                ObjectBeside,
                clock,
                metrics,
                label_selector=f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}",
                silence_seconds=silence_seconds,
            )
            for kind, resource in _KINDS.items()
        }
        self._known = {kind: Answered(informer) for kind, informer in self._informers.items()}
        self._unmendable: dict[str, Manifest] = {}
        self._needed_by: dict[_Place, Key] = {}
        self._await_nodes: dict[str, Key] = {}
        for kind, informer in self._informers.items():
            informer.add_handler(partial(self._heard, kind))
        mirror.listeners.pod.append(self._pod_changed)

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watches, as tasks of the group; return when what can be read is known."""
        for informer in self._informers.values():
            group.create_task(informer.run())
        for informer in self._informers.values():
            await filled(informer, _FILL_SECONDS)

    async def ensure(self, workload: Key, spec: Valid, context: Context, node: str | None) -> bool:
        """Make what the workload needs beside its pods, and put back what was changed.

        Args:
            workload: where it is, as those know it who look at it again.
            spec: what the workload asks for.
            context: where it runs.
            node: of one of its pods; None: none has one yet.

        Returns:
            Whether all of it is there. If not, it is noted why, and the workload is looked at again.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        owner = context.owner
        for manifest in objects_of(spec, context):
            self._needed_by[str(manifest["kind"]), owner.namespace, _name(manifest)] = workload
            try:
                found, stands = await self._stand(manifest, owner)
                claim = manifest["kind"] == PERSISTENT_VOLUME_CLAIMS.kind
                if claim and stands is Standing.SOUND and not await self._tell_node(found, node):
                    self._await_nodes[owner.uid] = workload
            except (Forbidden, Invalid, NotFound) as problem:
                sentence = f"its {_called(manifest)} was refused: {problem.message}"
                self._note(owner.uid, Wait("CreateRefused", sentence))
                raise
            if stands is not Standing.SOUND:
                going = stands is Standing.GOING
                sentence = _trouble(manifest, found, owner, stands)
                self._note(owner.uid, Wait("BeingDeleted" if going else "NameTaken", sentence))
                self._look_again(workload, _GOING_SECONDS if going else _TAKEN_SECONDS)
                return False
        return True

    async def _stand(self, manifest: Manifest, owner: Owner) -> tuple[ObjectBeside, Standing]:
        """The object, made or mended if need be, and how it stands."""
        resource, known = _KINDS[str(manifest["kind"])], self._known[str(manifest["kind"])]
        name = _name(manifest)
        found = known.get(owner.namespace, name)
        if found is None:
            found = await self._make(resource, manifest, owner.namespace, name)
        stands = standing(manifest, found, owner)
        if stands is Standing.CHANGED and self._unmendable.get(found.metadata.uid) == manifest:
            stands = Standing.SOUND
        if stands is Standing.CHANGED:
            found, stands = await self._mend(resource, manifest, owner)
        if stands is Standing.SOUND:  # what is not might go without our hearing of it
            known.put(found)
        return found, stands

    async def _make(self, resource: Resource, manifest: Manifest, namespace: str, name: str) -> ObjectBeside:
        if resource is PERSISTENT_VOLUME_CLAIMS:
            # It may be anybody's, without our label, and is used all the same.
            try:
                return _OBJECT.decode((await self._client.get(resource, namespace, name)).body)
            except NotFound:
                pass
        try:
            answer = await self._client.create(
                resource, manifest, namespace=namespace, field_manager=names.BESIDE_MANAGER
            )
        except AlreadyExists:
            answer = await self._client.get(resource, namespace, name)
        return _OBJECT.decode(answer.body)

    async def _mend(self, resource: Resource, manifest: Manifest, owner: Owner) -> tuple[ObjectBeside, Standing]:
        """Put an object back that was changed by hand; what others insist on is left to them."""
        answer = await self._client.get(resource, owner.namespace, _name(manifest))
        found = _OBJECT.decode(answer.body)
        stands = standing(manifest, found, owner)
        if stands is not Standing.CHANGED:
            return found, stands
        _log.info("put back what was changed", kind=resource.kind, namespace=owner.namespace, name=_name(manifest))
        whole = mended(manifest, answer.json())
        answer = await self._client.replace(
            resource, owner.namespace, _name(manifest), whole, field_manager=names.BESIDE_MANAGER
        )
        found = _OBJECT.decode(answer.body)
        if standing(manifest, found, owner) is Standing.CHANGED:
            self._unmendable[found.metadata.uid] = manifest
        return found, Standing.SOUND

    async def _tell_node(self, claim: ObjectBeside, node: str | None) -> bool:
        """Tell a claim without a volume where its first pod is; False: it has to wait until there is one."""
        metadata = claim.metadata
        if claim.spec.get("volumeName") or names.SELECTED_NODE_ANNOTATION in metadata.annotations:
            return True
        if node is None:
            return False
        body = {"metadata": {"uid": metadata.uid, "annotations": {names.SELECTED_NODE_ANNOTATION: node}}}
        answer = await self._client.merge_patch(
            PERSISTENT_VOLUME_CLAIMS, metadata.namespace, metadata.name, body, field_manager=names.BESIDE_MANAGER
        )
        self._known[PERSISTENT_VOLUME_CLAIMS.kind].put(_OBJECT.decode(answer.body))
        return True

    def _pod_changed(self, _: Pod | None, new: Pod | None) -> None:
        owner = owner_of(new) if self._await_nodes and new is not None and new.spec.node_name else None
        workload = self._await_nodes.pop(owner.uid, None) if owner is not None else None
        if workload is not None:
            self._look_again(workload, 0)

    def _heard(self, kind: str, old: ObjectBeside | None, new: ObjectBeside | None) -> None:
        """What was there has changed or is gone: whoever needs it is looked at."""
        if old is None or (new is not None and _made_of(old) == _made_of(new)):
            return
        place = (kind, old.metadata.namespace, old.metadata.name)
        workload = self._needed_by.get(place)
        if new is None:
            self._unmendable.pop(old.metadata.uid, None)
            self._needed_by.pop(place, None)
        if workload is not None:
            self._look_again(workload, _SETTLE_SECONDS)


def _made_of(found: ObjectBeside) -> tuple[object, ...]:
    metadata = found.metadata
    return found.spec, metadata.labels, metadata.owner_references, metadata.deletion_timestamp


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
    return f"{manifest['kind']} {_name(manifest)}"


def _name(manifest: Manifest) -> str:
    return str(cast("dict[str, object]", manifest["metadata"])["name"])
