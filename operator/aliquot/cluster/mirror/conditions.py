"""Conditions of pods that we write beside those of others, one field manager for each purpose."""

from collections.abc import Sequence

import msgspec

from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Condition, Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.resources import PODS

_POD = msgspec.json.Decoder(Pod)


async def write_conditions(
    client: ApiClient,
    mirror: Mirror,
    pod: Pod,
    conditions: Sequence[Condition],
    manager: str,
    *,
    unless_changed: bool = False,
) -> Pod:
    """Write all conditions of a manager's on a pod, in place of those that it wrote before.

    Args:
        client: writes.
        mirror: learns of the answer.
        pod: as it was looked at.
        conditions: all that there are to be of the manager's.
        manager: the field manager.
        unless_changed: whether the pod has to be as it was looked at.

    Returns:
        The pod as it is then.

    Raises:
        ApiProblem: they could not be written.
    """
    metadata = pod.metadata
    named = {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}
    if unless_changed:
        named["resourceVersion"] = metadata.resource_version
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": named, "status": {"conditions": conditions}}
    answer = await client.apply(
        PODS, metadata.namespace, metadata.name, manifest, field_manager=manager, subresource="status"
    )
    written = _POD.decode(answer.body)
    mirror.pods.put(written)
    return written
