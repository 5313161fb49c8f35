"""Whether what we did to a pod has been heard of: some time later the API server is asked where no watch has told."""

from collections.abc import Callable

from aliquot.cluster.granting.bind import Granter, read_again
from aliquot.cluster.granting.cards import Cards
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.scheduling import GrantFailed
from aliquot.kube.client import ApiClient


class Confirmer:
    """Asks about pods that were bound.

    Args:
        client: asks.
        mirror: what we know, our own writes included.
        heard: the pod as the watch last told of it; None: it has not.
        granter: knows which grants are still being carried out.
        cards: tells the scheduler of grants that came to nothing.
        add: takes work.
        seconds: until it is asked again.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        heard: Callable[[Key], Pod | None],
        granter: Granter,
        cards: Cards,
        add: Add,
        seconds: float,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._heard = heard
        self._granter = granter
        self._cards = cards
        self._add = add
        self._seconds = seconds

    def later(self, key: Key) -> None:
        """Have a pod asked about that has just been bound."""
        self._add(Task.CONFIRM, key, self._seconds)

    async def confirm(self, key: Key) -> None:
        """See that what we did to a pod some time ago has been heard of; ask the API server if not.

        Raises:
            ApiProblem: it could not be asked; call again.
        """
        pod = self._mirror.pods.get(key)
        if pod is None:
            return
        heard = self._heard(key)
        if heard is not None and heard.metadata.uid == pod.metadata.uid and pod.spec.node_name:
            return
        found = await read_again(self._client, self._mirror, pod)
        if found is None:
            return
        if heard is None or heard.metadata.uid != found.metadata.uid:
            # If it vanished before the pods are listed anew, no list and no watch would ever tell.
            self.later(key)
        if not found.spec.node_name and not self._granter.has(key):
            self._cards.submit(GrantFailed(task=found.metadata.uid))
