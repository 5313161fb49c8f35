"""What workloads have beside their pods: Services, Ingresses and PersistentVolumeClaims (cluster-api.md 1.5, 11).

They are there before the first pod, and are kept as `upkeep` says; nothing here deletes anything. A volume that waits
for its first pod (`WaitForFirstConsumer`) is told by us where that pod is, as kube-scheduler would.
"""

from collections.abc import Callable

from aliquot import names
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, belonging_of
from aliquot.cluster.reconcilers.upkeep import Upkeep
from aliquot.contracts.kubernetes import ObjectBeside, Pod
from aliquot.core.rendering import Context, objects_of
from aliquot.core.submission import Valid
from aliquot.kube.client import ApiClient
from aliquot.kube.resources import PERSISTENT_VOLUME_CLAIMS


class Beside:
    """Keeps what workloads have beside their pods.

    Args:
        client: writes.
        mirror: knows when pods get their nodes.
        upkeep: keeps the objects.
        look_again: takes the key of a workload, and in how many seconds it is to be looked at again.
    """

    def __init__(
        self, client: ApiClient, mirror: Mirror, upkeep: Upkeep, look_again: Callable[[Key, float], None]
    ) -> None:
        self._client = client
        self._upkeep = upkeep
        self._look_again = look_again
        self._await_nodes: dict[str, Key] = {}
        mirror.listeners.pod.append(self._pod_changed)

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
            found = await self._upkeep.keep(workload, manifest, owner)
            if found is None:
                return False
            if manifest["kind"] == PERSISTENT_VOLUME_CLAIMS.kind:
                with self._upkeep.told(manifest, owner):
                    if not await self._tell_node(found, node):
                        self._await_nodes[owner.uid] = workload
        return True

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
        self._upkeep.learn(PERSISTENT_VOLUME_CLAIMS, answer.body)
        return True

    def _pod_changed(self, _: Pod | None, new: Pod | None) -> None:
        whose = belonging_of(new) if self._await_nodes and new is not None and new.spec.node_name else None
        workload = self._await_nodes.pop(whose.uid, None) if whose is not None else None
        if workload is not None:
            self._look_again(workload, 0)
