"""What workloads have beside their pods: Services, Ingresses and PersistentVolumeClaims (cluster-api.md 1.5, 11).

They are there before the first pod, and are kept as `upkeep` says; nothing here deletes anything. A volume that waits
for its first pod (`WaitForFirstConsumer`) is told by us where that pod is, as kube-scheduler would.
"""

from collections.abc import Callable
from typing import Final

from aliquot import names
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, belonging_of
from aliquot.cluster.reconcilers.upkeep import Upkeep
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import ObjectBeside, Pod
from aliquot.core.lifecycle import Wait
from aliquot.core.rendering import Context, Owner, existing_claims, missing_claim, objects_of
from aliquot.core.submission import Valid
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound
from aliquot.kube.resources import PERSISTENT_VOLUME_CLAIMS

_MISSING_SECONDS: Final = 5.0
"""A claim of somebody else is not watched."""


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
        self._have_claims: set[str] = set()
        mirror.listeners.pod.append(self._pod_changed)
        mirror.listeners.workload.append(self._workload_changed)

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
        if node is None and not await self._existing_claims(workload, spec, owner):
            return False
        for manifest in objects_of(spec, context):
            found = await self._upkeep.keep(workload, manifest, owner)
            if found is None:
                return False
            if manifest["kind"] == PERSISTENT_VOLUME_CLAIMS.kind:
                with self._upkeep.told(manifest, owner):
                    if not await self._tell_node(found, node):
                        self._await_nodes[owner.uid] = workload
        return True

    async def _existing_claims(self, workload: Key, spec: Valid, owner: Owner) -> bool:
        """See whether the claims are there that nobody makes: a pod without would hold its GPUs and never run."""
        if owner.uid in self._have_claims:
            return True
        for name in existing_claims(spec):
            try:
                await self._client.get(PERSISTENT_VOLUME_CLAIMS, owner.namespace, name)
            except NotFound:
                self._upkeep.note(owner.uid, Wait("ClaimMissing", missing_claim(name)))
                self._look_again(workload, _MISSING_SECONDS)
                return False
        self._have_claims.add(owner.uid)
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

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        if new is None and old is not None:
            self._have_claims.discard(old.metadata.uid)

    def _pod_changed(self, _: Pod | None, new: Pod | None) -> None:
        whose = belonging_of(new) if self._await_nodes and new is not None and new.spec.node_name else None
        workload = self._await_nodes.pop(whose.uid, None) if whose is not None else None
        if workload is not None:
            self._look_again(workload, 0)
