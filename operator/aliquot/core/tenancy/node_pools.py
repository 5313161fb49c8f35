"""The status of a node pool: the nodes that belong to it, and how they are."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from aliquot import names
from aliquot.contracts.kinds.tenancy import NodePool, NodePoolStatus, PoolNode
from aliquot.core.tenancy.status import READY

MAX_NODES: Final = 10_000
"""Most nodes that a status lists."""
MAX_PROBLEMS: Final = 10
"""Most nodes whose problems a status tells."""

_NONE: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})


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


def node_pool_status(
    pool: NodePool, nodes: Iterable[NodeLike], problems: Mapping[str, Sequence[str]] = _NONE
) -> NodePoolStatus:
    """Make the status: the same for the same nodes, in whatever order they come.

    Args:
        pool: the pool.
        nodes: the nodes that belong to it.
        problems: what of nodes makes no sense, sentences by the node's name; they are in use as far as they do.
    """
    listed = tuple(PoolNode(name=node.name, status=_status(node)) for node in sorted(nodes, key=lambda node: node.name))
    spec = pool.spec
    if pool.metadata.name != names.DEFAULT_NODE_POOL and not (spec.label_key and spec.label_value):
        phase, message = "NoLabel", "No node can belong to it: labelKey and labelValue say which ones should."
    elif not listed:
        wanted = f" with the label {spec.label_key}={spec.label_value}" if spec.label_key else ""
        phase, message = "NoNodes", f"There is no node{wanted} that belongs to it."
    else:
        phase, message = READY, _told(problems)
    return NodePoolStatus(phase=phase, message=message, nodes=listed[:MAX_NODES])


def _told(problems: Mapping[str, Sequence[str]]) -> str | None:
    nodes = sorted(name for name, sentences in problems.items() if sentences)
    told = [f"node {name}: {'; '.join(problems[name])}" for name in nodes[:MAX_PROBLEMS]]
    more = [f"and {len(nodes) - MAX_PROBLEMS} more nodes"] if len(nodes) > MAX_PROBLEMS else []
    return "; ".join([*told, *more]) or None


def _status(node: NodeLike) -> str:
    """As `kubectl get nodes` says it."""
    return ("Ready" if node.ready else "NotReady") + ("" if node.schedulable else ",SchedulingDisabled")
