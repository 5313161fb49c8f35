"""Policies: a status that says whether each is in force, and what is wrong with it."""

from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.reconcilers.status_writes import patch_status
from aliquot.cluster.resources import POLICIES
from aliquot.contracts.kinds.catalogue import workload_kind
from aliquot.core.submission import policy_status
from aliquot.kube.client import ApiClient


class PolicyStatusWriter:
    """Keeps the statuses of policies true.

    Args:
        client: writes.
        mirror: what we know.
        clock: the time given to conditions that change.
    """

    def __init__(self, client: ApiClient, mirror: Mirror, clock: Clock) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock

    async def write(self, key: Key) -> None:
        """Write the policy's status if it differs.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        policy = self._mirror.policies.get(key)
        if policy is None:
            return
        siblings = self._mirror.policies_for(workload_kind(key.kind), key.namespace)
        after = policy_status(policy, siblings, self._clock.now())
        answer = await patch_status(self._client, POLICIES[key.kind], policy.metadata, policy.status, after)
        if answer is not None:
            self._mirror.policies.put(type(policy).model_validate(answer.json()))
