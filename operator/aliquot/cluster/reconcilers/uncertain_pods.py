"""Pods that were asked for, and of which it is not known whether they are there: no answer came, or a useless one.

    POST ─▶ no answer ─▶ uncertain ─▶ before the next plan: read ─▶ there: the mirror knows it; or not

A plan that does not know of a pod would make another one for the same work, which is a second run of it: the name tells
the attempt, and the count begins anew when no pod is known.
"""

from collections.abc import Mapping

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.reconcilers.object_writes import create_pod, read_pod
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem


class UncertainPods:
    """Makes pods, and remembers those of which it is not known whether they were made.

    Args:
        client: writes and reads.
        mirror: is told of what is there.
    """

    def __init__(self, client: ApiClient, mirror: Mirror) -> None:
        self._client = client
        self._mirror = mirror
        self._names: dict[Key, set[str]] = {}

    async def create(self, owner: Key, name: str, manifest: Mapping[str, object]) -> None:
        """Make a pod for a workload, or a job, which is where the key says.

        Raises:
            AlreadyExists: there is one of that name.
            ApiProblem: see `aliquot.kube.problems`; whether it is there is found out before the next plan.
        """
        try:
            await create_pod(self._client, self._mirror, owner.namespace, manifest)
        except ApiProblem as problem:
            if problem.may_be_done:
                self._names.setdefault(owner, set()).add(name)
            raise

    async def find_out(self, owner: Key) -> None:
        """Have the mirror know all pods that were made for the workload or job: what is planned then is right.

        Raises:
            ApiProblem: it is still not known; call again.
        """
        for name in sorted(self._names.get(owner, ())):
            found = await read_pod(self._client, owner.namespace, name)
            if found is not None:
                self._mirror.pods.put(found)
            self._names[owner].discard(name)
        self.forget(owner)

    def forget(self, owner: Key) -> None:
        """The workload or job is gone, and its pods go with it."""
        self._names.pop(owner, None)
