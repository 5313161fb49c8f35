"""What is made and deleted for whoever has pods of their own: the answers go straight into the mirror."""

from collections.abc import Mapping

import msgspec

from aliquot import log, names
from aliquot.cluster.granting.bind import read_again
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, NotFound
from aliquot.kube.resources import PODS, Resource

_log = log.get(__name__)
_POD = msgspec.json.Decoder(Pod)


async def create_pod(client: ApiClient, mirror: Mirror, namespace: str, manifest: Mapping[str, object]) -> None:
    """Make a pod.

    Raises:
        AlreadyExists: there is one of that name; `read_pod` says which.
        ApiProblem: see `aliquot.kube.problems`.
    """
    answer = await client.create(PODS, manifest, namespace=namespace, field_manager=names.PODS_MANAGER)
    mirror.pods.put(_POD.decode(answer.body))


async def read_pod(client: ApiClient, namespace: str, name: str) -> Pod | None:
    """Ask the API server for a pod, whoever made it; None: there is none.

    Raises:
        ApiProblem: see `aliquot.kube.problems`.
    """
    try:
        return _POD.decode((await client.get(PODS, namespace, name)).body)
    except NotFound:
        return None


async def delete_pod(client: ApiClient, mirror: Mirror, key: Key) -> None:
    """Delete a pod, if it is still as it was looked at: it may have succeeded meanwhile.

    Raises:
        Conflict: it has changed; look at it again.
        ApiProblem: see `aliquot.kube.problems`.
    """
    pod = mirror.pods.get(key)
    if pod is None:
        return
    uid, version = pod.metadata.uid, pod.metadata.resource_version
    try:
        answer = await client.delete(PODS, key.namespace, key.name, uid=uid, resource_version=version)
    except NotFound:
        mirror.pods.drop(key, uid)
        return
    except Conflict:
        if await read_again(client, mirror, pod) is not None:
            raise
        return
    going = _POD.decode(answer.body)
    if going.metadata.uid == uid and going.metadata.deletion_timestamp is not None:
        mirror.pods.put(going)


async def delete_whole(client: ApiClient, resource: Resource, namespace: str, name: str, uid: str) -> None:
    """Delete an object, and in the background what it owns; that it is gone already is fine.

    Raises:
        ApiProblem: see `aliquot.kube.problems`.
    """
    try:
        await client.delete(resource, namespace, name, uid=uid, propagation="Background")
    except NotFound:
        _log.debug("gone before it was deleted", kind=resource.kind, namespace=namespace, name=name)
