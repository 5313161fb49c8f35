"""The status of a node pool: the nodes that belong to it, and how they are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
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


def without_label(pool: NodePool) -> str | None:
    """What is to be said of a pool that names no label; None: it names one, or needs none."""
    if pool.metadata.name == names.DEFAULT_NODE_POOL or (pool.spec.label_key and pool.spec.label_value):
        return None
    return "No node can belong to it: labelKey and labelValue say which ones should."


def with_same_label(pool: NodePool, others: Iterable[NodePool]) -> str | None:
    """What is to be said of a pool that has the very label of another one; None: none of the others has it.

    Its nodes belong to the one that was made first, all of them, so one of the two is a mistake.
    """
    spec = pool.spec
    if not (spec.label_key and spec.label_value):
        return None
    same = sorted(
        other.metadata.name
        for other in others
        if other.metadata.name != pool.metadata.name
        and (other.spec.label_key, other.spec.label_value) == (spec.label_key, spec.label_value)
    )
    if not same:
        return None
    return (
        f"Node pool {same[0]} has the label {spec.label_key}={spec.label_value} already, and a node belongs to one "
        "pool only: give this one another label, or delete one of the two."
    )


def node_pool_status(
    pool: NodePool,
    nodes: Iterable[NodeLike],
    pools: Iterable[NodePool],
    problems: Mapping[str, Sequence[str]] = _NONE,
) -> NodePoolStatus:
    """Make the status: the same for the same nodes and pools, in whatever order they come.

    Args:
        pool: the pool.
        nodes: the nodes that belong to it.
        pools: all node pools.
        problems: what of nodes makes no sense, sentences by the node's name; they are in use as far as they do.
    """
    listed = tuple(PoolNode(name=node.name, status=_status(node)) for node in sorted(nodes, key=lambda node: node.name))
    spec = pool.spec
    if (problem := without_label(pool)) is not None:
        phase, message = "NoLabel", problem
    elif (problem := with_same_label(pool, _before(pool, pools))) is not None:
        phase, message = "SameLabel", problem
    elif not listed:
        wanted = f" with the label {spec.label_key}={spec.label_value}" if spec.label_key else ""
        phase, message = "NoNodes", f"There is no node{wanted} that belongs to it."
    else:
        phase, message = READY, _told(problems)
    return NodePoolStatus(phase=phase, message=message, nodes=listed[:MAX_NODES])


def _before(pool: NodePool, pools: Iterable[NodePool]) -> list[NodePool]:
    """The pools that were made before it, which nodes with the labels of both belong to."""
    return [other for other in pools if _age(other) < _age(pool)]


def _age(pool: NodePool) -> tuple[datetime, str]:
    made = pool.metadata.creation_timestamp
    return (made or datetime.min.replace(tzinfo=UTC), pool.metadata.name)


def _told(problems: Mapping[str, Sequence[str]]) -> str | None:
    nodes = sorted(name for name, sentences in problems.items() if sentences)
    told = [f"node {name}: {'; '.join(problems[name])}" for name in nodes[:MAX_PROBLEMS]]
    more = [f"and {len(nodes) - MAX_PROBLEMS} more nodes"] if len(nodes) > MAX_PROBLEMS else []
    return "; ".join([*told, *more]) or None


def _status(node: NodeLike) -> str:
    """As `kubectl get nodes` says it."""
    return ("Ready" if node.ready else "NotReady") + ("" if node.schedulable else ",SchedulingDisabled")
