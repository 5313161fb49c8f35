"""The status of a node pool: the nodes that belong to it, and how they are."""

from collections.abc import Iterable
from typing import Final, Protocol

from aliquot import names
from aliquot.contracts.kinds.tenancy import NodePool, NodePoolStatus, PoolNode
from aliquot.core.tenancy.status import READY

MAX_NODES: Final = 10_000
"""Most nodes that a status lists."""


class NodeLike(Protocol):
    """Anything that tells how a node is, such as the scheduler's own fact of it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def ready(self) -> bool:
        """Whether its kubelet says that it works."""
        ...

    @property
    def schedulable(self) -> bool:
        """Whether nobody has cordoned it."""
        ...


def node_pool_status(pool: NodePool, nodes: Iterable[NodeLike]) -> NodePoolStatus:
    """Make the status: the same for the same nodes, in whatever order they come.

    Args:
        pool: the pool.
        nodes: the nodes that belong to it.
    """
    listed = tuple(PoolNode(name=node.name, status=_status(node)) for node in sorted(nodes, key=lambda node: node.name))
    spec = pool.spec
    if pool.metadata.name != names.DEFAULT_NODE_POOL and not (spec.label_key and spec.label_value):
        phase, message = "NoLabel", "No node can belong to it: labelKey and labelValue say which ones should."
    elif not listed:
        wanted = f" with the label {spec.label_key}={spec.label_value}" if spec.label_key else ""
        phase, message = "NoNodes", f"There is no node{wanted} that belongs to it."
    else:
        phase, message = READY, None
    return NodePoolStatus(phase=phase, message=message, nodes=listed[:MAX_NODES])


def _status(node: NodeLike) -> str:
    """As `kubectl get nodes` says it."""
    return ("Ready" if node.ready else "NotReady") + ("" if node.schedulable else ",SchedulingDisabled")
