"""Where waiting pods have been promised room, written on them: `status.nominatedNodeName`.

    a round promises room ──▶ promised ──▶ (some time) ──▶ write: only if the pod still waits for it
    a term begins ──▶ take_up: what an earlier one has written is promised anew

Others have been stopped for that room. Once they are gone, nothing but this field says whose it is; until then they say
so themselves (`evict`). `kubectl get pods -o wide` shows it. Promises that are kept within moments are never written.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from aliquot import names
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import is_ours
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, NotFound
from aliquot.kube.resources import PODS

_POD = msgspec.json.Decoder(Pod)
_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Nominator:
    """Keeps the field true.

    Args:
        client: writes.
        mirror: knows the pods.
    """

    def __init__(self, client: ApiClient, mirror: Mirror) -> None:
        self._client = client
        self._mirror = mirror
        self._promised = _NOBODY

    def take_up(self) -> Mapping[str, str]:
        """The nodes that an earlier term has promised to pods that still wait, by uid."""
        waiting = (pod for pod in self._mirror.pods if _waits(pod) and is_ours(pod))
        self._promised = {
            pod.metadata.uid: pod.status.nominated_node_name for pod in waiting if pod.status.nominated_node_name
        }
        return self._promised

    def promised(self, nodes: Mapping[str, str]) -> list[Key]:
        """Learn what a round has promised: nodes by the uids of pods. Returns the pods of which it is news."""
        before, self._promised = self._promised, nodes
        news = [uid for uid in {**before, **nodes} if before.get(uid) != nodes.get(uid)]
        return [key_of(pod) for uid in news if (pod := self._mirror.pod(uid)) is not None]

    async def write(self, key: Key) -> None:
        """Write the field if it differs.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        pod = self._mirror.pods.get(key)
        if pod is None or not _waits(pod):
            return
        node = self._promised.get(pod.metadata.uid, "")
        if node == pod.status.nominated_node_name:
            return
        body = {"metadata": {"uid": pod.metadata.uid}, "status": {"nominatedNodeName": node or None}}
        try:
            answer = await self._client.merge_patch(
                PODS, key.namespace, key.name, body, subresource="status", field_manager=names.SCHEDULER_MANAGER
            )
        except (NotFound, Conflict):  # gone, or another pod of that name: the watch will tell
            return
        self._mirror.pods.put(_POD.decode(answer.body))


def _waits(pod: Pod) -> bool:
    over = pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed")
    return not (pod.spec.node_name or over)
