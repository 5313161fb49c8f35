"""Pods whose workload is gone, and that hold GPUs all the same.

Kubernetes' garbage collector takes them away, mostly within a second. It may take minutes where it does not watch the
kind (yet, or any more): after the definitions were installed, or deleted. So they are looked at when it has had its
time. While the kind is not served at all nothing is deleted: pods run on until somebody can say that theirs is gone.
"""

import msgspec

from aliquot import log
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, owner_of
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.resources import WORKLOADS
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound
from aliquot.kube.resources import PODS

_log = log.get(__name__)
_NO_SUCH_OBJECT = "NotFound"
"""What the API server says of an object; of a path that it does not serve it says nothing but 404."""
_WHOLE = msgspec.json.Decoder(Whole)


class LeftBehind:
    """Deletes pods that the API server says belong to nobody any more.

    Args:
        client: asks, and deletes.
        mirror: what we know.
    """

    def __init__(self, client: ApiClient, mirror: Mirror) -> None:
        self._client = client
        self._mirror = mirror

    async def clear(self, key: Key) -> None:
        """Delete the pod if its workload is gone.

        Raises:
            ApiProblem: it could not be asked or done; call again.
        """
        pod = self._mirror.pods.get(key)
        if pod is None or pod.metadata.deletion_timestamp is not None or self._mirror.has_its_workload(pod):
            return
        owner = owner_of(pod)
        assert owner is not None, "a pod without an owner has none that is gone"
        try:
            answer = await self._client.get(WORKLOADS[owner.kind], key.namespace, owner.name)
            if _WHOLE.decode(answer.body).metadata.uid == owner.uid:
                return
        except NotFound as problem:
            if problem.reason != _NO_SUCH_OBJECT:
                raise
        _log.warning("a pod was left behind by its workload", pod=str(key), workload=f"{owner.kind} {owner.name}")
        try:
            await self._client.delete(PODS, key.namespace, key.name, uid=pod.metadata.uid)
        except NotFound:
            self._mirror.pods.drop(key, pod.metadata.uid)
